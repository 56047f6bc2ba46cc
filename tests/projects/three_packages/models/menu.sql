-- {{ shared_name() }} {{ larder.shared_name() }} {{ sauces.shared_name() }} {{ trolley.who_am_i() }}
-- {{ larder.portion(2) }} {{ sauces.portion_of_sauce(2) }} {{ adapter.dispatch('portion', 'larder')(3) }}
-- {{ var('season') }} {{ var('guests') }} {{ larder.seen_vars() }} {{ sauces.shared_name() }}
-- {{ dbt.concat(["'a'", "'b'"]) }} {{ dbt.string_literal('x') }} {{ string_literal('y') }} {{ dbt.escape_single_quotes("it's") }}
select g.id, g.name, s.heat from {{ ref('larder', 'goods') }} as g left join {{ ref('hot') }} as s on s.id = g.id
