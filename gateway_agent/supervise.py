"""Keep the gateway's threads alive: a thread that dies is logged with its traceback, counted and started again."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.1
MAX_PAUSE_S = 2.0
"""A port must be served again within 2 s of its return (architecture §3.1)."""


class Supervisor:
    """Starts threads and restarts those that end with an exception until `stop` is set."""

    def __init__(self) -> None:
        self.crashes: Counter[str] = Counter()
        """Thread name → times it died."""
        self._threads: list[threading.Thread] = []

    def start(self, name: str, target: Callable[[], None], stop: threading.Event) -> threading.Thread:
        """Run `target` in a thread called `name`. It ends when `target` returns or `stop` is set after a crash."""
        thread = threading.Thread(target=self._run, args=(name, target, stop), name=name, daemon=True)
        thread.start()
        self._threads.append(thread)
        return thread

    def _run(self, name: str, target: Callable[[], None], stop: threading.Event) -> None:
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                target()
            except Exception:
                self.crashes[name] += 1
                log.exception("thread %s died (%d times so far); starting it again", name, self.crashes[name])
            else:
                return
            if stop.wait(pause_s):
                return
            pause_s = min(MAX_PAUSE_S, pause_s * 2)
