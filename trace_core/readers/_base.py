"""The contract of a reader protocol: both ends as sessions without I/O and without a clock.

Bytes go in, outputs come out. "Need more" is an empty answer, never an exception; the waiting buffer has
a maximum. The pump (`gateway_agent.reading`, `firmware_sim.device`) owns the port and the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeAlias, runtime_checkable


@dataclass(frozen=True, slots=True)
class TagRead:
    """One tag seen once. An absent value is None, never 0."""

    epc: bytes
    """EPC memory from word 2 on, without PC and CRC; as many bytes as the PC word says."""
    antenna: int | None = None
    rssi_dbm: float | None = None
    tid: bytes | None = None
    reader_time: datetime | None = None
    """Aware UTC time by the reader's own clock, where it has one."""
    count: int = 1
    reader: str | None = None
    """The reader's own name, where the frame carries one (hostname, serial number)."""


@dataclass(frozen=True, slots=True)
class CodeRead:
    """One printed code (bar code, QR, DataMatrix) scanned once."""

    text: str
    """The payload as it was sent, without the symbology identifier; FNC1 inside it is GS (1D)."""
    symbology: str | None = None
    """AIM identifier as `]d2`; None when the scanner sends none, then `text` is only text."""
    uri: str | None = None
    """GS1 Digital Link on id.gs1.org of an element string, EAN/UPC or Digital Link, qualifiers and attributes
    included; None when the code has no GS1 key."""
    reader: str | None = None


@dataclass(frozen=True, slots=True)
class BadBytes:
    """Bytes that are no frame of this protocol. `reason` is a stable word, `data` is kept for quarantine."""

    reason: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Send:
    """Bytes that the pump must write to the other end now."""

    data: bytes


class DeviceState(StrEnum):
    """What a session can say about the device at the other end."""

    ONLINE = "online"
    """It answered the identify command (opening a port proves nothing)."""
    SILENT = "silent"
    FAULT = "fault"
    DATA_LOSS = "data_loss"
    """The reader says that it dropped reads."""


@dataclass(frozen=True, slots=True)
class DeviceEvent:
    """Something about the device itself, never about goods."""

    state: DeviceState
    detail: str = ""


HostOutput: TypeAlias = TagRead | CodeRead | BadBytes | Send | DeviceEvent


class HostSession(Protocol):
    """The gateway's end of one connection. A reopened port gets a new session."""

    def start(self, now: float) -> Sequence[HostOutput]:
        """Called once when the port opens: stop, drain, identify, configure, begin inventory."""
        ...

    def receive(self, data: bytes, now: float) -> Sequence[HostOutput]:
        """Take bytes as they came (stream) or one whole payload (message). Never raises on bad data."""
        ...

    def tick(self, now: float) -> Sequence[HostOutput]:
        """Called at least every 100 ms: commands that are due, silence, stale partial frames."""
        ...


@runtime_checkable
class SwitchingHost(Protocol):
    """A host session whose reader has output lines (GPO) that the gateway may switch."""

    def set_output(self, number: int, now: float, *, high: bool) -> Sequence[HostOutput]:
        """Switch line `number` as soon as the reader can take the command; only the last wish for a line counts.

        A reader that refuses is reported as a fault, one that does not answer as silent.
        """
        ...


@dataclass(frozen=True, slots=True)
class FieldTag:
    """A tag now in the field of a simulated antenna."""

    epc: bytes
    tid: bytes | None = None
    antenna: int = 1
    rssi_dbm: float = -55.0
    code: str = ""
    """What a scanner sends for the label beside the tag, AIM identifier included; empty where there is none."""


class DeviceSession(Protocol):
    """The simulator's end: behaves like the device, also when the host is wrong."""

    def receive(self, data: bytes, now: float) -> bytes:
        """Host bytes in, the reply out (may be empty)."""
        ...

    def tick(self, now: float, tags: Sequence[FieldTag]) -> Sequence[bytes]:
        """What the device sends unasked at `now` with `tags` in its field; one element a frame or payload."""
        ...

    def power_cycle(self, now: float) -> None:
        """Power was lost and has come back at `now`: what the device keeps stays, everything else is as delivered."""
        ...


@runtime_checkable
class SwitchingDevice(Protocol):
    """A simulated device with output lines; it keeps what it was told, as long as the real one does."""

    def output(self, number: int) -> bool:
        """Whether line `number` is high."""
        ...


class Identity(StrEnum):
    """What the tags of a protocol are known by; it stands in `TagRead.epc` and `FieldTag.epc`."""

    EPC = "epc"
    """EPC memory of a Gen2 tag: 1 to 31 words."""
    UID = "uid"
    """Unique identifier of an ISO 15693 tag: 8 bytes that begin with E0, its TID as well."""


class Transport(StrEnum):
    SERIAL = "serial"
    TCP = "tcp"
    MQTT = "mqtt"


@dataclass(frozen=True, slots=True)
class LineSettings:
    """Serial line defaults."""

    baud: int = 115_200
    bytesize: int = 8
    parity: str = "N"
    stopbits: int = 1


@dataclass(frozen=True, slots=True)
class ReaderProtocol:
    """One reader protocol, as found by the registry under `PROTOCOL`."""

    name: str
    title: str
    transports: tuple[Transport, ...]
    host: Callable[[Mapping[str, object]], HostSession]
    """Options from the gateway's config (already checked against `options`) → a new host session."""
    device: Callable[[Mapping[str, object]], DeviceSession]
    line: LineSettings | None = None
    identity: Identity = Identity.EPC
    framed_by_transport: bool = False
    """True for message protocols (MQTT): `receive` gets one whole payload."""
    outputs: tuple[int, ...] = ()
    """Numbers of the output lines that such readers can have; then the sessions are `SwitchingHost`/`-Device`."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Option name → one line of help; other names are configuration errors."""
    sources: tuple[str, ...] = ()
    """Where the facts come from."""
