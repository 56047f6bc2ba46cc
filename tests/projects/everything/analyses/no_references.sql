{{ config(tags=['alone']) }}
select {{ 40 + 2 }} as answer
