-- {{ dbt.get_powers_of_two(9) }} {{ dbt.get_intervals_between("cast('2024-02-27' as date)", "cast('2024-03-02' as date)", "day") if execute }}
-- {{ dbt.generate_schema_name('x', model) }} {{ generate_schema_name(none, model) }} {{ dbt.generate_schema_name_for_env('x', model) }} {{ dbt.generate_alias_name(none, model) }} {{ dbt.generate_database_name(none, model) }}
-- {{ dbt.is_incremental() }} {{ dbt.should_full_refresh() }} {{ dbt.should_store_failures() }} {{ dbt.get_batch_size() }} {{ dbt.get_binding_char() if execute }} {{ dbt.copy_grants() }} {{ dbt.can_clone_table() }}
-- {{ dbt.dates_in_range('20240228', '20240302', in_fmt='%Y%m%d', out_fmt='%d.%m.') }} {{ dbt.partition_range('20240101,20240102') }} {{ dbt.convert_datetime('2024-01-02', '%Y-%m-%d') }}
-- {{ dbt.get_quoted_csv(['a', 'b']) }} {{ dbt.make_intermediate_relation(this) }} {{ dbt.make_backup_relation(this, 'view') }}
-- {{ dbt.diff_columns([api.Column('a', 'int'), api.Column('b', 'int')], [api.Column('a', 'int')]) | map(attribute='name') | list }} {{ dbt.incremental_validate_on_schema_change('fail') }}
-- {{ dbt.before_begin('x').split() | join(' ') }} {{ dbt.in_transaction('x').split() | join(' ') }} {{ dbt.after_commit('x').split() | join(' ') }} {{ dbt.make_hook_config('y', true).split() | join(' ') }}
-- {{ dbt.get_columns_in_query('select 1 as a, 2 as b') if execute }} {{ (dbt.load_relation(ref('events')) or this).identifier }} {{ dbt.get_where_subquery(ref('events')) }}
--  {{ dbt.support_multiple_grantees_per_dcl_statement() }} {{ dbt.resolve_model_name('x') }} {{ dbt.information_schema_name('x') }}
select 1 as id
/* {{ dbt.snapshot_hash_arguments(['a', 'b']) }} */
