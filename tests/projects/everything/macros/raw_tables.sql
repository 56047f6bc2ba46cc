{#- The tables that the sources name. They are made by a hook, so that the project needs nothing but itself. -#}
{% macro create_raw_tables() %}
    {% set statements %}
        create schema if not exists "Raw Zone";
        create schema if not exists side.landing;
        create or replace table "Raw Zone".orders as
            select * from (values
                (1, 1, 10, 'new',  date '2024-01-02', 12.50),
                (2, 1, 20, 'paid', date '2024-01-03', 99.00),
                (3, 2, 10, 'sent', date '2024-01-04', 12.50),
                (4, 3, 30, 'paid', date '2024-01-05', 0.00),
                (5, 9, 20, null,   date '2024-01-06', 7.25)
            ) as t (order_id, customer_id, product_id, status, ordered_on, amount);
        create or replace table "Raw Zone"."Order Lines" as
            select * from (values (1, 1, 2), (2, 1, 1), (3, 2, 5)) as t ("Line No", "Order ID", qty);
        create or replace table "Raw Zone".customers as
            select * from (values (1, 'Åsa', 'a@example.com'), (2, 'Bô', null), (3, 'O''Neil', 'c@example.com'))
                as t (id, name, email);
        create or replace table side.landing.events as
            select * from (values
                (1, 'click', timestamp '2024-01-01 10:00:00'),
                (2, 'view',  timestamp '2024-01-02 11:30:00'),
                (3, 'click', timestamp '2024-01-03 12:45:00')
            ) as t (event_id, kind, happened_at);
    {% endset %}
    {{ return(statements) }}
{% endmacro %}
