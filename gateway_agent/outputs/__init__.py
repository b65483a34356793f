"""Where answers go: one module for each kind, found by the registry under `OUTPUT`."""
