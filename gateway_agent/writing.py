"""The writer: the one thread that owns the outbox. Reads in groups → observations → one commit → answers shown.

Nothing is shown or acknowledged to a broker before its commit. A group whose commit failed is kept and tried again.
"""

from __future__ import annotations

import json
import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from gateway_agent import clock
from gateway_agent.answering import identify
from gateway_agent.blocklist import BlockListFile
from gateway_agent.checkpoints import Report, Role
from gateway_agent.clock import ClockJudge, Moment
from gateway_agent.config import Config
from gateway_agent.deciding import Decider, Decision
from gateway_agent.eventing import Origin, Place
from gateway_agent.gaps import Gap
from gateway_agent.health import Heartbeat
from gateway_agent.killpoints import reach
from gateway_agent.ledger import Ledger
from gateway_agent.observing import Again, Observation, Observer, Presence, Unplaced
from gateway_agent.outbox import Commit, DeviceRow, Outbox, OutboxFull, open_outbox
from gateway_agent.outbox_schema import Level, Quota
from gateway_agent.outbox_view import OutboxView
from gateway_agent.outputs._base import Display, Output
from gateway_agent.quarantining import BadData, Outcome, Settled
from gateway_agent.reading import BadReading, Delivered, DeviceReport, Item, Reading
from gateway_agent.replaying import Episodes, Replay, mark
from gateway_agent.requests import Asked
from trace_core.errors import ConfigError, IdentifierError, Retryable, TraceError

log = logging.getLogger(__name__)
T = TypeVar("T")

IDLE_WAIT_S = 0.2
FLUSH_S = 0.8
"""Presences and state reach the disk within a second of their change."""
SWEEP_S = 10.0
"""How often what ended minutes ago is looked for, among all presences."""
DEPART_S = 0.2
"""How often the writer looks for tags that have gone."""
COMMAND_WAIT_S = 30.0
MIN_FULL_S = 0.5
"""Full lasts at least so long that every pump of a broker noticed and left: what was refused comes again."""
SHOWN_LAST = 20
"""Answers that `status` shows."""
RESUME_BELOW = 0.95
"""A full outbox takes reads again below this share: no flapping at the brim."""


@dataclass(frozen=True, slots=True)
class Command:
    """Work for the owner of the outbox on behalf of another thread."""

    run: Callable[[Outbox], object]
    reply: Future[object]


class Stop:
    """Last item of the queue: write what came before, then end."""


Work: TypeAlias = Item | Asked | Replay | Command | Stop


@dataclass(slots=True)
class _Draft:
    """What one group will write, show and confirm."""

    bodies: list[bytes] = field(default_factory=list)
    presences: list[Presence] = field(default_factory=list)
    forgotten: list[int] = field(default_factory=list)
    bad: list[BadData] = field(default_factory=list)
    devices: list[DeviceRow] = field(default_factory=list)
    settled: list[Settled] = field(default_factory=list)
    displays: list[Display] = field(default_factory=list)
    done: list[Callable[[], None]] = field(default_factory=list)


