"""Delivers what is due, in threads of the worker: a receiver that hangs keeps nothing else waiting."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Final

import structlog
from prometheus_client import Counter

from trace_core.errors import TraceError
from trace_server.epcis_xml.spelling import EpcFormat
from trace_server.ingest.representation import query_json
from trace_server.services import Services
from trace_server.subscriptions import operations, sender
from trace_server.subscriptions.addresses import parse_hosts, read_target
from trace_server.subscriptions.model import (
    Batch,
    DeliveryFailed,
    LeaseLost,
    Subscription,
    SubscriptionInvalid,
    SubscriptionState,
    TooMuchAtOnce,
)
from trace_server.users.rules import unseal

THREADS: Final = 4
IDLE_S: Final = 0.5
AWAY_S: Final = 5.0
PER_BATCH: Final = 100
TURN_S: Final = 10.0
"""After so long the next subscription has its turn."""
TOKEN_PURPOSE: Final = b"subscription tokens"
KILL_AT: Final = "SUYUAN_KILL_AT"
"""A test's wish to end the process as a power cut would: `subscription-sent`, before the place moves."""

DELIVERIES = Counter("suyuan_subscription_deliveries", "Batches for receivers", ["outcome"])

log = structlog.get_logger(__name__)


def run_next(services: Services) -> bool:
    """Deliver for one turn to the receiver that waited longest; False when nothing is due."""
    row = operations.claim(services.db, services.clock())
    if row is None:
        return False
    try:
        operations.release(services.db, _turn(services, row))
    except LeaseLost:
        DELIVERIES.labels("lease-lost").inc()
        log.warning("subscription", subscription=row.id, outcome="lease-lost")
    except TraceError as error:
        told = error if isinstance(error, DeliveryFailed) else DeliveryFailed(str(error))
        _fail(services, row, told)
    except Exception as error:
        # Whatever is wrong with one subscription, the others go on.
        log.exception("subscription failed", subscription=row.id)
        _fail(services, row, DeliveryFailed(f"internal error ({type(error).__name__}), see the log"))
    return True


def run_due(services: Services) -> int:
    """Deliver until nothing is due; returns how many turns that took."""
    turns = 0
    while run_next(services):
        turns += 1
    return turns


def run_until(stopping: threading.Event, services: Services) -> None:
    """Deliver until `stopping` is set; the turn that runs then is finished first."""
    while not stopping.is_set():
        try:
            was_due = run_next(services)
        except Exception:
            # The database is away, most likely; leases bring back what was under way.
            DELIVERIES.labels("unavailable").inc()
            log.exception("subscriptions cannot be used")
            stopping.wait(AWAY_S)
            continue
        if not was_due:
            stopping.wait(IDLE_S)


loops: list[Callable[[threading.Event, Services], None]] = [run_until] * THREADS


def _turn(services: Services, row: Subscription) -> Subscription:
    limit, until = PER_BATCH, time.monotonic() + TURN_S
    while True:
        batch = operations.next_batch(services.db, row, limit)
        is_wanted = bool(batch.events) or (batch.is_last and row.report_if_empty and not row.reported)
        if is_wanted:
            try:
                _send(services, row, batch)
            except TooMuchAtOnce:
                if batch.looked_at <= 1:
                    raise
                limit = max(1, batch.looked_at // 2)
                continue
            _reach("subscription-sent")
            DELIVERIES.labels("sent").inc()
        row = operations.settle(services.db, services.clock(), row, batch, was_sent=is_wanted)
        if batch.is_last or time.monotonic() >= until:
            return row


def _send(services: Services, row: Subscription, batch: Batch) -> None:
    settings, now = services.settings, services.clock()
    try:
        target = read_target(row.dest, parse_hosts(settings.webhook_hosts))
    except SubscriptionInvalid as error:  # the setting has changed
        raise DeliveryFailed(error.what) from error
    body = query_json(batch.events, now, EpcFormat(row.epc_format), query=row.query_name, subscription=row.id)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Suyuan",
        "GS1-EPCIS-Version": "2.0.0",
        "GS1-EPC-Format": row.epc_format,
        "Suyuan-Timestamp": str(int(now.timestamp())),
    }
    if row.sealed_token:
        token = unseal(row.sealed_token, settings.derived_key(TOKEN_PURPOSE))
        headers[sender.SIGNATURE] = sender.sign(token, body)
    sender.post(target, body, headers)


def _fail(services: Services, row: Subscription, failure: DeliveryFailed) -> None:
    DELIVERIES.labels("failed").inc()
    try:
        after = operations.note_failure(services.db, services.clock(), row, failure)
    except LeaseLost:
        log.warning("subscription", subscription=row.id, outcome="lease-lost")
        return
    is_dead = after.state is SubscriptionState.DEAD
    outcome = "dead" if is_dead else "failed"
    (log.error if is_dead else log.warning)(
        "subscription", subscription=row.id, outcome=outcome, failures=after.failures, failure=after.last_failure
    )


def _reach(point: str) -> None:
    if os.environ.get(KILL_AT) == point:
        os.kill(os.getpid(), signal.SIGKILL)
