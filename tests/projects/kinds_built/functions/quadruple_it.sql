{{ function('double_it') }}({{ function('kinds_built', 'double_it') }}(x))
