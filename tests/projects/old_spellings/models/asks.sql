select {{ adapter.already_exists('dev', 'nothing') }} as there, {{ modules.itertools.chain([1], [2]) | list | length }} as n, {{ modules.itertools.product([1], [2]) | list | length }} as m
