select
    cast('1' as {{ dbt.type_int() }}) as an_int, cast('1' as {{ dbt.type_bigint() }}) as a_bigint, cast('1.5' as {{ dbt.type_float() }}) as a_float,
    cast('1.5' as {{ dbt.type_numeric() }}) as a_numeric, cast('x' as {{ dbt.type_string() }}) as a_text, cast('true' as {{ dbt.type_boolean() }}) as a_bool,
    cast('2024-01-02 03:04:05' as {{ dbt.type_timestamp() }}) as a_time, cast('1' as {{ type_int() }}) as unqualified,
    {{ dbt.array_construct([1, 2, 3]) }} as some, {{ dbt.array_append(dbt.array_construct([1]), 2) }} as more,
    {{ array_concat(dbt.array_construct([1]), dbt.array_construct([2, 3])) }} as all_of_them
