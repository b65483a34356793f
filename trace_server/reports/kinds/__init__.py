"""The kinds of reports there are: each module of this package that has a `KIND`."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from types import MappingProxyType

from trace_core.errors import InputError
from trace_server.reports.model import Kind, Registry


@cache
def registry() -> Registry:
    """Id → kind. Raises `ValueError` when two share an id, `AttributeError` when a module has no KIND."""
    found: dict[str, Kind] = {}
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda one: one.name):
        kind: Kind = importlib.import_module(f"{__name__}.{module.name}").KIND
        if kind.id in found:
            raise ValueError(f"two kinds of report are called {kind.id!r}")
        found[kind.id] = kind
    return MappingProxyType(found)


def require(name: str) -> Kind:
    """The kind of this id. Raises `InputError`."""
    found = registry().get(name)
    if found is None:
        raise InputError(f"there is no kind of report {name!r:.40}", where="kind", remedy=", ".join(registry()))
    return found
