"""Named points at which a test may end the process as a power cut would; nothing happens unless the variable is set."""

from __future__ import annotations

import os
import signal

VARIABLE = "SUYUAN_KILL_AT"
BEFORE_PARSE = "before-parse"
IN_INSERT = "in-insert"
AFTER_COMMIT = "after-commit"
POINTS = (BEFORE_PARSE, IN_INSERT, AFTER_COMMIT)

_CHOSEN = os.environ.get(VARIABLE, "")


def reach(point: str) -> None:
    """Kill this process with SIGKILL when `SUYUAN_KILL_AT` names `point`."""
    if _CHOSEN == point:
        os.kill(os.getpid(), signal.SIGKILL)
