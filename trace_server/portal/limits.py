"""How often one address and one code may ask. Kept in this process' memory only, never stored or logged.

Many phones share one address (a company, a mobile carrier), so its allowance is generous; one code is asked for by
few people at once, so its allowance is small.
"""

from __future__ import annotations

import ipaddress
import threading
from collections import OrderedDict
from dataclasses import dataclass

MAX_TRACKED = 20_000
"""Buckets kept, about 4 MB; the longest unused is forgotten first, which only ever errs to the caller's good."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """`burst` at once, refilled with `per_second`."""

    burst: float
    per_second: float


PER_ADDRESS = Allowance(burst=300, per_second=10)
FORMS = Allowance(burst=60, per_second=0.2)
"""Reports begun and sent, and tokens tried, of one address."""
PER_CODE = Allowance(burst=60, per_second=1)


class Limits:
    """Token buckets by name. Thread-safe."""

    def __init__(self, per_address: Allowance = PER_ADDRESS, per_code: Allowance = PER_CODE) -> None:
        self._per_address = per_address
        self._per_code = per_code
        self._buckets: OrderedDict[str | bytes, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def admits_address(self, address: str, now_s: float) -> bool:
        """Whether this address may ask again; `now_s` is monotonic seconds."""
        return self._take(network(address), self._per_address, now_s)

    def admits_code(self, item: bytes, now_s: float) -> bool:
        """Whether this item may be asked for again."""
        return self._take(item, self._per_code, now_s)

    def _take(self, name: str | bytes, allowance: Allowance, now_s: float) -> bool:
        with self._lock:
            left, at = self._buckets.pop(name, (allowance.burst, now_s))
            left = min(allowance.burst, left + (now_s - at) * allowance.per_second)
            admitted = left >= 1
            self._buckets[name] = (left - 1 if admitted else left, now_s)
            if len(self._buckets) > MAX_TRACKED:
                self._buckets.popitem(last=False)
        return admitted


def network(address: str) -> str:
    """What counts as one caller. An IPv6 customer has a whole /64, so that is one caller."""
    if ":" not in address:
        return address
    try:
        return str(ipaddress.IPv6Network((address, 64), strict=False))
    except ValueError:
        return address
