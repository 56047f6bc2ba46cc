select day, {{ lib.total('amount') }} from {{ ref('orders') }} limit {{ var('limit', 5) }} -- {{ env_var('SHOP_ENV', 'none') }}
