"""What a client tells a reader to do: ROSpec with its triggers, report and keepalive settings.

    177 ROSpec: id u32, priority u8, state u8, 178, 183 AISpec …, [237]
    178 boundary: 179 start (type u8, [180: offset u32, period u32]), 182 stop (type u8, duration u32 ms)
    183 AISpec: count u16, antennas u16 …, 184 stop (type u8, duration u32 ms, [185]), 186 …
    186: id u16, protocol u8, [222: antenna u16, [223], [224: hop table u16, channel u16, power index u16],
         [330: flags u8, [335: mode u16, Tari u16], [336: session u8 (top bits), population u16, transit u32]]]
    237 report: trigger u8, N u16, 238: bit flags u16, [348: bit flags u8]

Unknown TLVs (vendors' 1023 among them) are skipped. Source: LLRP 1.0.1 §10, §13, §16.2.4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from trace_core.errors import FrameError
from trace_core.readers.llrp.parameters import Tlv, at_least, at_most_one, one, parameters, tlv, u16, u32

GEN2 = 1
"""Air protocol EPCglobal Class 1 Generation 2."""
MAX_PRIORITY = 7
ALL_ANTENNAS = 0
TAG_FIELDS = 0x1780
"""238: antenna, peak RSSI, first and last seen, seen count."""
TAG_MEMORY = 0xC0
"""348: the tag's CRC and PC."""


class StartTrigger(IntEnum):
    NONE = 0
    IMMEDIATE = 1
    PERIODIC = 2


class StopTrigger(IntEnum):
    """Of a ROSpec and of an AISpec."""

    NONE = 0
    DURATION = 1
    TAG_OBSERVATION = 3
    """AISpec only."""


class ReportTrigger(IntEnum):
    NONE = 0
    N_OR_END_OF_AISPEC = 1
    N_OR_END_OF_ROSPEC = 2


class EventType(IntEnum):
    HOPPING = 0
    GPI = 1
    ROSPEC = 2
    BUFFER_WARNING = 3
    EXCEPTION = 4
    RF_SURVEY = 5
    AISPEC = 6
    AISPEC_DETAILS = 7
    ANTENNA = 8


@dataclass(frozen=True, slots=True)
class ReportSpec:
    """When and what a reader reports. `every` 0: only at the end that the trigger names."""

    trigger: int = ReportTrigger.N_OR_END_OF_AISPEC
    every: int = 1
    fields: int = TAG_FIELDS
    memory: int = TAG_MEMORY

    def to_bytes(self) -> bytes:
        memory = tlv(Tlv.C1G2_REPORT_SELECTOR, bytes((self.memory,)))
        selector = tlv(Tlv.TAG_REPORT_SELECTOR, self.fields.to_bytes(2, "big"), memory)
        return tlv(Tlv.RO_REPORT_SPEC, bytes((self.trigger,)), self.every.to_bytes(2, "big"), selector)

    @classmethod
    def from_value(cls, value: bytes) -> ReportSpec:
        """Raises `FrameError`."""
        selector = one(list(parameters(at_least(value, 3), 3)), Tlv.TAG_REPORT_SELECTOR)
        memory = at_most_one(list(parameters(at_least(selector, 2), 2)), Tlv.C1G2_REPORT_SELECTOR)
        if value[0] not in tuple(ReportTrigger):
            raise FrameError(f"report trigger {value[0]} is not supported")
        return cls(value[0], u16(value, 1), u16(selector, 0), at_least(memory, 1)[0] if memory is not None else 0)


