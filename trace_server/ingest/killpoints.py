"""Named points at which a test may end the process as a power cut would; nothing happens unless the variable is set.

`SUYUAN_KILL_AT=in-insert` kills at the first passage of that point, `SUYUAN_KILL_AT=in-insert:7` at the seventh.
"""

from __future__ import annotations

import os
import signal
from itertools import count

VARIABLE = "SUYUAN_KILL_AT"
BEFORE_PARSE = "before-parse"
IN_INSERT = "in-insert"
AFTER_COMMIT = "after-commit"
POINTS = (BEFORE_PARSE, IN_INSERT, AFTER_COMMIT)

_name, _, _times = os.environ.get(VARIABLE, "").partition(":")
_passage = int(_times or 1)
_passages = count(1)


def reach(point: str) -> None:
    """Say that execution is at `point`. SIGKILL to this process when the environment asks for it."""
    if point == _name and next(_passages) == _passage:
        os.kill(os.getpid(), signal.SIGKILL)
