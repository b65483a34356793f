"""Named points where a test may kill this process; without the variable they do nothing.

`SUYUAN_KILL_AT=in-commit` kills at the first passage of that point, `SUYUAN_KILL_AT=in-commit:7` at the seventh.
SIGKILL to ourselves: no handler, no `finally`, no flush, exactly what a power switch leaves behind.
"""

from __future__ import annotations

import os
import signal
from itertools import count

POINTS = (
    "frame-read",
    "in-commit",
    "after-commit",
    "after-send",
    "before-settle",
    "in-settle",
    "list-swap",
    "in-upgrade",
    "settings-candidate",
    "settings-trial",
    "settings-judged",
    "key-made",
    "key-accepted",
    "key-swapped",
)
VARIABLE = "SUYUAN_KILL_AT"

_name, _, _times = os.environ.get(VARIABLE, "").partition(":")
_passage = int(_times or 1)
_passages = count(1)


def reach(point: str) -> None:
    """Say that execution is at `point`. Kills the process when the environment asks for it."""
    if point == _name and next(_passages) == _passage:
        os.kill(os.getpid(), signal.SIGKILL)
