"""Find the things that extension folders offer: one module, one thing. Loud at start, never at use."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
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
        thing = _load(f"{package.__name__}.{info.name}", attribute, kind)
        if thing.name in found:
            raise ValueError(f"{package.__name__}.{info.name}: the name {thing.name!r} is taken")
        found[thing.name] = thing
    return dict(sorted(found.items()))


class OnDemand(Mapping[str, T]):
    """The same, each imported when it is first asked for: a box with one reader has no room for eight protocols.

    Things must have the names of their modules; `ValueError` otherwise.
    """

    def __init__(self, package: ModuleType, attribute: str, kind: type[T]) -> None:
        self._package = package.__name__
        self._attribute = attribute
        self._kind = kind
        self._names = sorted(i.name for i in pkgutil.iter_modules(package.__path__) if not i.name.startswith("_"))

    def __getitem__(self, name: str) -> T:
        if name not in self._names:
            raise KeyError(name)
        thing = _load(f"{self._package}.{name}", self._attribute, self._kind)
        if thing.name != name:
            raise ValueError(f"{self._package}.{name}: its {self._attribute} is called {thing.name!r}")
        return thing

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def _load(name: str, attribute: str, kind: type[T]) -> T:
    thing = getattr(importlib.import_module(name), attribute, None)
    if not isinstance(thing, kind):
        raise TypeError(f"{name} must define {attribute}: {kind.__name__}")
    return thing
