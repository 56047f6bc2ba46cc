{{ config(tags=['an']) }} select {{ mac('x') }} from {{ ref('m1') }}
