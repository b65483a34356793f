"""One simulated reader at the end of its cable: the device, what is wrong with the cable, what happens to both.

No I/O and no clock: a live run (`fleet.py`) and a rehearsal (`rehearsal.py`) turn it alike. Times: `at_s` is the
scenario's clock, `now` Unix seconds.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from firmware_sim.device import RSSI_SPREAD_DB, LineSpeed
from firmware_sim.faults import Cable, CableFaults, Post, PostFaults
from trace_core.readers._base import DeviceSession, FieldTag, ReaderProtocol

FOREVER_S = float("inf")


class IncidentKind(StrEnum):
    UNPLUG = "unplug"
    """The cable is pulled, and plugged in again after `for_s`."""
    REBOOT = "reboot"
    """The power is away for `for_s`: what is volatile is lost."""
    BAUD = "baud"
    """The reader speaks at `baud` for `for_s`: both ends hear noise unless the host follows."""
    SKEW = "skew"
    """The reader's clock steps by `by_s`."""


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that happens to one reader; `for_s` 0 is for ever (`skew` has no end)."""

    kind: IncidentKind
    at_s: float
    for_s: float = 0.0
    baud: int = 0
    by_s: float = 0.0

    @property
    def until_s(self) -> float:
        return self.at_s + self.for_s if self.for_s else FOREVER_S


@dataclass(frozen=True, slots=True)
class Passage:
    """One tag in the field from `arrive_s` for `stay_s` seconds."""

    tag: FieldTag
    arrive_s: float
    stay_s: float

    def is_present(self, at_s: float, repeat_s: float) -> bool:
        """Whether the tag is in the field `at_s` seconds after the start; every `repeat_s` it all comes again."""
        moment = at_s % repeat_s if repeat_s else at_s
        return self.arrive_s <= moment < self.arrive_s + self.stay_s


@dataclass(frozen=True, slots=True)
class ReaderPlan:
    """One reader of a scenario. `skew_s` and `drift_ppm` are what is wrong with its clock from the start."""

    id: str
    protocol: ReaderProtocol
    endpoint: str
    options: Mapping[str, object]
    faults: CableFaults | PostFaults | None = None
    incidents: tuple[Incident, ...] = ()
    skew_s: float = 0.0
    drift_ppm: float = 0.0
    passages: tuple[Passage, ...] = ()
    site: str = ""


class Carrier(Protocol):
    """`faults.Cable` or `faults.Post`."""

    damaged: int

    def carry(self, frame: bytes, /) -> list[bytes]: ...


class Line:
    """The device's side of one cable."""

    def __init__(self, plan: ReaderPlan, seed: int, *, repeat_s: float = 0.0) -> None:
        self.plan = plan
        self.session: DeviceSession = plan.protocol.device(plan.options)
        self.is_plugged = True
        self._is_powered = True
        self._random = random.Random(f"{seed} {plan.id}")  # noqa: S311 - repeatable, not a secret
        self._out, self._back = (_carrier(plan.faults, self._random.getrandbits(64)) for _ in range(2))
        self._repeat_s = repeat_s
        self._begun: float | None = None
        self._stepped_s = plan.skew_s
        self._forced_baud = 0
        self._pending = [(i.at_s, 0, i) for i in plan.incidents]
        self._pending += [(i.until_s, 1, i) for i in plan.incidents if i.for_s and i.kind is not IncidentKind.SKEW]
        self._pending.sort(key=lambda entry: entry[:2])
        self._field: tuple[FieldTag, ...] = ()
        self._looked_up_s = self._field_until_s = -1.0

    @property
    def damaged(self) -> int:
        """Frames of the reader that did not come through as they were sent."""
        return self._out.damaged if self._out is not None else 0

    @property
    def is_quiet(self) -> bool:
        """No cable or no power."""
        return not (self.is_plugged and self._is_powered)

    @property
    def baud(self) -> int:
        """Line speed of the reader; 0 where it has none."""
        return self._forced_baud or (self.session.baud if isinstance(self.session, LineSpeed) else 0)

    def advance(self, at_s: float, now: float) -> list[str]:
        """Let happen what is due; said in words: `unplug`, `replug`, `reboot`, `power`, `baud N`, `skew N`."""
        said = []
        while self._pending and self._pending[0][0] <= at_s:
            _, ends, incident = self._pending.pop(0)
            said.append(self._end(incident, now) if ends else self._begin(incident))
        return said

    def hear(self, data: bytes, now: float, host_baud: int = 0) -> list[bytes]:
        """Host bytes → the reply as it arrives there, in pieces."""
        arrived: list[bytes] = []
        if self.is_quiet:
            return arrived
        for piece in self._carried(self._back, data):
            arrived += self._send(self.session.receive(self._at_speed(piece, host_baud), self.clock(now)), host_baud)
        return arrived

    def tick(self, at_s: float, now: float, host_baud: int = 0) -> list[bytes]:
        """What the reader sends unasked, as it arrives at the host."""
        if self.is_quiet:
            return []
        pieces: list[bytes] = []
        for frame in self.session.tick(self.clock(now), self._noisy(self.field(at_s))):
            pieces += self._send(frame, host_baud)
        return pieces

    def clock(self, now: float) -> float:
        """The reader's own clock."""
        if self._begun is None:
            self._begun = now
        return now + self._stepped_s + (now - self._begun) * self.plan.drift_ppm / 1e6

    def field(self, at_s: float) -> tuple[FieldTag, ...]:
        """The tags in the field; looked up anew only when one comes or goes, or when all begins again."""
        if self._looked_up_s <= at_s < self._field_until_s:
            return self._field
        moment = at_s % self._repeat_s if self._repeat_s else at_s
        next_s = self._repeat_s or FOREVER_S
        for passage in self.plan.passages:
            leaves = passage.arrive_s + passage.stay_s
            next_s = min([next_s, *(edge for edge in (passage.arrive_s, leaves) if edge > moment)])
        self._field = tuple(p.tag for p in self.plan.passages if p.is_present(at_s, self._repeat_s))
        self._looked_up_s, self._field_until_s = at_s, at_s + next_s - moment
        return self._field

    def _begin(self, incident: Incident) -> str:
        match incident.kind:
            case IncidentKind.UNPLUG:
                self.is_plugged = False
            case IncidentKind.REBOOT:
                self._is_powered = False
            case IncidentKind.BAUD:
                self._forced_baud = incident.baud
                return f"baud {incident.baud}"
            case IncidentKind.SKEW:
                self._stepped_s += incident.by_s
                return f"skew {incident.by_s:g}"
        return incident.kind.value

    def _end(self, incident: Incident, now: float) -> str:
        if incident.kind is IncidentKind.UNPLUG:
            self.is_plugged = True
            return "replug"
        if incident.kind is IncidentKind.REBOOT:
            self._is_powered = True
            self.session.power_cycle(self.clock(now))
            return "power"
        self._forced_baud = 0
        return f"baud {self.baud}"

    def _send(self, data: bytes, host_baud: int) -> list[bytes]:
        return self._carried(self._out, self._at_speed(data, host_baud)) if data else []

    def _carried(self, carrier: Carrier | None, data: bytes) -> list[bytes]:
        return carrier.carry(data) if carrier is not None else [data]

    def _at_speed(self, data: bytes, host_baud: int) -> bytes:
        """Noise when the two ends of a serial line disagree about its speed."""
        if host_baud in (0, self.baud) or not self.baud:
            return data
        return self._random.randbytes(len(data))

    def _noisy(self, tags: Sequence[FieldTag]) -> list[FieldTag]:
        return [replace(tag, rssi_dbm=tag.rssi_dbm + self._random.gauss(0.0, RSSI_SPREAD_DB)) for tag in tags]


def _carrier(faults: CableFaults | PostFaults | None, seed: int) -> Carrier | None:
    if faults is None:
        return None
    return Post(faults, seed) if isinstance(faults, PostFaults) else Cable(faults, seed)