class Writer:
    """`run` is the thread; `call` is how other threads use the outbox."""

    def __init__(
        self,
        config: Config,
        origin: Origin,
        *,
        judge: ClockJudge,
        block_list: BlockListFile,
        outputs: Sequence[Output],
        snapshot: Callable[[], Mapping[str, object]],
    ) -> None:
        self._config = config
        self._origin = origin
        self._decider = Decider(config, origin, judge=judge, block_list=block_list)
        self._filling = frozenset(point.id for point in config.read_points if point.role is Role.FILLING)
        self._outputs = outputs
        self._snapshot = snapshot
        self.queue: queue.Queue[Work] = queue.Queue(config.gateway.queue_size)
        self.accepting = threading.Event()
        self.accepting.set()
        self.stored = threading.Event()
        """Set after each commit of events; the sender clears it."""
        self.ready = threading.Event()
        """Set once the outbox is open."""
        self.observer = Observer(config.read_points)
        self.level = Level.FREE
        self.beat = clock.now().monotonic
        """When the thread last went round; the watchdog looks at it."""
        self.last_answers: list[dict[str, object]] = []
        self._group: list[Work] = []
        self._gap = Gap(origin, next((point.id for point in config.read_points), ""), judge)
        self._episodes = Episodes(origin.boot_id)
        self._heartbeat = Heartbeat(config.gateway.state_dir)
        self._full_since = self._flushed_at = self._departed_at = self._swept_at = 0.0
        self._last_state = ""
        self._is_moving = False

    def call(self, run: Callable[[Outbox], T]) -> T:
        """Run `run` on the owner's thread and return its result. Raises what it raises, or `Retryable`."""
        reply: Future[object] = Future()
        self.queue.put(Command(run, reply))
        try:
            return reply.result(COMMAND_WAIT_S)  # type: ignore[return-value]
        except TimeoutError as error:
            raise Retryable("the outbox did not answer", where="outbox") from error

    def run(self) -> None:
        gateway = self._config.gateway
        path = gateway.state_dir / "outbox.sqlite"
        with closing(open_outbox(path, Quota.of_megabytes(gateway.outbox_max_mb))) as outbox:
            self._restore(outbox)
            self._set_level(outbox)
            self.ready.set()
            while True:
                # The group stays ours until it is written: after a crash of this thread it is tried again.
                self._group = self._group or self._collect()
                self._handle(outbox)
                stopped = any(isinstance(item, Stop) for item in self._group)
                self._group = []
                if stopped:
                    self._flush(outbox, clock.now())
                    self._gap.close(outbox, clock.now().wall)
                    return

    def _collect(self) -> list[Work]:
        """The waiting items, up to `group_size`; waits a few milliseconds for company, no longer."""
        try:
            group = [self.queue.get(timeout=0 if self._is_moving else IDLE_WAIT_S)]
        except queue.Empty:
            return []
        limit = time.monotonic() + self._config.gateway.group_ms / 1000
        while len(group) < self._config.gateway.group_size and type(group[-1]) not in (Command, Stop):
            try:
                group.append(self.queue.get(timeout=max(0.0, limit - time.monotonic())))
            except queue.Empty:
                break
        return group

    def _handle(self, outbox: Outbox) -> None:
        now = clock.now()
        self.beat = now.monotonic
        if self.level is Level.FULL:
            self._refuse(outbox, now)
        else:
            try:
                self._write(outbox, now)
            except OutboxFull as error:
                log.error("%s", error)  # noqa: TRY400 - a state of the disk, not a fault of ours
                self._restore(outbox)  # forgets what the failed commit would have made durable
                self._change_level(Level.FULL)
                self._refuse(outbox, now)
        for command in (item for item in self._group if isinstance(item, Command)):
            _execute(command, outbox)
        self._move_on(outbox)
        is_due = now.monotonic - self._flushed_at >= FLUSH_S
        if self._group or self.level is not Level.FREE or is_due:  # others may fill the disk
            self._set_level(outbox)
        if is_due:
            self._flush(outbox, now)

    def _move_on(self, outbox: Outbox) -> None:
        """A run of rows into a new epoch between two groups: the gate does not wait for the backlog."""
        was_moving, self._is_moving = outbox.is_moving, False
        if was_moving:
            try:
                self._is_moving = outbox.move_on()
            except OutboxFull as error:
                log.error("%s", error)  # noqa: TRY400 - a state of the disk; tried again with the next group
            if not outbox.is_moving:
                self.stored.set()

    def _write(self, outbox: Outbox, now: Moment) -> None:
        draft = _Draft()
        self._depart(draft, outbox, now)
        for item in self._group:
            self._consider(item, draft, outbox)
        ledger = self._decider.ledger
        if draft.bodies or draft.presences or draft.bad or draft.devices or draft.settled or ledger.is_changed:
            outbox.commit(
                Commit(
                    wall=now.wall,
                    boot_id=self._origin.boot_id,
                    bodies=draft.bodies,
                    presences=draft.presences,
                    forgotten=draft.forgotten,
                    bad=draft.bad,
                    devices=draft.devices,
                    settled=draft.settled,
                    state=ledger.as_state() if ledger.is_changed else {},
                )
            )
            ledger.is_changed = False
            reach("after-commit")
        self._confirm(draft)

    def _confirm(self, draft: _Draft) -> None:
        """After the commit: answers appear, brokers are told, the sender wakes."""
        if draft.displays:
            self._show(draft.displays)
        for done in draft.done:
            done()
        if draft.bodies:
            self.stored.set()

    def _consider(self, item: Work, draft: _Draft, outbox: Outbox) -> None:
        match item:
            case Reading(reader, read, received):
                outcome = self.observer.observe(reader, read, received)
                match outcome:
                    case Observation():
                        self._answer(outcome, draft, outbox)
                    case Again(point, epc, shown):
                        draft.displays.append(Display(received.wall, point, epc, shown))
                    case Unplaced():
                        draft.bad.append(self._episodes.keep(reader, read, received))
            case BadReading(reader, bad, received):
                draft.bad.append(BadData(reader, bad.reason, bad.data, received.wall))
            case DeviceReport(reader, event, at):
                draft.devices.append(DeviceRow(reader, event.state.value, event.detail, at.wall))
            case Delivered(done):
                draft.done.append(done)
            case Replay():
                self._replay(item, draft, outbox)
            case Asked():
                self._ask(item, draft, outbox)

    def _depart(self, draft: _Draft, outbox: Outbox, now: Moment) -> None:
        if now.monotonic - self._departed_at < DEPART_S:
            return
        self._departed_at = now.monotonic
        for departure in self.observer.departures(now.monotonic):
            decision = self._decider.departed(departure, self._place(draft, outbox))
            draft.bodies.append(decision.body)
            draft.presences.append(self.observer.departed(departure, decision.shown))
            if departure.point.report is Report.DEPART:
                draft.displays.append(Display(now.wall, departure.point.id, departure.epc, decision.shown))

    def _answer(self, observation: Observation, draft: _Draft, outbox: Outbox) -> None:
        if observation.point.report is Report.DEPART:
            shown = self._decider.unanswered(observation, self._place(draft, outbox))
            draft.presences.append(self.observer.answered(observation, shown))
            return
        decision = self._decider.observed(observation, self._place(draft, outbox))
        draft.presences.append(self.observer.answered(observation, decision.shown))
        self._add(decision, observation.read.epc, observation.point.id, observation.received, draft)

    def _ask(self, item: Asked, draft: _Draft, outbox: Outbox) -> None:
        request = item.request
        draft.done.append(item.done)
        if not self._decider.ledger.take_request(request.number):
            return
        try:
            decision = self._decider.requested(request, item.at, self._place(draft, outbox))
        except (ConfigError, IdentifierError) as error:
            draft.bad.append(BadData(request.read_point, error.code, request.code.encode(), item.at.wall))
            return
        self._add(decision, b"", request.read_point, item.at, draft)

    def _add(self, decision: Decision, epc: bytes, point: str, at: Moment, draft: _Draft) -> None:
        draft.bodies.append(decision.body)
        draft.displays.append(Display(at.wall, point, epc, decision.shown))
        if decision.asked_anew:
            ended = self.observer.ask_anew(self._filling, lambda p: identify(p.epc).key == decision.asked_anew)
            draft.forgotten += ended
            # A presence that begins and ends in one group is not stored at all.
            draft.presences = [p for p in draft.presences if p.number not in ended]

    def _place(self, draft: _Draft, outbox: Outbox) -> Place:
        return Place(outbox.epoch, outbox.last_seq + len(draft.bodies) + 1)

    def _replay(self, item: Replay, draft: _Draft, outbox: Outbox) -> None:
        """Reads from quarantine go the way of all reads, but nobody at the gate is shown their answers."""
        draft.done.append(item.done)
        if not outbox.is_asked(item.number) or item.number in [settled.number for settled in draft.settled]:
            return
        bodies, bad, displays = len(draft.bodies), len(draft.bad), len(draft.displays)
        counts = self.observer.counts
        observed, suppressed, unplaced = counts.observed, counts.suppressed, counts.unplaced
        for reading in item.readings:
            self._consider(reading, draft, outbox)
        del draft.displays[displays:]
        draft.bodies[bodies:] = [mark(body, item.stamp) for body in draft.bodies[bodies:]]
        if counts.observed > observed:
            outcome = Outcome.EVENT
        elif counts.suppressed > suppressed:
            outcome = Outcome.KNOWN
        else:
            del draft.bad[bad:]  # the row itself stays
            outcome = Outcome.NO_READ_POINT if counts.unplaced > unplaced else item.without_event
        draft.settled.append(Settled(item.number, outcome, item.left))

    def _show(self, displays: Sequence[Display]) -> None:
        self.last_answers = [*self.last_answers, *(display.fields() for display in displays[-SHOWN_LAST:])][
            -SHOWN_LAST:
        ]
        for output in self._outputs:
            try:
                output.show(displays)
            except OSError as error:
                # The event is safe; a broken lamp or full disk under it must not stop the gate.
                log.error("an answer could not be shown: %s", error)  # noqa: TRY400 - said in one line

    def _refuse(self, outbox: Outbox, now: Moment) -> None:
        """Full: reads are counted, not taken. Messages of a broker are not acknowledged, so they come again."""
        reads = [i for i in self._group if isinstance(i, Reading) and not i.kept_elsewhere]
        self._gap.add(outbox, now, len(reads), "outbox full")
        for item in self._group:
            if isinstance(item, Asked | Replay):
                item.again()

    def _flush(self, outbox: Outbox, now: Moment) -> None:
        """What may be up to a second late: ends of presences, forgotten presences, state for `status`."""
        self._flushed_at = now.monotonic
        self._heartbeat.beat(now.monotonic)
        moved, forgotten, is_due = self.observer.take_moved(), list[int](), now.monotonic - self._swept_at >= SWEEP_S
        if is_due:
            self._swept_at, forgotten = now.monotonic, self.observer.sweep(now.monotonic)
        state = dict(self._snapshot())
        text = json.dumps(state, sort_keys=True)
        changed = bool(moved or forgotten) or text != self._last_state
        try:
            if self.level is not Level.FULL and self._gap.tell(outbox, now):
                self.stored.set()
            if changed:
                outbox.commit(Commit(now.wall, self._origin.boot_id, moved=moved, forgotten=forgotten, state=state))
        except OutboxFull as error:
            log.error("state not stored: %s", error)  # noqa: TRY400 - a state of the disk, not a fault of ours
            self._change_level(Level.FULL)
        self._last_state = text

    def _restore(self, outbox: Outbox) -> None:
        now = clock.now()
        counts = self.observer.counts
        self.observer = Observer(self._config.read_points, counts)
        with closing(OutboxView(self._config.gateway.state_dir / "outbox.sqlite")) as view:
            self._decider.ledger = Ledger.from_state(view.state(), self._origin.boot_id)
        self.observer.restore(outbox.presences(self._origin.boot_id, now.monotonic, now.wall))

    def _set_level(self, outbox: Outbox) -> None:
        level = outbox.level()
        if self.level is Level.FULL and level is not Level.FULL:
            too_soon = clock.now().monotonic - self._full_since < MIN_FULL_S
            if too_soon or outbox.used() > RESUME_BELOW:
                return
        if level is not self.level:
            self._change_level(level)
            if level is not Level.FULL:
                self._gap.close(outbox, clock.now().wall)

    def _change_level(self, level: Level) -> None:
        if level is not self.level:
            log.warning("outbox: %s", level.value)
        self.level = level
        self.observer.coarse = level in (Level.COARSE, Level.FULL)
        if level is Level.FULL:
            self._full_since = clock.now().monotonic
            self.accepting.clear()
        else:
            self.accepting.set()


def _execute(command: Command, outbox: Outbox) -> None:
    if command.reply.done():
        return
    try:
        command.reply.set_result(command.run(outbox))
    except (TraceError, sqlite3.Error) as error:
        command.reply.set_exception(error)
