"""What the worker does for credit, apart from any request."""

from __future__ import annotations

from trace_server.credit.grade_upkeep import regrade_all
from trace_server.credit.upkeep import keep_up
from trace_server.services import Job

UPKEEP_EVERY_S = 600.0
"""Often enough that a record ends within minutes of midnight; pages hide it on the minute by themselves."""
GRADES_EVERY_S = 60.0
"""A look at one row, unless the day or the policy has changed: then the sweep begins within a minute."""

jobs: list[Job] = [
    Job("credit-upkeep", UPKEEP_EVERY_S, keep_up),
    Job("credit-grades", GRADES_EVERY_S, regrade_all),
]
