"""Pages kept in memory. None is shown before its stamp was compared in the same statement that counts the query."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import date

from trace_server.portal.operations import Gathered
from trace_server.portal.rendering import Halves

MAX_KEPT = 2_000
"""Pages of about 20 kB each: 40 MB a process."""


@dataclass(slots=True)
class Kept:
    """One code on one day: its facts, its halves by (language, many queries), when its stamp was last found true."""

    day: date
    gathered: Gathered
    checked_s: float
    many_queries: bool = False
    halves: dict[tuple[str, bool], Halves] = field(default_factory=dict)


class Keeping:
    """The most recently used pages by item. Thread-safe."""

    def __init__(self, size: int = MAX_KEPT) -> None:
        self._size = size
        self._pages: OrderedDict[str, Kept] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, path: str) -> Kept | None:
        with self._lock:
            found = self._pages.get(path)
            if found is not None:
                self._pages.move_to_end(path)
            return found

    def put(self, path: str, kept: Kept) -> None:
        with self._lock:
            self._pages[path] = kept
            self._pages.move_to_end(path)
            if len(self._pages) > self._size:
                self._pages.popitem(last=False)

    def drop(self, path: str) -> None:
        with self._lock:
            self._pages.pop(path, None)
