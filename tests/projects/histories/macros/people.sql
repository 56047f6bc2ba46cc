{% macro people(step) %}
    {#- (id, part, name, city, changed) at each step: rows change, go, come back; a column comes #}
    {%- set rows = {
        1: [(1, 'a', 'Ann', 'Bonn', '2024-01-01'), (2, 'a', 'Bob', 'null', '2024-01-01'), (3, 'b', 'Cy', 'Kiel', '2024-01-01')],
        2: [(1, 'a', 'Ann', 'Köln', '2024-01-02'), (2, 'a', 'Bob', 'Ulm', '2024-01-02'), (3, 'b', 'Cy', 'Kiel', '2024-01-01'), (4, 'b', 'Di', 'Jena', '2024-01-02')],
        3: [(1, 'a', 'Ann', 'Köln', '2024-01-02'), (4, 'b', 'Di', 'null', '2024-01-03')],
        4: [(1, 'a', 'Anna', 'Köln', '2024-01-04'), (2, 'a', 'Bob', 'Ulm', '2024-01-04'), (4, 'b', 'Di', 'Jena', '2024-01-03')],
    }[step] -%}
    {%- for id, part, name, city, changed in rows %}
    select
        {{ id }} as id, '{{ part }}' as part, '{{ name }}' as name,
        {% if city == 'null' %}cast(null as varchar){% else %}'{{ city }}'{% endif %} as city,
        timestamp '{{ changed }}' as changed_at
        {%- if step > 1 %}, {{ id * step }} as extra{% endif %}
        {%- if not loop.last %} union all{% endif %}
    {%- endfor %}
{% endmacro %}
