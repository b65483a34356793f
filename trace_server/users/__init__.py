"""People who log in: accounts, second factor, sessions that the server can end."""
