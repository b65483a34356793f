"""Who has asked for a code this hour, so that one person's reloads do not look like many people's copies.

Kept in this process' memory only and forgotten with the hour: no address is stored, logged or shared. With several
web processes one caller may count once in each.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from datetime import datetime
from hashlib import blake2b

MAX_TRACKED = 100_000
"""Callers kept, about 16 MB; the longest unknown is forgotten first and would count once more."""


class Callers:
    """Remembers (code, caller) pairs of the present hour. Thread-safe."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(16)
        self._seen: OrderedDict[bytes, None] = OrderedDict()
        self._hour = ""
        self._lock = threading.Lock()

    def is_new(self, item: bytes, network: str, now: datetime) -> bool:
        """Whether this network asks for the item for the first time within the hour of `now`."""
        hour = f"{now:%Y%m%d%H}"
        pair = blake2b(item + network.encode(), digest_size=16, key=self._key).digest()
        with self._lock:
            if hour != self._hour:
                self._hour = hour
                self._seen.clear()
            if pair in self._seen:
                return False
            self._seen[pair] = None
            if len(self._seen) > MAX_TRACKED:
                self._seen.popitem(last=False)
        return True
