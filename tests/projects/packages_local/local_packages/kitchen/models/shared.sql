select 'kitchen' as whose
