select {{ var('limit') }} as id
