"""What a reader says about itself: status of a command, capabilities, events.

    287 status: code u16, text length u16, UTF-8, [288 field error: field u16, code u16], [289]
    137 general: antennas u16, flags u16, maker u32 (IANA), model u32, firmware length u16, UTF-8, …
    246 event: 128 UTC µs u64 (or 129 uptime), then one parameter for each event

Source: LLRP 1.0.1 §9.2, §13.2.6, §14.2, §16.2.2, §16.2.7.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum

from trace_core.errors import FrameError
from trace_core.readers._base import DeviceEvent, DeviceState
from trace_core.readers.llrp.parameters import Tlv, at_least, at_most_one, one, parameters, tlv, u16, u32

MAX_TEXT = 500
"""Bytes of a reader's text that are kept."""


class StatusCode(IntEnum):
    SUCCESS = 0
    PARAMETER_ERROR = 100
    FIELD_ERROR = 101
    MISSING_PARAMETER = 103
    UNSUPPORTED_MESSAGE = 109
    UNSUPPORTED_VERSION = 110
    DEVICE_ERROR = 401


class Attempt(IntEnum):
    """Status of a connection attempt (256)."""

    ACCEPTED = 0
    READER_CONNECTION_EXISTS = 1
    CLIENT_CONNECTION_EXISTS = 2
    REFUSED = 3
    ANOTHER_ATTEMPTED = 4


@dataclass(frozen=True, slots=True)
class Status:
    """LLRPStatus (287)."""

    code: int
    text: str = ""

    def to_bytes(self) -> bytes:
        text = self.text.encode()[:MAX_TEXT]
        return tlv(Tlv.LLRP_STATUS, self.code.to_bytes(2, "big"), len(text).to_bytes(2, "big"), text)

    @classmethod
    def of(cls, body: bytes, fixed: int = 0) -> Status:
        """The status in a response's body. Raises `FrameError`."""
        value = one(list(parameters(body, fixed)), Tlv.LLRP_STATUS)
        if len(value) < 4 or len(value) < 4 + u16(value, 2):
            raise FrameError("a status that is cut short")
        return cls(u16(value, 0), _text(value, 2))

    def __str__(self) -> str:
        return f"{self.code} {self.text}".strip()


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What of GET_READER_CAPABILITIES_RESPONSE matters to a client."""

    antennas: int
    maker: int
    model: int
    firmware: str
    power_dbm: Mapping[int, float]
    """Index → transmit power; clients name powers by index."""
    hop_table: int
    """0: the reader does not hop, and a channel must be named."""

    @classmethod
    def of(cls, body: bytes) -> Capabilities:
        """Raises `FrameError`."""
        inside = list(parameters(body))
        general = one(inside, Tlv.GENERAL_CAPABILITIES)
        if len(general) < 14 or len(general) < 14 + u16(general, 12):
            raise FrameError("general capabilities that are cut short")
        regulatory = at_most_one(inside, Tlv.REGULATORY_CAPABILITIES)
        band = at_most_one(list(parameters(regulatory, 4)), Tlv.UHF_BAND_CAPABILITIES) if regulatory else None
        entries = list(parameters(band)) if band else []
        powers = [value for kind, value in entries if kind == Tlv.TRANSMIT_POWER_ENTRY and len(value) >= 4]
        return cls(
            antennas=u16(general, 0),
            maker=u32(general, 4),
            model=u32(general, 8),
            firmware=_text(general, 12),
            power_dbm={u16(value, 0): int.from_bytes(value[2:4], "big", signed=True) / 100 for value in powers},
            hop_table=_hop_table(at_most_one(entries, Tlv.FREQUENCY_INFORMATION)),
        )

    def __str__(self) -> str:
        return f"maker {self.maker}, model {self.model}, firmware {self.firmware}, {self.antennas} antennas"


@dataclass(frozen=True, slots=True)
class Notification:
    """READER_EVENT_NOTIFICATION (63), as far as a client acts on it."""

    attempt: int | None
    ended_rospecs: tuple[int, ...]
    """ROSpecs that ended or were pushed aside."""
    reports: tuple[DeviceEvent, ...]

    @classmethod
    def of(cls, body: bytes) -> Notification:
        """Unknown events are left out. Raises `FrameError`."""
        events = list(parameters(one(list(parameters(body)), Tlv.READER_EVENT_DATA)))
        attempt = at_most_one(events, Tlv.CONNECTION_ATTEMPT)
        return cls(
            attempt=u16(at_least(attempt, 2), 0) if attempt is not None else None,
            ended_rospecs=tuple(
                u32(value, 1) for kind, value in events if kind == Tlv.ROSPEC_EVENT and at_least(value, 9)[0]
            ),
            reports=tuple(_REPORTS[kind](value) for kind, value in events if kind in _REPORTS),
        )


def notification(now_us: int, *events: bytes) -> bytes:
    """The body of message 63."""
    return tlv(Tlv.READER_EVENT_DATA, tlv(Tlv.UTC_TIMESTAMP, now_us.to_bytes(8, "big")), *events)


def _antenna(value: bytes) -> DeviceEvent:
    number = u16(at_least(value, 3), 1)
    if value[0]:
        return DeviceEvent(DeviceState.ONLINE, f"antenna {number} is connected")
    return DeviceEvent(DeviceState.FAULT, f"antenna {number} is not connected")


def _exception(value: bytes) -> DeviceEvent:
    return DeviceEvent(DeviceState.FAULT, f"reader exception: {_text(at_least(value, 2), 0)}")


_REPORTS: dict[int, Callable[[bytes], DeviceEvent]] = {
    Tlv.BUFFER_LEVEL_WARNING: lambda value: DeviceEvent(
        DeviceState.DATA_LOSS, f"loss is near: the report buffer is {at_least(value, 1)[0]} % full"
    ),
    Tlv.BUFFER_OVERFLOW: lambda _: DeviceEvent(DeviceState.DATA_LOSS, "the report buffer overflowed"),
    Tlv.READER_EXCEPTION: _exception,
    Tlv.ANTENNA_EVENT: _antenna,
    Tlv.CONNECTION_CLOSED: lambda _: DeviceEvent(DeviceState.FAULT, "the reader closes the connection"),
}


def refusal(attempt: int) -> DeviceEvent:
    """What a connection attempt's status other than `ACCEPTED` means."""
    reason = _ATTEMPTS.get(attempt, f"status {attempt}")
    return DeviceEvent(DeviceState.FAULT, f"connection refused: {reason}")


_ATTEMPTS: dict[int, str] = {
    Attempt.READER_CONNECTION_EXISTS: "the reader itself has opened a connection",
    Attempt.CLIENT_CONNECTION_EXISTS: "another client is connected",
    Attempt.REFUSED: "no reason given",
    Attempt.ANOTHER_ATTEMPTED: "another client tries to connect",
}


def _hop_table(information: bytes | None) -> int:
    """The id of the first hop table when the reader hops."""
    if not information or not information[0] & 0x80:
        return 0
    tables = [value for kind, value in parameters(information, 1) if kind == Tlv.FREQUENCY_HOP_TABLE and value]
    return tables[0][0] if tables else 0


def _text(value: bytes, at: int) -> str:
    """A u16 length at `at`, then UTF-8."""
    return value[at + 2 : at + 2 + min(MAX_TEXT, u16(value, at))].decode("utf-8", "replace")
