"""What was told goes in as gateways' batches and clients' documents, through the one capture path."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from trace_core.errors import EventError
from trace_core.uplink import ZERO_DIGEST, Batch, ClockState, chain
from trace_server.ingest import operations as ingest
from trace_server.sample.model import Told
from trace_server.sample.telling import CONTEXT
from trace_server.services import Services

MOST = 500
"""Events of one batch or document."""
LATE = timedelta(seconds=20)
"""From the newest event of a batch to its arrival."""
SKEW = timedelta(minutes=7)


@dataclass(slots=True)
class _Outbox:
    epoch: str
    seq: int = 0
    digest: bytes = ZERO_DIGEST


class Sender:
    """Remembers where each gateway stands. `skewed`: a gateway whose clock once runs ahead."""

    def __init__(self, services: Services, clients: Mapping[str, str], *, skewed: str) -> None:
        self._services, self._clients, self._skewed = services, clients, skewed
        self._boxes: dict[str, _Outbox] = {}

    def send(self, told: Sequence[Told], *, ahead: bool = False) -> int:
        """Send in the order of time; returns how many were captured. Raises `EventError` when one is refused."""
        by_source: dict[str, list[Told]] = defaultdict(list)
        for one in told:
            by_source[one.source].append(one)
        captured = 0
        for source, own in by_source.items():
            for place in range(0, len(own), MOST):
                part = own[place : place + MOST]
                if source in self._clients:
                    captured += self._document(source, part)
                else:
                    captured += self._batch(source, part, ahead=ahead and self._is_ahead(source))
        ingest.number_captures(self._services.db)
        return captured

    def _is_ahead(self, gateway: str) -> bool:
        """Once: then somebody set its clock."""
        is_skewed = gateway == self._skewed
        if is_skewed:
            self._skewed = ""
        return is_skewed

    def _document(self, source: str, part: Sequence[Told]) -> int:
        now = max(self._services.clock(), part[-1].at + LATE)
        whole = {
            "@context": CONTEXT,
            "type": "EPCISDocument",
            "schemaVersion": "2.0",
            "creationDate": now.isoformat(timespec="seconds"),
            "epcisBody": {"eventList": [one.event for one in part]},
        }
        job = ingest.capture_document(self._services.db, now, self._clients[source], msgspec.json.encode(whole))
        if job.errors:
            first = job.errors[0]
            raise EventError(f"an event of the sample is refused: {first.what}", where=first.where)
        return job.accepted

    def _batch(self, gateway: str, part: Sequence[Told], *, ahead: bool) -> int:
        now = max(self._services.clock(), part[-1].at + LATE)
        box = self._boxes.setdefault(gateway, _Outbox(hashlib.sha256(gateway.encode()).hexdigest()[:16]))
        bodies = []
        for number, one in enumerate(part, box.seq + 1):
            body = {"@context": CONTEXT, **one.event, "suyuan:epoch": box.epoch, "suyuan:seq": number}
            bodies.append(msgspec.json.encode(body))
        batch = Batch(
            epoch=box.epoch,
            first_seq=box.seq + 1,
            events=tuple(bodies),
            previous_digest=box.digest,
            digest=chain(box.digest, bodies),
            boot_id="sample",
            monotonic=(now - datetime(2020, 1, 1, tzinfo=now.tzinfo)).total_seconds(),
            wall=now + SKEW if ahead else now,
            clock_state=ClockState.SYNCHRONISED,
        )
        answer = ingest.accept_batch(self._services.db, now, gateway, batch, is_backup=True)
        if answer.quarantined:
            raise EventError(f"event {answer.quarantined[0]} of {gateway} is refused", where="events")
        box.seq, box.digest = answer.ack, batch.digest
        return len(bodies)
