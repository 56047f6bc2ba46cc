{#- Arguments, defaults, keywords, varargs, callers, recursion, returns, white space. -#}
{%- set both = [] -%}
{%- do fill(both, 3) -%}
select 1 as id
/*
defaults: {{ defaults() }} {{ defaults(2) }} {{ defaults(b=3) }} {{ defaults(1, 'x', c=[1]) }}
varargs: {{ many(1, 2, 3, k=4) }}
kwargs: {{ many(**{'k': 1, 'a': 2}) }} {{ many(*[1, 2]) }}
returned: {{ returned() | length }} {{ returned()[1].a }} {{ returned() is mapping }} {{ nothing() is none }}
returned early: {{ early(true) }}|{{ early(false) }}
deep: {{ outer_return() }}
recursion: {{ factorial(5) }} {{ odd(7) }} {{ odd(8) }}
filled: {{ both }}
text: {% call wrapped('p') %}inside {{ 1 + 1 }}{% endcall %} {% call(x, y=2) wrapped_twice(3) %}{{ x }}-{{ y }}{% endcall %}
nested call: {% call wrapped('a') %}{% call wrapped('b') %}c{% endcall %}{% endcall %}
set block: {% set block %} a {{ 'b' }} {% endset %}[{{ block }}] {% set upper | upper %}abc{% endset %}{{ upper }}
filter block: {% filter upper %}abc{% endfilter %}
loop: {% for x in [3, 1, 2] | sort -%} {{ loop.index }}:{{ x }}{{ ', ' if not loop.last }}{%- else -%} none {%- endfor %}
loop more: {% for x in range(10) if x is odd %}{% if x == 7 %}{% break %}{% endif %}{% if x == 3 %}{% continue %}{% endif %}{{ x }}{% endfor %}
tree: {% for x in [{'n': 1, 'c': [{'n': 2, 'c': []}]}] recursive %}{{ x.n }}({{ loop(x.c) }}){% endfor %}
scopes: {% set outer = 1 %}{% for x in [1] %}{% set outer = 2 %}{% endfor %}{{ outer }} {% set ns = namespace(v=1) %}{% for x in [1] %}{% set ns.v = 2 %}{% endfor %}{{ ns.v }}
with: {% with a = 1, b = 2 %}{{ a + b }}{% endwith %}
raw: {% raw %}{{ not rendered }}{% endraw %}
tests: {{ 1 is odd }} {{ 'a' is string }} {{ none is none }} {{ undefined_name is defined }} {{ [] is iterable }} {{ {} is mapping }} {{ 3 is divisibleby 3 }} {{ 1 is sameas 1 }} {{ 'x' in 'xy' }}
filters: {{ 'a,b' | replace(',', ';') }} {{ [1, 2] | map('string') | join('+') }} {{ {'b': 1, 'a': 2} | dictsort }} {{ 'x' | default('y') }} {{ undefined_name | default('y') }} {{ [1, [2]] | list }} {{ 3.7 | round | int }} {{ 'abc' | batch(2) | list }} {{ [3, 1] | sort(reverse=true) }} {{ 'a b' | title }} {{ ['a', 'a'] | unique | list }} {{ {'a': 1} | items | list }} {{ [1, 2, 3] | sum }} {{ 'x' | indent }} {{ [{'k': 1}, {'k': 2}] | groupby('k') | length }} {{ 'abc' | first }}{{ 'abc' | last }} {{ 'a' | center(5) }}| {{ 5 | filesizeformat }} {{ '<a>' | escape }} {{ '%05.1f' | format(3.14159) }} {{ 'trim ' | trim }}. {{ ['a'] | tojson }} {{ 'x y' | urlencode }} {{ [1, 2, 3, 4] | select('odd') | list }} {{ [1, 2] | reject('odd') | list }} {{ 'abc' | reverse }} {{ 'one two' | wordcount }} {{ [2, 1] | min }}{{ [2, 1] | max }} {{ 'Abc' | upper }}{{ 'Abc' | lower }}{{ 'abc' | capitalize }} {{ 'abcdef' | truncate(5) }} {{ 1 | string }} {{ {'a': {'b': 1}} | attr('missing') is undefined }} {{ 'a\nb' | wordwrap(1) | length }} {{ [1, 2, 3] | slice(2) | list }}
text methods: {{ 'a-b'.split('-') }} {{ 'x'.join(['1', '2']) }} {{ 'abc'[1:] }} {{ 'abc'[-1] }} {{ '{} {a}'.format(1, a=2) }} {{ '%s' % 'x' }} {{ 'a' ~ 1 ~ none }} {{ 7 // 2 }} {{ 7 % 2 }} {{ 2 ** 3 }} {{ -1 | abs }} {{ 1 if false else 2 }} {{ (1 if false) is undefined }} {{ not true }} {{ [1] + [2] }} {{ (1, 2)[0] }} {{ 1 < 2 < 3 }}
line statements are text:
# for x in range(3)
## a comment
-- {# a comment #}{{- ' stripped' }}   {{- ' and ' -}}   again
*/
{{- ' ' -}}
where 1 = 1   
