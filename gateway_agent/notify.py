"""What systemd is told (sd_notify(3)): ready, alive, stopping. Without its socket in the environment nothing happens.

Alive means that the writer goes round; everything else has a supervisor of its own. When it hangs, in a disk that
does not answer or in a mistake of ours, no sign is sent and systemd starts the program anew.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)

SOCKET = "NOTIFY_SOCKET"
WATCHDOG = "WATCHDOG_USEC"
ALIVE_WITHIN_S = 10.0
"""The writer goes round every 0.2 s; a slow card may hold one commit for seconds."""


def notify(state: str) -> None:
    """Send one state, e.g. `READY=1`. A socket that is gone is logged: systemd will draw its own conclusion."""
    address = os.environ.get(SOCKET, "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
            out.sendto(state.encode(), address)
    except OSError as error:
        log.warning("systemd was not told %s: %s", state, error)


def watchdog_period_s() -> float | None:
    """A third of what `WatchdogSec` says; None when nobody watches."""
    text = os.environ.get(WATCHDOG, "")
    return int(text) / 3_000_000 if text.isdecimal() and int(text) > 0 else None


def keep_telling(is_alive: Callable[[], bool], stop: threading.Event) -> None:
    """Say that we are alive while we are, until `stop`. Returns at once when nobody watches."""
    period_s = watchdog_period_s()
    while period_s is not None and not stop.wait(period_s):
        if is_alive():
            notify("WATCHDOG=1")
        else:
            log.error("the writer hangs; systemd is not told that we are alive")
