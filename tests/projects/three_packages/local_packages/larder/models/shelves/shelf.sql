{{ config(access='protected', meta={'shelf': 2}) }}
select * from {{ ref('goods') }}
