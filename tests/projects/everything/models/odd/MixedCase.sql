{{ config({'alias': 'Mixed Case, with more', 'schema': 'Odd Schema'}) }}
select "Order ID", "group", "Größe" from {{ ref('odd_columns') }}
