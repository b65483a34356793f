"""Time as the gateway knows it: wall clock, time since boot, and how far the wall clock may be trusted.

Windows and ages are counted on the boot clock, which no one can set; the wall clock only stamps.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from trace_core.uplink import ClockState

EARLIEST_WALL = datetime(2025, 1, 1, tzinfo=UTC)
"""A wall clock before this was never set (a box without a battery starts in 1970)."""
MAX_SERVER_SKEW_S = 60.0
"""A wall clock further than this from the server's is unsure, whatever the kernel thinks."""

KERNEL_ASKED_S = 0.5
"""A clock that loses its daemon is believed for so much longer."""

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_TIMEX_BYTES = 256  # struct timex is 208 bytes on 64-bit Linux; the kernel writes no more than its own size
_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
_adjtimex = ctypes.CDLL(None).adjtimex
_timex = ctypes.create_string_buffer(_TIMEX_BYTES)  # zeros ask for nothing to be changed; what comes back is not read


@dataclass(frozen=True, slots=True)
class Moment:
    """One instant: aware UTC wall time and seconds since boot (suspend included)."""

    wall: datetime
    monotonic: float


@dataclass(frozen=True, slots=True)
class Boot:
    """Which boot `Moment.monotonic` counts from."""

    id: str


def read_boot() -> Boot:
    """The kernel's boot id. Raises `OSError` where there is no procfs."""
    return Boot(_BOOT_ID.read_text().strip())


def now() -> Moment:
    return Moment(datetime.now(UTC), time.clock_gettime(time.CLOCK_BOOTTIME))


def kernel_synchronised() -> bool:
    """Whether a time daemon disciplines the wall clock (adjtimex(2), read only)."""
    return 0 <= int(_adjtimex(_timex)) < _TIME_ERROR


class KernelClock:
    """`kernel_synchronised`, asked at most once in `KERNEL_ASKED_S`: each call hands the interpreter to another thread,
    which is most of what an event may cost."""

    def __init__(self, ask: Callable[[], bool] = kernel_synchronised) -> None:
        self._ask = ask
        self._until = float("-inf")
        self._said = False

    def __call__(self) -> bool:
        now = time.monotonic()
        if now >= self._until:
            self._said = self._ask()
            self._until = now + KERNEL_ASKED_S
        return self._said


class ClockJudge:
    """Marks stamps as synchronised or unsure, from the kernel and from what the server said last."""

    def __init__(self, synchronised: Callable[[], bool] | None = None) -> None:
        self._synchronised = synchronised or KernelClock()
        self._skew_s: float | None = None

    @property
    def skew_s(self) -> float | None:
        """Our wall clock minus the server's at its last acknowledgement, None before one."""
        return self._skew_s

    def compare(self, server: datetime, ours: datetime) -> None:
        self._skew_s = (ours - server) / timedelta(seconds=1)

    def state(self, wall: datetime) -> ClockState:
        if wall < EARLIEST_WALL:
            return ClockState.UNSURE
        if self._skew_s is not None:
            # The server's word counts for more than the kernel's: a box may follow a wrong time source.
            return ClockState.UNSURE if abs(self._skew_s) > MAX_SERVER_SKEW_S else ClockState.SYNCHRONISED
        return ClockState.SYNCHRONISED if self._synchronised() else ClockState.UNSURE
