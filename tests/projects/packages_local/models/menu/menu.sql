select
    recipe,
    {{ kitchen.portion('grams') }} as grams_a_head,
    {{ kitchen.garnish('soup') }} as garnish,
    {{ label('dish') }} as label,
    {{ kitchen.label('dish') }} as kitchen_label,
    {{ dbt.concat(['recipe', "'!'"]) }} as loud,
    {{ dbt.length('recipe') }} as letters,
    {{ var('guests') }} as guests,
    {{ spices.heat() }} as heat
from {{ ref('kitchen', 'recipes') }}
