"""The kinds of tables there are, found by the registry."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from trace_core.errors import InputError
from trace_core.registry import discover
from trace_server.imports import kinds
from trace_server.imports.model import ImportKind


@cache
def registry() -> Mapping[str, ImportKind]:
    """Name → kind."""
    return discover(kinds, "KIND", ImportKind)


def require(name: str) -> ImportKind:
    """Raises `InputError` for a kind that there is not."""
    found = registry().get(name)
    if found is None:
        raise InputError("there is no such kind of table", where="kind", remedy=f"one of {', '.join(registry())}")
    return found
