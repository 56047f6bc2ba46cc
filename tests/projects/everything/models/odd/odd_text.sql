-- {{ ref('stg_clicks') }} stands in a comment, and yet it is a reference
/* ref('nothing'), source('no', 'thing'), {# nor this: {{ ref('nobody') }} #} */
{%- set text = "naïve 漢字 🐤" %}
select
    '{% raw %}{{ not_jinja }} {% not a tag %}{% endraw %}' as raw_text,
    '{{ text }}' as unicode_text,
    '{{ text | upper }}'      as   upper_text,
    'it''s ref(''x'')' as quoted_text,
    {{- ' 1 ' -}}
    {#- white space is eaten on both sides -#}
    as one
