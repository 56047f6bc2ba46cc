-- {{ who_am_i() }} {{ larder.portion(9) }}
select id from {{ ref('larder', 'goods') }}
