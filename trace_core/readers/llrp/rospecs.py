"""The simulated reader's ROSpecs: their life as a table, their triggers, and what they have seen and not reported.

One ROSpec is active at a time; a better priority (a smaller number) pushes another aside. Times are Unix seconds.
Source: LLRP 1.0.1 §6, §10.2 (ROSpec states and triggers), §13.1 (report triggers).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum

from trace_core.readers._base import FieldTag
from trace_core.readers.llrp.parameters import Tlv, tlv
from trace_core.readers.llrp.reports import TagSighting
from trace_core.readers.llrp.specs import ALL_ANTENNAS, ReportSpec, ReportTrigger, RoSpec, StartTrigger, StopTrigger

MAX_ROSPECS = 8
BUFFER_TAGS = 4_096
"""Sightings that wait for a report; what comes then is lost, and the client is told."""
WARNING_PERCENT = 90
TAG_S = 0.002
"""Air time of one tag."""
MAX_BEHIND_S = 1.0
"""A paused simulator skips the rounds it missed beyond this instead of sending them in a burst."""


class State(IntEnum):
    """As the ROSpec's state byte says it."""

    DISABLED = 0
    INACTIVE = 1
    ACTIVE = 2


class Move(Enum):
    ENABLE = "enable"
    DISABLE = "disable"
    START = "start"
    STOP = "stop"


TRANSITIONS: dict[State, dict[Move, State]] = {
    State.DISABLED: {Move.ENABLE: State.INACTIVE},
    State.INACTIVE: {Move.DISABLE: State.DISABLED, Move.START: State.ACTIVE},
    State.ACTIVE: {Move.DISABLE: State.DISABLED, Move.STOP: State.INACTIVE},
}
"""{state: {move: next}}; what is not here is refused."""


@dataclass(slots=True)
class Operation:
    """One ROSpec on the reader."""

    spec: RoSpec
    encoded: bytes
    """The value of the ROSpec parameter as the client sent it."""
    report: ReportSpec
    state: State = State.DISABLED
    due: float | None = None
    """When it starts by itself."""
    began: float = 0.0
    inventory: int = 0
    inventory_began: float = 0.0
    rounds: int = 0
    """Of this inventory."""
    tags: int = 0
    """Seen in this inventory."""

    def to_bytes(self) -> bytes:
        return tlv(Tlv.ROSPEC, self.encoded[:5], bytes((self.state,)), self.encoded[6:])


