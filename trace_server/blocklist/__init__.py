"""What a gate must not let through, as a versioned list that gateways keep for when they are offline."""
