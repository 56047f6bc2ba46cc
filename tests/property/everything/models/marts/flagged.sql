{{ config(tags=['full'] if flags.FULL_REFRESH else ['part']) }} select 1 as id
