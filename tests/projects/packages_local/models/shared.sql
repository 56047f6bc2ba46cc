select 'tavern' as whose
