{% macro get_incremental_once_sql(arg_dict) %}
    insert into {{ arg_dict['target_relation'] }}
    select * from {{ arg_dict['temp_relation'] }} where {{ arg_dict['unique_key'] }} not in (select {{ arg_dict['unique_key'] }} from {{ arg_dict['target_relation'] }})
{% endmacro %}
