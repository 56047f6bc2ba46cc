select t.table_no, t.seats, s.whose, k.whose as whose_in_kitchen
from {{ ref('tables') }} as t
cross join {{ ref('shared') }} as s
cross join {{ ref('kitchen', 'shared') }} as k
