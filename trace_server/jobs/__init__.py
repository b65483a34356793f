"""Work that outlives a request: kept in a table, run by the worker at least once, its effects once."""
