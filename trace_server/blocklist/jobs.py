"""What the worker does for the block list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from trace_server.blocklist import operations
from trace_server.db import Database
from trace_server.services import Job, Services

EVERY_S = 5.0
"""With the gateway's next acknowledgement or its own question, a recall reaches every gate well within 60 s."""
WHOLE_EVERY = timedelta(seconds=30)
"""The list is made anew after this even if nothing seems to have changed: new codes of blocked batches show only
then. Still within the 60 s."""


@dataclass(slots=True)
class Publisher:
    """Makes the list when something changed: over many expired batches that costs seconds, a look costs little."""

    db: Database | None = None
    seen: tuple[object, ...] = ()
    made_at: datetime | None = None

    def __call__(self, services: Services) -> bool:
        """Publish a new version when recalls or dates changed what is blocked; returns whether it had to look."""
        now = services.clock()
        fresh = self.made_at is not None and timedelta(0) <= now - self.made_at < WHOLE_EVERY
        # Read before the list is made: what changes meanwhile is seen the next time.
        found = operations.fingerprint(services.db, now)
        if self.db is services.db and fresh and found == self.seen:
            return False
        operations.refresh(services.db, now)
        self.db, self.seen, self.made_at = services.db, found, now
        return True


publish_changes = Publisher()
jobs: list[Job] = [Job("block-list", EVERY_S, publish_changes)]
