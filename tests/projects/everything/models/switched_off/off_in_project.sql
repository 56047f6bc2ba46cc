select * from {{ ref('off_in_yaml') }}
