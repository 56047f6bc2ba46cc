{{ config(enabled=var('lib_on', false)) }} select 1 as id
