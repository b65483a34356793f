"""Runs the scripts on the connection, and in the transaction, that `trace_server.db.migrate` hands over."""

from alembic import context

from trace_server.db.metadata import load_tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=load_tables(),
    render_as_batch=True,  # SQLite cannot ALTER most things in place
)
context.run_migrations()
