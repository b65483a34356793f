"""The worker's part: notices go out soon after a batch is blocked."""

from __future__ import annotations

from trace_server.services import Job
from trace_server.shops.operations import issue_due

EVERY_S = 30.0

jobs: list[Job] = [Job("takedowns", EVERY_S, issue_due)]
