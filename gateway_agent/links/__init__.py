"""Ways to the server: each file carries the same requests and answers over one kind of connection."""
