select {{ ref('nobody') }}
