select * from {{ ref('ingredients') }} where grams < 0
