"""What the worker does for the capture path."""

from __future__ import annotations

from trace_server.ingest import operations
from trace_server.services import Job, Services

SEQUENCE_EVERY_S = 0.2
"""Followers see a capture at most this long after its commit."""


def number_captures(services: Services) -> None:
    """Give committed captures their place in the order that followers read."""
    operations.number_captures(services.db)


jobs: list[Job] = [Job("ingest-sequencer", SEQUENCE_EVERY_S, number_captures)]