class RoSpecs:
    """All ROSpecs and the buffer of sightings. `events` and `reports` wait for the session to send them."""

    def __init__(self, antennas: int, round_s: float) -> None:
        self.operations: dict[int, Operation] = {}
        self.events: list[tuple[int, bytes]] = []
        """(which 244 event type lets it through, parameter)"""
        self.reports: list[bytes] = []
        """Bodies of RO_ACCESS_REPORT."""
        self.holding = False
        """While set, sightings stay in the buffer."""
        self._antennas = antennas
        self._round_s = round_s
        self._next_round = 0.0
        self._buffer: dict[tuple[int, bytes, int], TagSighting] = {}
        self._warned = False

    def add(self, spec: RoSpec, encoded: bytes, report: ReportSpec) -> str:
        """What is wrong, or nothing."""
        if spec.id in self.operations:
            return f"ROSpec {spec.id} exists"
        if len(self.operations) >= MAX_ROSPECS:
            return f"no more than {MAX_ROSPECS} ROSpecs"
        if any(antenna > self._antennas for inventory in spec.inventories for antenna in inventory.antennas):
            return f"the reader has {self._antennas} antennas"
        self.operations[spec.id] = Operation(spec, encoded, report)
        return ""

    def delete(self, rospec: int, now: float) -> str:
        """0 deletes all, also when there are none."""
        found = self._named(rospec)
        for operation in found:
            if operation.state is State.ACTIVE:
                self._end(operation, now)
            del self.operations[operation.spec.id]
        return "" if found or not rospec else f"no ROSpec {rospec}"

    def move(self, move: Move, rospec: int, now: float) -> str:
        """A client's command; what is wrong, or nothing. 0 moves all that can be moved."""
        found = self._named(rospec)
        if not found and rospec:
            return f"no ROSpec {rospec}"
        for operation in found:
            if move not in TRANSITIONS[operation.state]:
                if rospec:
                    return f"ROSpec {rospec} is {operation.state.name.lower()}: it cannot {move.value}"
                continue
            if move is Move.START and not self._make_way(operation, now):
                return "another ROSpec is active"
            self._move(operation, move, now)
        return ""

    def tick(self, now: float, tags: Sequence[FieldTag]) -> None:
        """All that happens up to `now`: starts that are due, rounds, ends."""
        self._next_round = max(self._next_round, now - MAX_BEHIND_S)
        while True:
            self._start_due(now)
            active = self._active()
            if active is None or self._next_round > now:
                return
            seen = self._round(active, tags, self._next_round)
            self._next_round += self._round_s + TAG_S * seen
            self._after_round(active, self._next_round)

    def take_buffer(self) -> bytes:
        """Everything that was seen and not reported, as one report's body; the buffer is empty then."""
        body = b"".join(self._encoded(sighting) for sighting in self._buffer.values())
        self._buffer.clear()
        self._warned = False
        return body

    def release(self) -> None:
        """Reports may go out again: those that were held go first, in portions that any client takes."""
        self.holding = False
        for sighting in self._buffer.values():
            self.reports.append(self._encoded(sighting))
        self._buffer.clear()

    def _named(self, rospec: int) -> list[Operation]:
        return [o for o in self.operations.values() if rospec in (0, o.spec.id)]

    def _active(self) -> Operation | None:
        return next((o for o in self.operations.values() if o.state is State.ACTIVE), None)

    def _make_way(self, operation: Operation, now: float) -> bool:
        active = self._active()
        if active is None:
            return True
        if operation.spec.priority >= active.spec.priority:
            return False
        self._end(active, now, preempted_by=operation.spec.id)
        if active.spec.start == StartTrigger.IMMEDIATE:
            active.due = now
        return True

    def _move(self, operation: Operation, move: Move, now: float) -> None:
        operation.due = None
        if move is Move.START:
            self._start(operation, now)
        elif operation.state is State.ACTIVE:
            self._end(operation, now)
            operation.state = TRANSITIONS[State.ACTIVE][move]
        else:
            operation.state = TRANSITIONS[operation.state][move]
        if move is Move.ENABLE:
            operation.due = _first_start(operation.spec, now)
            self._start_due(now)

    def _start_due(self, now: float) -> None:
        waiting = [o for o in self.operations.values() if o.state is State.INACTIVE]
        for operation in sorted(waiting, key=lambda o: o.spec.priority):
            if operation.due is not None and operation.due <= now and self._make_way(operation, now):
                self._start(operation, now)

    def _start(self, operation: Operation, now: float) -> None:
        spec = operation.spec
        periodic = spec.start == StartTrigger.PERIODIC and operation.due is not None and spec.period_ms
        operation.due = (operation.due or now) + spec.period_ms / 1000 if periodic else None
        operation.state = TRANSITIONS[operation.state][Move.START]
        operation.began = operation.inventory_began = now
        operation.inventory = operation.rounds = operation.tags = 0
        self._next_round = now + self._round_s
        self.events.append((_ROSPEC, _rospec_event(0, spec.id, 0)))

    def _end(self, operation: Operation, now: float, *, preempted_by: int = 0) -> None:
        operation.state = TRANSITIONS[State.ACTIVE][Move.STOP]
        if operation.report.trigger != ReportTrigger.NONE:
            self._report(operation, at_end=operation.report.trigger == ReportTrigger.N_OR_END_OF_ROSPEC)
        self.events.append((_ROSPEC, _rospec_event(2 if preempted_by else 1, operation.spec.id, preempted_by)))
        spec = operation.spec
        if spec.start == StartTrigger.PERIODIC and operation.due is not None and operation.due < now:
            missed = (now - operation.due) // (spec.period_ms / 1000) + 1
            operation.due += missed * spec.period_ms / 1000

    def _round(self, operation: Operation, tags: Sequence[FieldTag], at: float) -> int:
        antennas = operation.spec.inventories[operation.inventory].antennas
        everywhere = ALL_ANTENNAS in antennas
        seen = 0
        for tag in tags:
            if tag.antenna <= self._antennas and (everywhere or tag.antenna in antennas):
                seen += 1
                self._see(operation, tag, int(at * 1_000_000))
                every = operation.report.every
                if operation.report.trigger != ReportTrigger.NONE and every and len(self._buffer) >= every:
                    self._report(operation, at_end=False)
        operation.rounds += 1
        operation.tags += seen
        return seen

    def _see(self, operation: Operation, tag: FieldTag, at_us: int) -> None:
        key = (operation.spec.id, tag.epc, tag.antenna)
        before = self._buffer.get(key)
        if before is None and len(self._buffer) >= BUFFER_TAGS:
            self.events.append((_BUFFER, tlv(Tlv.BUFFER_OVERFLOW)))
            return
        rssi_dbm = round(tag.rssi_dbm)
        self._buffer[key] = TagSighting(
            epc=tag.epc,
            antenna=tag.antenna,
            rssi_dbm=max(rssi_dbm, before.rssi_dbm) if before else rssi_dbm,
            first_us=before.first_us if before else at_us,
            last_us=at_us,
            count=before.count + 1 if before else 1,
            rospec=operation.spec.id,
            spec_index=operation.inventory + 1,
            inventory_spec=operation.spec.inventories[operation.inventory].inventory_spec,
            channel=1,
        )
        if not self._warned and len(self._buffer) * 100 >= BUFFER_TAGS * WARNING_PERCENT:
            self._warned = True
            self.events.append((_BUFFER, tlv(Tlv.BUFFER_LEVEL_WARNING, bytes((WARNING_PERCENT,)))))

    def _report(self, operation: Operation, *, at_end: bool) -> None:
        """An end with nothing to report is an empty report, when the client asked for a report at this end only."""
        if not self.holding and (self._buffer or (at_end and not operation.report.every)):
            self.reports.append(self.take_buffer())

    def _encoded(self, sighting: TagSighting) -> bytes:
        operation = self.operations.get(sighting.rospec)
        report = operation.report if operation is not None else ReportSpec()
        return sighting.to_bytes(report.fields, report.memory)

    def _after_round(self, operation: Operation, at: float) -> None:
        spec = operation.spec
        if spec.stop == StopTrigger.DURATION and at - operation.began >= spec.duration_ms / 1000:
            self._end(operation, at)
            self._again(operation, at)
        elif self._inventory_done(operation, at):
            if operation.report.trigger == ReportTrigger.N_OR_END_OF_AISPEC:
                self._report(operation, at_end=True)
            end = spec.id.to_bytes(4, "big") + (operation.inventory + 1).to_bytes(2, "big")
            self.events.append((_AISPEC, tlv(Tlv.AISPEC_EVENT, b"\x00", end)))
            operation.inventory += 1
            operation.inventory_began, operation.rounds, operation.tags = at, 0, 0
            if operation.inventory == len(spec.inventories):
                self._end(operation, at)
                self._again(operation, at)

    def _inventory_done(self, operation: Operation, at: float) -> bool:
        inventory = operation.spec.inventories[operation.inventory]
        timed_out = at - operation.inventory_began >= inventory.duration_ms / 1000
        if inventory.stop == StopTrigger.TAG_OBSERVATION:
            return bool(operation.tags >= inventory.tags > 0 or (inventory.duration_ms and timed_out))
        return inventory.stop == StopTrigger.DURATION and timed_out

    def _again(self, operation: Operation, at: float) -> None:
        """An immediate trigger is always satisfied: the ROSpec that came to its end starts anew."""
        if operation.spec.start == StartTrigger.IMMEDIATE:
            operation.due = at


_ROSPEC, _BUFFER, _AISPEC = 2, 3, 6
"""Event types (245) that let ROSpec, buffer and AISpec events through."""


def _first_start(spec: RoSpec, now: float) -> float | None:
    if spec.start == StartTrigger.IMMEDIATE:
        return now
    return now + spec.offset_ms / 1000 if spec.start == StartTrigger.PERIODIC else None


def _rospec_event(kind: int, rospec: int, preempted_by: int) -> bytes:
    return tlv(Tlv.ROSPEC_EVENT, bytes((kind,)), rospec.to_bytes(4, "big"), preempted_by.to_bytes(4, "big"))
