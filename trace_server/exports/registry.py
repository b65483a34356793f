"""The file formats there are: each module of this package that has an `EXPORT`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import trace_server.exports
from trace_server.exports.model import Export

_OURS = frozenset({"model", "registry"})


@cache
def registry() -> Mapping[str, Export]:
    """Name → format. Raises `ValueError` when two share a name, `AttributeError` when a module has no EXPORT."""
    found: dict[str, Export] = {}
    for module in pkgutil.iter_modules(trace_server.exports.__path__):
        if module.name in _OURS:
            continue
        export: Export = importlib.import_module(f"{trace_server.exports.__name__}.{module.name}").EXPORT
        if export.name in found:
            raise ValueError(f"two export formats are called {export.name!r}")
        found[export.name] = export
    return MappingProxyType(found)
