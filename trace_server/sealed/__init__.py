"""Personal data under a key of its own: who reported something, id numbers, phones. Opened by two persons only."""
