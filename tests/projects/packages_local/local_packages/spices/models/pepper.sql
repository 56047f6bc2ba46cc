select 'pepper' as spice, {{ spices.heat() }} as hot
