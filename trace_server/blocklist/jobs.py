"""What the worker does for the block list."""

from __future__ import annotations

from trace_server.blocklist.operations import refresh
from trace_server.services import Job, Services

EVERY_S = 5.0
"""With the gateway's next acknowledgement or its own question, a recall reaches every gate well within 60 s."""


def publish_changes(services: Services) -> None:
    """Publish a new version when recalls or dates changed what is blocked."""
    refresh(services.db, services.clock())


jobs: list[Job] = [Job("block-list", EVERY_S, publish_changes)]
