select
    id
    , {{ dbt.concat(['kind', "'-'", dbt.cast('id', dbt.type_string())]) }} as joined
    , {{ dbt.hash('kind') }} as hashed
    , {{ dbt.hash(dbt.concat(['kind', "'x'"])) }} as hashed_twice
    , {{ dbt.length('kind') }} as size
    , {{ dbt.position("'t'", 'kind') }} as place
    , {{ dbt.replace('kind', "'a'", "'A'") }} as replaced
    , {{ dbt.right('kind', 2) }} as ending
    , {{ dbt.split_part("'a|b|c'", "'|'", 2) }} as second
    , {{ dbt.split_part(string_text='kind', delimiter_text=dbt.string_literal("'" | replace("'", "''")), part_number=1) }} as before_quote
    , {{ dbt.string_literal(dbt.escape_single_quotes("it's")) }} as quoted
    , {{ dbt.cast_bool_to_text('flag') }} as said
    , {{ dbt.safe_cast("'5'", api.Column.translate_type('integer')) }} as five
    , {{ dbt.equals('kind', "'a'") }} as is_a
    , {{ dbt.safe_cast('kind', dbt.type_string()) }} as kind
from {{ ref('events') }}
where {{ dbt.equals('id', 'id') }}
