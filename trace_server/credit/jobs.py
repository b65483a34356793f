"""What the worker does for credit, apart from any request."""

from __future__ import annotations

from trace_server.credit.upkeep import keep_up
from trace_server.services import Job

UPKEEP_EVERY_S = 600.0
"""Often enough that a record ends within minutes of midnight; pages hide it on the minute by themselves."""


jobs: list[Job] = [Job("credit-upkeep", UPKEEP_EVERY_S, keep_up)]
