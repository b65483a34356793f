"""Both sessions of one protocol joined by two cables, on a clock that the test turns."""

from __future__ import annotations

import gc
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from trace_core.readers._base import (
    BadBytes,
    CodeRead,
    DeviceEvent,
    FieldTag,
    HostOutput,
    HostSession,
    Identity,
    ReaderProtocol,
    Send,
    TagRead,
)

Carry: TypeAlias = Callable[[bytes], list[bytes]]
STEP_S = 0.01
START_S = 1_800_000_000.0
"""Some Unix time: devices with a clock put it into their reports."""


def perfect(data: bytes) -> list[bytes]:
    return [data] if data else []


def byte_by_byte(data: bytes) -> list[bytes]:
    return [data[i : i + 1] for i in range(len(data))]


class Rig:
    """`run` lets time pass; what the host said is in `reads`, `bad` and `events`."""

    def __init__(
        self,
        protocol: ReaderProtocol,
        *,
        host: Mapping[str, object] | None = None,
        device: Mapping[str, object] | None = None,
        out: Carry = perfect,
        back: Carry = perfect,
    ) -> None:
        self.now = START_S
        self.host = protocol.host(host or {})
        self.device = protocol.device(device or {})
        self.tags: list[FieldTag] = []
        self.unplugged = False
        self.reads: list[TagRead] = []
        self.codes: list[CodeRead] = []
        self.bad: list[BadBytes] = []
        self.events: list[DeviceEvent] = []
        self.sent: list[bytes] = []
        self._out = out
        self._back = back
        self._started = False

    def run(self, seconds: float) -> Rig:
        if not self._started:
            self._started = True
            self._take(self.host.start(self.now))
        for _ in range(round(seconds / STEP_S)):
            self.now += STEP_S
            for frame in self.device.tick(self.now, self.tags):
                self._deliver(frame)
            self._take(self.host.tick(self.now))
        return self

    def epcs(self) -> set[bytes]:
        return {read.epc for read in self.reads}

    def states(self) -> list[str]:
        return [event.state.value for event in self.events]

    def _deliver(self, frame: bytes) -> None:
        for piece in self._out(frame) if not self.unplugged else ():
            self._take(self.host.receive(piece, self.now))

    def _take(self, outputs: Sequence[HostOutput]) -> None:
        for output in outputs:
            if isinstance(output, Send):
                self.sent.append(output.data)
                for piece in self._back(output.data) if not self.unplugged else ():
                    self._deliver(self.device.receive(piece, self.now))
            elif isinstance(output, TagRead):
                self.reads.append(output)
            elif isinstance(output, CodeRead):
                self.codes.append(output)
            elif isinstance(output, BadBytes):
                self.bad.append(output)
            else:
                self.events.append(output)


def heard(session: HostSession, pieces: Iterable[bytes], now: float = START_S) -> list[HostOutput]:
    """Everything that `session` makes of `pieces`, until nothing more can come."""
    out: list[HostOutput] = []
    for piece in pieces:
        out += session.receive(piece, now)
    for _ in range(3):
        now += 0.1
        out += session.tick(now)
    return out


def reads_of(outputs: Iterable[HostOutput]) -> list[TagRead]:
    return [output for output in outputs if isinstance(output, TagRead)]


def bad_of(outputs: Iterable[HostOutput]) -> list[BadBytes]:
    return [output for output in outputs if isinstance(output, BadBytes)]


def population(seed: int, count: int = 40, protocol: ReaderProtocol | None = None) -> list[FieldTag]:
    """Tags for `protocol`: EPCs of 32 to 496 bits, or UIDs. Many are full of bytes that are marks somewhere."""
    rng = random.Random(seed)
    marks = bytes.fromhex("BBAA7EDDA0FF")
    tags = []
    for number in range(count):
        size = 2 * rng.randrange(2, 32) if number % 2 else 12
        epc = bytes(rng.choice(marks) if rng.random() < 0.5 else rng.randrange(256) for _ in range(size))
        if protocol is not None and protocol.identity is Identity.UID:
            epc = (b"\xe0" + epc * 2)[:8]
        tags.append(FieldTag(epc, antenna=1 + number % 4, rssi_dbm=-rng.randrange(30, 90)))
    return tags


def frames_of(protocol: ReaderProtocol, tags: Sequence[FieldTag], seconds: float) -> list[bytes]:
    """What a real device session sends in `seconds` with `tags` in its field."""
    rig = Rig(protocol)
    rig.tags = list(tags)
    sent: list[bytes] = []

    def record(frame: bytes) -> list[bytes]:
        sent.append(frame)
        return [frame]

    rig._out = record
    rig.run(seconds)
    return sent


def held_bytes(session: object) -> int:
    """Bytes in all buffers that can be reached from a session."""
    seen: set[int] = set()
    waiting: list[object] = [session]
    total = 0
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if isinstance(thing, bytes | bytearray):
            total += len(thing)
        elif isinstance(thing, dict | list | tuple | set | frozenset) or _is_ours(thing):
            waiting += gc.get_referents(thing)
    return total


def _is_ours(thing: object) -> bool:
    return not isinstance(thing, type) and type(thing).__module__.startswith(("trace_core.readers", "collections"))
