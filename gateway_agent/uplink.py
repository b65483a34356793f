"""The sender: unsent events → signed batches → acknowledgements applied (architecture §3.2).

Nothing is settled but by an acknowledgement of the server, and never beyond what was sent. Every other answer
keeps the events and says when to try again.
"""

from __future__ import annotations

import logging
import random
import secrets
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeVar

from gateway_agent import clock
from gateway_agent.blocklist import BlockListFile
from gateway_agent.clock import ClockJudge
from gateway_agent.config import ServerConfig
from gateway_agent.killpoints import reach
from gateway_agent.links._base import Link, Request
from gateway_agent.outbox import Outbox, OutboxFull
from gateway_agent.outbox_view import OutboxView, Run
from gateway_agent.server_link import Reply
from trace_core.errors import EventError, Refused, Retryable, TraceError
from trace_core.uplink import (
    CONTENT_TYPE,
    KEY_ID_HEADER,
    MAX_BODY_BYTES,
    MAX_EVENTS,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    Ack,
    Batch,
    decode_ack,
    encode_batch,
    request_payload,
)

log = logging.getLogger(__name__)
T = TypeVar("T")

UPLINK_PATH = "/api/v1/uplink"
BLOCK_LIST_PATH = "/api/v1/gateways/block-list"
BACKOFF_FIRST_S = 0.5
BACKOFF_MAX_S = 60.0
IDLE_S = 1.0
"""How long the sender sleeps without news; the writer wakes it."""

LIST_MISSING_S = 60.0
"""Without a block list an idle gateway asks for one this often."""
LIST_IDLE_S = 900.0
"""With one it asks again after this long without an acknowledgement that would tell."""


PROBE_IDLE_S = 60.0
"""Without an acknowledgement for so long, the last settled event is sent again to hear where the server stands."""


class OwnerCall(Protocol):
    """`Writer.call`: run a function on the outbox in its owner's thread."""

    def __call__(self, run: Callable[[Outbox], T]) -> T: ...


class Signing(Protocol):
    """A `Signer`, or a keyring whose key may change between two requests."""

    @property
    def key_id(self) -> str: ...

    def sign(self, payload: bytes) -> str: ...


class Errands(Protocol):
    """What goes to the server beside events, on the same connection (`gateway_agent.errands`)."""

    def run(self, link: Link) -> bool: ...

    def told(self, config_version: int) -> None: ...


@dataclass(slots=True)
class LinkState:
    """What `status` says about the way to the server."""

    state: str = "starting"
    last_error: str = ""
    last_ack_at: datetime | None = None
    sent_events: int = 0
    sent_batches: int = 0
    failures: int = 0
    alarms: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Flight:
    """A batch on its way. `is_probe`: an event that is settled already, sent to hear where the server stands."""

    run: Run
    sent_at: float
    is_probe: bool = False


