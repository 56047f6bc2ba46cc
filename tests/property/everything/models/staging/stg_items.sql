{{ config(tags=['items']) }}
select {{ cents('amount') }} from {{ source('raw', 'items') }}
