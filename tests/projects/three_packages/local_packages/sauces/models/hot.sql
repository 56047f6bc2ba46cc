-- {{ shared_name() }} {{ larder.portion(5) }} {{ portion_of_sauce(6) }} {{ var('heat') }} {{ var('season') }} {{ var('guests') }}
select id, '{{ var("heat") }}' as heat from {{ ref('larder', 'goods') }}
