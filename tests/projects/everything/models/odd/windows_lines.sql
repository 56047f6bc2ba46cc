select
    2 as n
from {{ ref("trailing") }}
