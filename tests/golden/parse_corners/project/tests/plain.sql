{{ config(severity='error', limit=3, store_failures=false) }} select 1
