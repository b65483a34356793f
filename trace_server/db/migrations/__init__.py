"""Alembic environment; run by `trace_server.db.migrate` only."""
