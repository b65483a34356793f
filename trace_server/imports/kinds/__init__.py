"""Kinds of tables, one a file: each has a `KIND`."""
