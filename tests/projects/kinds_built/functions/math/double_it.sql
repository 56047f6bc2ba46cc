{{ config(meta={'in_file': true}) }}
2 * x + {{ var('plus', 0) }}
