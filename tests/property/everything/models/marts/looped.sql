{% for x in ['a', 'b'] %}{{ piece(x) }} {% endfor %} from {{ ref('daily') }}, {{ ref('dim', v=1) }}
