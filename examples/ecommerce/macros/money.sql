{#- Money reaches us in whole cents and leaves as a decimal with two digits. -#}
{% macro cents_to_amount(column) -%}
    cast(cast({{ column }} as numeric(18, 2)) / 100 as numeric(18, 2))
{%- endmacro %}


{#-
    `part` over `whole`, both integers and not negative, rounded half up to `digits` digits; null over zero.
    All in whole numbers until the end: whether an engine divides integers as integers, as floats or as
    decimals, the answer is the same to the last digit.
-#}
{% macro ratio(part, whole, digits=2) -%}
    {%- set scale = 10 ** digits -%}
    cast(
        cast(floor((2 * {{ scale }} * cast({{ part }} as bigint) + cast({{ whole }} as bigint))
            / nullif(2 * cast({{ whole }} as bigint), 0)) as numeric(18, {{ digits }})) / {{ scale }}
    as numeric(18, {{ digits }}))
{%- endmacro %}


{#- An amount of money over a count: the average, to the cent. -#}
{% macro average_amount(amount, n) -%}
    {{ cents_to_amount(ratio(amount ~ " * 100", n, 0)) }}
{%- endmacro %}


{#- How many per cent of `whole` are `part`, both amounts of money or both counts; one digit. -#}
{% macro percentage(part, whole) -%}
    {{ ratio("(" ~ part ~ ") * 10000", "(" ~ whole ~ ") * 100", 1) }}
{%- endmacro %}
