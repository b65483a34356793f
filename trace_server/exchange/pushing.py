"""Pushes changes to webhooks, in threads of the worker, within seconds of their commit."""

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
from trace_server.credit.model import Change, SharedChange
from trace_server.credit.regimes import shipped_policy
from trace_server.credit.wire import change_json
from trace_server.exchange import hooks, rules, signing
from trace_server.exchange.model import Delivery, DeliveryState, Hook, HookLost
from trace_server.services import Services
from trace_server.subscriptions.addresses import parse_hosts, read_target
from trace_server.subscriptions.sender import Line

THREADS: Final = 2
IDLE_S: Final = 0.5
AWAY_S: Final = 5.0
TURN_S: Final = 20.0
"""With one more request of at most 30 s within the lease."""
KILL_AT: Final = "SUYUAN_KILL_AT"
"""A test's wish to end the process as a power cut would: `exchange-sent`, before what arrived is stored."""

PUSHES = Counter("suyuan_exchange_pushes", "Changes sent to webhooks", ["outcome"])

log = structlog.get_logger(__name__)


def run_next(services: Services) -> bool:
    """One turn of the hook that waited longest; False when nothing is due."""
    hook = hooks.claim(services.db, services.clock())
    if hook is None:
        return False
    try:
        _turn(services, hook)
    except HookLost:
        PUSHES.labels("lease-lost").inc()
        log.warning("webhook", hook=hook.id, outcome="lease-lost")
    except TraceError as error:
        # Its secret cannot be opened, say: this hook waits, the others go on.
        PUSHES.labels("unusable").inc()
        log.exception("webhook", hook=hook.id, outcome="unusable")
        failures = max(hook.failures + 1, rules.PATIENCE)
        hooks.settle(services.db, services.clock(), hook, hook.place, (), failures, error.what)
    return True


def run_due(services: Services) -> int:
    """Push until nothing is due; how many turns that took."""
    turns = 0
    while run_next(services):
        turns += 1
    return turns


def run_until(stopping: threading.Event, services: Services) -> None:
    """Push until `stopping` is set; the turn that runs then is finished first."""
    while not stopping.is_set():
        try:
            was_due = run_next(services)
        except Exception:
            # The database is away, most likely; leases bring back what was under way.
            PUSHES.labels("unavailable").inc()
            log.exception("webhooks cannot be used")
            stopping.wait(AWAY_S)
            continue
        if not was_due:
            stopping.wait(IDLE_S)


loops: list[Callable[[threading.Event, Services], None]] = [run_until] * THREADS


class _Turn:
    """One hook's turn: what became of each change so far."""

    def __init__(self, services: Services, hook: Hook) -> None:
        self.services, self.hook = services, hook
        self.until = time.monotonic() + TURN_S
        self.failures, self.failure = hook.failures, ""
        self.made: list[Delivery] = []
        self.line: Line | None = None
        self.keys = signing.signers(hook, services.settings, services.clock())

    @property
    def is_over(self) -> bool:
        """The receiver is away, or others wait."""
        return (self.failures >= rules.PATIENCE and bool(self.failure)) or time.monotonic() >= self.until

    def send(self, delivery: Delivery, change: Change | SharedChange) -> bool:
        """Try one change; True when it arrived."""
        now = self.services.clock()
        body = signing.canonical(change_json(change, shipped_policy()))
        headers = signing.signed_headers(f"credit.{change.seq}", now, body, self.keys)
        try:
            said = self._line().post(
                body, {"Content-Type": "application/json", "User-Agent": "Suyuan", **headers}, keep=rules.MAX_TEXT
            )
        except TraceError as error:
            self.failures, self.failure = self.failures + 1, str(error)
            after = hooks.refused(delivery, self.failure, now)
            outcome = "dead" if after.state is DeliveryState.DEAD else "failed"
            level = log.error if outcome == "dead" else log.warning
            level("webhook", hook=self.hook.id, seq=change.seq, outcome=outcome, failure=self.failure)
        else:
            self.failures, self.failure = 0, ""
            after = hooks.accepted(delivery, said, now)
            outcome = "sent"
        PUSHES.labels(outcome).inc()
        self.made.append(after)
        return outcome == "sent"

    def _line(self) -> Line:
        if self.line is None:
            hosts = parse_hosts(self.services.settings.webhook_hosts)
            self.line = Line(read_target(self.hook.dest, hosts))
        return self.line

    def close(self) -> None:
        if self.line is not None:
            self.line.__exit__()


def _turn(services: Services, hook: Hook) -> None:
    work = hooks.next_work(services.db, services.clock(), hook)
    turn = _Turn(services, hook)
    blocked, place = set(work.blocked), hook.place
    try:
        for delivery, change in work.again:
            if turn.is_over:
                break
            turn.send(delivery, change)
        for change in work.fresh:
            if turn.is_over:
                break
            record_id, _, op = rules.about(change)
            if rules.is_wanted(hook, op):
                new = hooks.started(hook, change, services.clock(), is_held=record_id in blocked)
                if new.state is DeliveryState.HELD:
                    turn.made.append(new)
                elif not turn.send(new, change):
                    blocked.add(record_id)
            place = change.seq
        else:
            # The loop has looked at every change up to here; without one, what is not wanted is skipped.
            place = work.upto
    finally:
        turn.close()
    _reach("exchange-sent")
    now = services.clock()
    after = hooks.settle(services.db, now, hook, place, turn.made, turn.failures, turn.failure)
    if after.failures >= rules.PATIENCE:
        log.warning("webhook", hook=hook.id, outcome="paused", failures=after.failures, until=str(after.next_due))


def _reach(point: str) -> None:
    if os.environ.get(KILL_AT) == point:
        os.kill(os.getpid(), signal.SIGKILL)
