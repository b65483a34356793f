"""What the worker does for the policy lab: versions that are followed by another, comparisons that are due."""

from __future__ import annotations

from trace_server.policies.operations import keep_up
from trace_server.services import Job

EVERY_S = 600.0

jobs: list[Job] = [Job("policies", EVERY_S, keep_up)]
