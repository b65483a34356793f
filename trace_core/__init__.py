"""What two programs must agree on: identifiers, events, reader bytes, the uplink. Pure standard library."""