@dataclass(frozen=True, slots=True)
class AiSpec:
    """One antenna inventory. `duration_ms` of a tag observation is its time-out; 0: without."""

    antennas: tuple[int, ...] = (ALL_ANTENNAS,)
    stop: int = StopTrigger.NONE
    duration_ms: int = 0
    tags: int = 0
    inventory_spec: int = 1
    configuration: bytes = b""
    """222 parameters, encoded."""

    def to_bytes(self) -> bytes:
        ids = b"".join(antenna.to_bytes(2, "big") for antenna in self.antennas)
        stop = tlv(Tlv.AI_STOP_TRIGGER, bytes((self.stop,)), self.duration_ms.to_bytes(4, "big"))
        inventory = tlv(Tlv.INVENTORY_SPEC, self.inventory_spec.to_bytes(2, "big"), bytes((GEN2,)), self.configuration)
        return tlv(Tlv.AI_SPEC, len(self.antennas).to_bytes(2, "big"), ids, stop, inventory)

    @classmethod
    def from_value(cls, value: bytes) -> AiSpec:
        """Raises `FrameError`."""
        count = u16(at_least(value, 2), 0)
        start = 2 + 2 * count
        at_least(value, start)
        inside = list(parameters(value, start))
        stop = at_least(one(inside, Tlv.AI_STOP_TRIGGER), 5)
        kind, duration_ms, tags = stop[0], u32(stop, 1), 0
        if kind not in tuple(StopTrigger):
            raise FrameError(f"AISpec stop trigger {kind} is not supported")
        if kind == StopTrigger.TAG_OBSERVATION:
            seen = at_least(one(list(parameters(stop, 5)), Tlv.TAG_OBSERVATION_TRIGGER), 12)
            tags, duration_ms = u16(seen, 2), u32(seen, 8)
        specs = [spec for this, spec in inside if this == Tlv.INVENTORY_SPEC]
        if not specs or any(len(spec) < 3 or spec[2] != GEN2 for spec in specs):
            raise FrameError("an AISpec needs an inventory of Gen2 tags")
        if not count:
            raise FrameError("an AISpec needs an antenna")
        antennas = tuple(u16(value, 2 + 2 * i) for i in range(count))
        return cls(antennas, kind, duration_ms, tags, u16(specs[0], 0), specs[0][3:])

    def powers(self) -> list[int]:
        """The indices into the power table that its antennas are set to. Raises `FrameError`."""
        antennas = [value for kind, value in parameters(self.configuration) if kind == Tlv.ANTENNA_CONFIGURATION]
        settings = [setting for value in antennas for setting in parameters(at_least(value, 2), 2)]
        return [u16(at_least(value, 6), 4) for kind, value in settings if kind == Tlv.RF_TRANSMITTER]


@dataclass(frozen=True, slots=True)
class RoSpec:
    """A reader operation. `report` None: as SET_READER_CONFIG said."""

    id: int
    priority: int = 0
    start: int = StartTrigger.IMMEDIATE
    offset_ms: int = 0
    period_ms: int = 0
    stop: int = StopTrigger.NONE
    duration_ms: int = 0
    inventories: tuple[AiSpec, ...] = (AiSpec(),)
    report: ReportSpec | None = None

    def to_bytes(self) -> bytes:
        """Disabled, as ADD_ROSPEC wants it."""
        periodic = b""
        if self.start == StartTrigger.PERIODIC:
            periodic = tlv(Tlv.PERIODIC_TRIGGER, self.offset_ms.to_bytes(4, "big"), self.period_ms.to_bytes(4, "big"))
        boundary = tlv(
            Tlv.RO_BOUNDARY,
            tlv(Tlv.RO_START_TRIGGER, bytes((self.start,)), periodic),
            tlv(Tlv.RO_STOP_TRIGGER, bytes((self.stop,)), self.duration_ms.to_bytes(4, "big")),
        )
        head = self.id.to_bytes(4, "big") + bytes((self.priority, 0))
        report = self.report.to_bytes() if self.report is not None else b""
        return tlv(Tlv.ROSPEC, head, boundary, *(spec.to_bytes() for spec in self.inventories), report)

    @classmethod
    def from_value(cls, value: bytes) -> RoSpec:
        """Raises `FrameError` also for what the simulated reader cannot do."""
        inside = list(parameters(at_least(value, 6), 6))
        boundary = list(parameters(one(inside, Tlv.RO_BOUNDARY)))
        start = at_least(one(boundary, Tlv.RO_START_TRIGGER), 1)
        stop = at_least(one(boundary, Tlv.RO_STOP_TRIGGER), 5)
        if not u32(value, 0) or value[4] > MAX_PRIORITY or value[5]:
            raise FrameError("a ROSpec is added with an id, a priority of 0 to 7, and disabled")
        if start[0] not in tuple(StartTrigger) or stop[0] not in (StopTrigger.NONE, StopTrigger.DURATION):
            raise FrameError(f"ROSpec triggers {start[0]} and {stop[0]} are not supported")
        offset_ms, period_ms = _periodic(start) if start[0] == StartTrigger.PERIODIC else (0, 0)
        inventories = tuple(AiSpec.from_value(spec) for kind, spec in inside if kind == Tlv.AI_SPEC)
        if not inventories:
            raise FrameError("a ROSpec needs an AISpec")
        report = at_most_one(inside, Tlv.RO_REPORT_SPEC)
        return cls(
            id=u32(value, 0),
            priority=value[4],
            start=start[0],
            offset_ms=offset_ms,
            period_ms=period_ms,
            stop=stop[0],
            duration_ms=u32(stop, 1),
            inventories=inventories,
            report=ReportSpec.from_value(report) if report is not None else None,
        )


