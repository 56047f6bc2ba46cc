{{ config(tags='single', where="id > 0") }}
-- {{ model.name }} {{ this.identifier }} {{ execute }} {{ config.get('where') }} {{ config.get('severity') }} {{ flags.WHICH }} {{ adapter.get_columns_in_relation(ref('base')) | length }}
select * from {{ ref('base') }} where id < 0
