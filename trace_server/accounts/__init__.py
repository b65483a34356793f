"""Who may do what: gateways with their keys, API clients with their tokens, roles and permissions."""