def antenna_configuration(
    antenna: int, *, hop_table: int, channel: int, power: int | None, session: int | None
) -> bytes:
    """222 for one antenna (0: all); absent values leave the reader's own setting."""
    parts = [antenna.to_bytes(2, "big")]
    if power is not None:
        transmitter = (hop_table, channel, power)
        parts.append(tlv(Tlv.RF_TRANSMITTER, *(value.to_bytes(2, "big") for value in transmitter)))
    if session is not None:
        singulation = tlv(
            Tlv.C1G2_SINGULATION_CONTROL,
            bytes((session << 6,)),
            TAG_POPULATION.to_bytes(2, "big"),
            bytes(4),
        )
        parts.append(tlv(Tlv.C1G2_INVENTORY_COMMAND, b"\x00", singulation))
    return tlv(Tlv.ANTENNA_CONFIGURATION, *parts)


TAG_POPULATION = 32
"""Tags that a reader shall expect in its field: it begins with a round of about as many slots."""


def event_spec(enabled: Sequence[int]) -> bytes:
    """244: exactly these event types are on."""
    states = (tlv(Tlv.EVENT_STATE, kind.to_bytes(2, "big"), bytes((0x80,))) for kind in enabled)
    return tlv(Tlv.READER_EVENT_SPEC, *states)


def events_of(value: bytes) -> dict[int, bool]:
    """244 → which event types it switches on or off. Raises `FrameError`."""
    states = [at_least(state, 3) for kind, state in parameters(value) if kind == Tlv.EVENT_STATE]
    return {u16(state, 0): bool(state[2] & 0x80) for state in states}


def gpo_write_data(number: int, *, high: bool) -> bytes:
    """219: port u16, level in the top bit."""
    return tlv(Tlv.GPO_WRITE_DATA, number.to_bytes(2, "big"), bytes((0x80 if high else 0,)))


def gpo_of(value: bytes) -> tuple[int, bool]:
    """Port and level. Raises `FrameError`."""
    if len(value) != 3:
        raise FrameError("GPOWriteData has 3 bytes")
    return u16(value, 0), value[2] >= 0x80


def keepalive_spec(period_ms: int) -> bytes:
    """220; 0 ms: no keepalives."""
    return tlv(Tlv.KEEPALIVE_SPEC, bytes((1 if period_ms else 0,)), period_ms.to_bytes(4, "big"))


def keepalive_of(value: bytes) -> int:
    """220 → milliseconds, 0 when off. Raises `FrameError`."""
    period_ms = u32(at_least(value, 5), 1)
    if value[0] > 1 or (value[0] and not period_ms):
        raise FrameError(f"keepalive of type {value[0]} every {period_ms} ms")
    return period_ms if value[0] else 0


def _periodic(start: bytes) -> tuple[int, int]:
    value = at_least(one(list(parameters(start, 1)), Tlv.PERIODIC_TRIGGER), 8)
    offset_ms, period_ms = u32(value, 0), u32(value, 4)
    if not period_ms and not offset_ms:
        raise FrameError("a periodic trigger without offset and period")
    return offset_ms, period_ms
