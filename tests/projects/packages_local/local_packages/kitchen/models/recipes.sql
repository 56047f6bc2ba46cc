{{ config(meta={'in_file': true}) }}
select
    recipe,
    sum(grams) as grams,
    max({{ label('recipe') }}) as label,
    max({{ garnish('recipe') }}) as garnish,
    {{ var('portion') }} as portion,
    sum({{ portion('grams') }}) as portions
from {{ ref('ingredients') }}
cross join {{ ref('shared') }}
group by recipe
