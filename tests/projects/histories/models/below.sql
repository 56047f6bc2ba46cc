select * from {{ ref('batches_that_fail') }}
