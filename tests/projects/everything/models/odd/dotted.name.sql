select 'dots' as what, * from {{ ref('MixedCase') }}
