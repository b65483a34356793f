"""One module per URL scheme: a reader's `url` becomes a transport that moves bytes and knows no protocol."""
