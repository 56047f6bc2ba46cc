{{
    config(
        alias = 'Customer List',
        tags = 'pii',
        persist_docs = {'relation': true, 'columns': true},
    )
}}
select
    id as "Customer ID",
    name as "Name",
    email
from {{ source("shop", "customers") }}
