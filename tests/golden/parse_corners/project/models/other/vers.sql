{{ config(tags='v2file') }} select 2
