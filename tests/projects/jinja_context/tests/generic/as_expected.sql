{% test as_expected(model, column_name, expected, relation, listed=[]) %}
    {{ config(severity='warn', meta={'expected': expected}) }}
    {# {{ model }} #}
    -- {{ expected }} {{ relation }} {{ listed }} {{ model.identifier }} {{ column_name }} {{ config.get('severity') }} {{ context.model.name | length > 3 }}
    select * from {{ model }} where {{ column_name }} is null and '{{ expected }}' = '{{ var('plain') }}'
{% endtest %}
