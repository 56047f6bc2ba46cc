select
    id as customer_id,
    trim(first_name) || ' ' || trim(last_name) as full_name,
    lower(trim(email)) as email,
    upper(country) as country_code,
    lower(channel) as signup_channel,
    cast(created_at as timestamp) as signed_up_at
from {{ source('shop', 'customers') }}
