"""The public credit archive: what anybody may see of a subject today, and nothing that has stopped."""
