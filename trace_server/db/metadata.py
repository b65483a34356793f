"""The one `MetaData`; each module's `tables.py` adds its tables to it."""

from __future__ import annotations

import importlib
import pkgutil

from sqlalchemy import MetaData

metadata = MetaData(
    # Names must not depend on the database, or a later migration cannot drop what an earlier one made.
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def load_tables() -> MetaData:
    """Import every `trace_server.<module>.tables` and return the complete metadata."""
    import trace_server

    for info in sorted(pkgutil.iter_modules(trace_server.__path__), key=lambda i: i.name):
        if not info.ispkg:
            continue
        package = importlib.import_module(f"trace_server.{info.name}")
        if any(inner.name == "tables" for inner in pkgutil.iter_modules(package.__path__)):
            importlib.import_module(f"{package.__name__}.tables")
    return metadata
