"""Find the things that extension folders offer: one module, one thing. Loud at start, never at use."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType
from typing import Protocol, TypeVar


class Named(Protocol):
    """What a registered thing must have."""

    @property
    def name(self) -> str: ...


T = TypeVar("T", bound=Named)


def discover(package: ModuleType, attribute: str, kind: type[T]) -> dict[str, T]:
    """Import every module of `package` whose name has no leading `_` and collect its `attribute`.

    Returns name → thing, sorted by name. Raises `TypeError` when a module offers nothing or the wrong
    kind, `ValueError` for a name that another module already uses: our own mistakes, all three.
    """
    found: dict[str, T] = {}
    for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda i: i.name):
        if info.name.startswith("_"):
            continue
        module = importlib.import_module(f"{package.__name__}.{info.name}")
        thing = getattr(module, attribute, None)
        if not isinstance(thing, kind):
            raise TypeError(f"{module.__name__} must define {attribute}: {kind.__name__}")
        if thing.name in found:
            raise ValueError(f"{module.__name__}: the name {thing.name!r} is taken")
        found[thing.name] = thing
    return dict(sorted(found.items()))
