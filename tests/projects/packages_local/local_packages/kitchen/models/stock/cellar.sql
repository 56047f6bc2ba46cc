select * from {{ source('cellar', 'barrels') }}
