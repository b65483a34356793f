"""What a file format needs to know, and what a format is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import IO


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table on its way into a file. `rows` is read once, each row as long as `columns`; `filters` are (name,
    value) pairs that say what was asked for.
    """

    title: str
    columns: tuple[str, ...]
    rows: Iterable[tuple[str, ...]]
    filters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Export:
    """A file format. `write(sheet, out)` streams the rows into a binary file and returns how many there were."""

    name: str
    media_type: str
    suffix: str
    write: Callable[[Sheet, IO[bytes]], int]
