{{ config(materialized='table') }}
{{ people(var('step')) }}
