{% set kinds = {'jaffles': 'is_jaffle', 'extras': 'not is_jaffle'} %}

with dishes as (

    select
        ticket_id,
        {% for name, condition in kinds.items() -%}
        sum(case when {{ condition }} then pieces * price else 0 end) as {{ name }}_amount,
        {% endfor -%}
        sum(pieces * price) as amount
    from {{ ref('stg_dishes') }}
    group by ticket_id

)

select
    tickets.ticket_id,
    tickets.guest_id,
    tickets.taken_on,
    tickets.state,
    {% for name in kinds -%}
    dishes.{{ name }}_amount,
    {% endfor -%}
    dishes.amount
from {{ ref('stg_tickets') }} as tickets
left join dishes on tickets.ticket_id = dishes.ticket_id
