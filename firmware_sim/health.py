"""A sign of life for whoever watches over the simulator: a file whose time stamp is renewed while it plays."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from trace_core.errors import NotFound

BEAT_S = 1.0
MAX_AGE_S = 10.0


@dataclass(slots=True)
class Heartbeat:
    """Without a path it does nothing."""

    path: Path | None
    _beaten_at: float = field(init=False, default=float("-inf"))

    def beat(self, now: float) -> None:
        """`now` in monotonic seconds."""
        if self.path is not None and now - self._beaten_at >= BEAT_S:
            self._beaten_at = now
            self.path.touch()


def require_alive(path: Path) -> None:
    """Raises `NotFound` unless a simulator renewed the file within `MAX_AGE_S`."""
    try:
        age_s = time.time() - path.stat().st_mtime
    except FileNotFoundError as error:
        raise NotFound("the simulator has shown no sign of life at all", where=str(path)) from error
    if age_s > MAX_AGE_S:
        raise NotFound(f"the simulator has shown no sign of life for {age_s:.0f} s", where=str(path))
