select recipe from {{ ref('recipes') }}