class Sender:
    """`run` is the thread; `step` waits for one answer and returns how long to wait before the next (seconds)."""

    def __init__(
        self,
        outbox_path: Path,
        call: OwnerCall,
        *,
        link: Link,
        signer: Signing,
        config: ServerConfig,
        judge: ClockJudge,
        block_list: BlockListFile,
        boot_id: str,
    ) -> None:
        self._path = outbox_path
        self._call = call
        self._link = link
        self._signer = signer
        self._config = config
        self._judge = judge
        self._block_list = block_list
        self._boot_id = boot_id
        self.errands: Errands | None = None
        """Set before `run`."""
        self._random = random.Random()  # noqa: S311 - jitter, not a secret
        self._max_events = MAX_EVENTS
        self._window = link.window
        self._flights: dict[bytes, _Flight] = {}
        """Token → batch, in order of sending."""
        self._tries = 0
        self._list_asked_at = float("-inf")
        self._heard_at = clock.now().monotonic
        self.state = LinkState()

    def run(self, stop: threading.Event, stored: threading.Event) -> None:
        """Send until `stop`. A thousand gateways that boot together must not connect together."""
        stop.wait(self._random.uniform(0, self._config.first_connect_spread_s))
        try:
            while not stop.is_set():
                stored.clear()
                pause_s = self.step()
                if pause_s is None:
                    stored.wait(IDLE_S)
                elif pause_s > 0:
                    stop.wait(pause_s)
        finally:
            self._link.close()

    def drain(self, limit_s: float) -> None:
        """Last attempt before the program ends: send until empty, refused or late."""
        limit = clock.now().monotonic + limit_s
        while clock.now().monotonic < limit and self.step() == 0:
            pass
        self._link.close()

    def step(self) -> float | None:
        """Send what the window allows and take one answer. None: nothing to send; else seconds to wait."""
        try:
            is_heard = self.errands is not None and self.errands.run(self._link)
            self._send_ahead()
            if not self._flights:
                if is_heard:  # without events no acknowledgement would ever say that the server is there
                    self.state.state, self.state.last_error = "online", ""
                return self._idle()
            return self._receive()
        except (Retryable, OutboxFull) as error:  # full: no room to note the acknowledgement, so it comes again
            return self._back_off(error)
        except Refused as error:
            return self._alarm(str(error), self._config.slow_retry_s)

    def _send_ahead(self) -> None:
        window = min(self._window, self._link.window)
        if len(self._flights) >= window:
            return
        with closing(OutboxView(self._path)) as view:
            while len(self._flights) < window:
                after = max((flight.run.last_seq for flight in self._flights.values()), default=0)
                run = view.next_run(self._max_events, MAX_BODY_BYTES, after)
                if run is None:
                    return
                self._send(run)

    def _send(self, run: Run, *, is_probe: bool = False) -> None:
        payload = self._payload(run)
        headers = {
            "Content-Type": CONTENT_TYPE,
            KEY_ID_HEADER: self._signer.key_id,
            SIGNATURE_HEADER: self._signer.sign(payload),
        }
        token = secrets.token_bytes(8)
        self._flights[token] = _Flight(run, clock.now().monotonic, is_probe)
        self._link.send(token, Request(UPLINK_PATH, payload, headers), lambda: reach("after-send"))

    def _receive(self) -> float:
        oldest = next(iter(self._flights.values()))
        left_s = oldest.sent_at + self._link.answer_limit_s - clock.now().monotonic
        answer = self._link.receive(left_s)
        if answer is None:
            # No answer says nothing about what the server has: everything after the last one goes again.
            raise Retryable(f"no acknowledgement: {self._link.give_up()}", where=UPLINK_PATH)
        token, reply = answer
        flight = self._flights.pop(token, None)
        if flight is None:  # of a batch that was given up; it is sent again, or was
            return 0.0
        return self._judge_reply(flight, reply)

    def _judge_reply(self, flight: _Flight, reply: Reply) -> float:
        if reply.status == 200:
            return self._settle(flight, _ack(reply))
        # What was sent behind it stands on what was not taken.
        self._flights.clear()
        run = flight.run
        match reply.status:
            case 409:
                return self._conflict(run, reply)
            case 401 | 403:
                why = f"the server refuses this gateway ({reply.status}): {reply.reason()}"
                return self._alarm(why, self._config.slow_retry_s)
            case 413:
                return self._halve(run)
            case 429 | 503:
                error = Retryable(f"the server is busy ({reply.status})", where=UPLINK_PATH)
                return self._back_off(error, reply.retry_after_s(clock.now().wall.timestamp()))
            case _:
                raise Retryable(f"unexpected answer {reply.status}: {reply.reason()}", where=UPLINK_PATH)

    def _payload(self, run: Run) -> bytes:
        now = clock.now()
        return encode_batch(
            Batch(
                epoch=run.epoch,
                first_seq=run.first_seq,
                events=run.bodies,
                previous_digest=run.previous_digest,
                digest=run.digest,
                boot_id=self._boot_id,
                monotonic=now.monotonic,
                wall=now.wall,
                clock_state=self._judge.state(now.wall),
            )
        )

    def _settle(self, flight: _Flight, ack: Ack) -> float:
        run = flight.run
        if ack.epoch != run.epoch:
            raise Retryable(f"an acknowledgement for epoch {ack.epoch}", where=UPLINK_PATH)
        self._judge.compare(ack.server_time, clock.now().wall)
        reach("before-settle")
        if ack.ack < run.first_seq - 1:
            return self._rewind(ack.ack)
        settled = min(ack.ack, run.last_seq)
        acked = self._call(lambda outbox: outbox.settle(run.first_seq, settled, ack.backed_up_to))
        if acked < settled:
            self._flights.clear()  # an operator moved the cursor back meanwhile
        if ack.ack > run.last_stored_seq and run.last_seq == run.last_stored_seq:
            # The server has rows of this epoch that we never made: this outbox is an old copy. What it still
            # held was confirmed row by row; whatever comes now needs numbers of its own.
            self._new_epoch(run.last_seq, "the server is ahead of this outbox")
        self._window = ack.window
        self._succeeded(0 if flight.is_probe else settled - run.first_seq + 1)
        if self.errands is not None:
            self.errands.told(ack.config_version)
        if ack.block_list_version > self._block_list.version:
            self._fetch_block_list()
        return ack.retry_after_s

    def _conflict(self, run: Run, reply: Reply) -> float:
        """409: a gap (rewind), or the server holds other events under our numbers (new epoch)."""
        cursor = reply.json_object().get("cursor")
        if not isinstance(cursor, dict) or not isinstance(cursor.get("ack"), int):
            raise Retryable("409 without a cursor", where=UPLINK_PATH)
        known = int(cursor["ack"]) if cursor.get("epoch") == run.epoch else 0
        if known < run.first_seq - 1:
            return self._rewind(known)
        if len(run.bodies) > 1:
            # Some of them may be the server's already: find the first that differs before renumbering.
            self._max_events = max(1, len(run.bodies) // 2)
            return 0.0
        self._new_epoch(run.first_seq - 1, f"the server holds another event under number {run.first_seq}")
        return 0.0

    def _rewind(self, ack: int) -> float:
        log.warning("the server is at %d; sending again from there", ack)
        self._flights.clear()
        if self._call(lambda outbox: outbox.rewind(ack)):
            return 0.0
        self._raise_alarm(f"the server lost events after {ack} that its backup was to hold")
        self._call(lambda outbox: outbox.begin_epoch(outbox.floor_seq))
        return 0.0

    def _new_epoch(self, after: int, why: str) -> None:
        self._raise_alarm(f"new epoch: {why}")
        self._call(lambda outbox: outbox.begin_epoch(after))
        self._flights.clear()
        self._max_events = MAX_EVENTS

    def _halve(self, run: Run) -> float:
        if len(run.bodies) == 1:
            return self._alarm(f"the server finds event {run.first_seq} too large", self._config.slow_retry_s)
        self._max_events = max(1, len(run.bodies) // 2)
        return 0.0

    def _succeeded(self, events: int) -> None:
        self._tries = 0
        self._heard_at = clock.now().monotonic
        self._max_events = min(MAX_EVENTS, self._max_events * 2)
        self.state.state = "online"
        self.state.last_error = ""
        self.state.last_ack_at = clock.now().wall
        self.state.sent_batches += 1
        self.state.sent_events += events

    def _back_off(self, error: TraceError, wait_s: float | None = None) -> float:
        """Full jitter: uniform in 0 … min(60, 0.5 · 2ⁿ) s, unless the server said how long."""
        self._flights.clear()
        limit_s = min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2 ** min(self._tries, 10))
        self._tries += 1
        self.state.failures += 1
        self.state.state = "retrying"
        if str(error) != self.state.last_error:
            log.warning("uplink: %s", error)
        self.state.last_error = str(error)
        # A floor: full jitter may draw 0 many times in a row, and that would be a busy loop.
        return max(0.02, self._random.uniform(0, limit_s) if wait_s is None else wait_s)

    def _alarm(self, why: str, wait_s: float) -> float:
        self._flights.clear()
        self._raise_alarm(why)
        self.state.failures += 1
        self.state.state = "refused"
        self.state.last_error = why
        return wait_s

    def _raise_alarm(self, why: str) -> None:
        if why not in self.state.alarms[-1:]:
            log.error("ALARM %s", why)
            self.state.alarms = [*self.state.alarms, why][-10:]

    def _idle(self) -> float | None:
        """A server restored from a backup does not know what it lost, and a quiet gate would never hear of it."""
        self._refresh_list()
        if clock.now().monotonic - self._heard_at < PROBE_IDLE_S:
            return None
        self._heard_at = clock.now().monotonic
        with closing(OutboxView(self._path)) as view:
            run = view.last_settled()
        if run is None:
            return None
        self._send(run, is_probe=True)
        return 0.0

    def _refresh_list(self) -> None:
        """No events, no acknowledgements: ask for the list now and then, or a quiet gate would keep an old one."""
        pause_s = LIST_IDLE_S if self._block_list.version else LIST_MISSING_S
        now = clock.now().monotonic
        if now - self._list_asked_at >= pause_s:
            self._fetch_block_list()

    def _fetch_block_list(self) -> None:
        """After the settle, never before it. A failure waits for the next acknowledgement or idle time."""
        self._list_asked_at = clock.now().monotonic
        stamp = clock.now().wall.isoformat()
        headers = {
            TIMESTAMP_HEADER: stamp,
            KEY_ID_HEADER: self._signer.key_id,
            SIGNATURE_HEADER: self._signer.sign(request_payload("GET", BLOCK_LIST_PATH, stamp)),
        }
        try:
            reply = self._link.get(BLOCK_LIST_PATH, headers)
            if reply.status == 200:
                self._block_list.replace(reply.body)
            elif reply.status != 404:  # 404: none was published yet
                raise Retryable(f"answered with {reply.status}: {reply.reason()}", where=BLOCK_LIST_PATH)
        except Retryable as error:
            self._flights.clear()  # their connection may be the one that failed
            log.warning("block list not fetched: %s", error)
            self.state.last_error = str(error)
        except (Refused, EventError) as error:
            self._raise_alarm(f"block list not taken: {error}")


def _ack(reply: Reply) -> Ack:
    try:
        return decode_ack(reply.body)
    except EventError as error:
        # A captive portal answers 200 with its own page.
        raise Retryable(f"200, but no acknowledgement: {error}", where=UPLINK_PATH) from error
