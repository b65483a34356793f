"""The gateway's end: one payload in, reads and device events out.

A payload is one JSON object or an array of them, or the plain words of a will topic. What is not understood comes
out as `BadBytes` with the whole payload, so that it can be looked at later; it is never dropped in silence. QoS 1
repeats messages: a read that was seen with the same reader, time, EPC and antenna is taken once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from trace_core.errors import ConfigError
from trace_core.readers._base import BadBytes, DeviceEvent, DeviceState, HostOutput, TagRead
from trace_core.readers.mqtt_json.fields import (
    Fields,
    antenna_of,
    count_of,
    epc_of,
    pc_agrees,
    reader_of,
    rssi_dbm_of,
    tid_of,
    time_of,
)

MAX_PAYLOAD = 1_048_576
"""Bytes; a reader's largest report (1,000 tags) has about 250 kB."""
MAX_READS = 10_000
"""Reads in one payload; more is not a reader."""
KEPT_OF_TOO_LARGE = 4_096
REMEMBERED = 4_096
"""Reads remembered against repetition: some seconds of the fastest reader, more than a broker's window."""
MAX_STAMP = 64
"""Characters of a time that are kept to know a report again."""
CONNECTED, LOST, DISCONNECTED = b"connected", b"connection lost", b""
PLACES = ("tag_reads", "data.tagData", "tagData", "tagReads", "tags", "reads", "data", "events")
"""Where readers put their list of reads."""


class JsonDialect(StrEnum):
    AUTO = "auto"
    IMPINJ = "impinj"
    ZEBRA = "zebra"
    GENERIC = "generic"


@dataclass(frozen=True, slots=True)
class MqttJsonOptions:
    """Host options, checked. `reads` is the path to the list, outermost name first."""

    dialect: JsonDialect = JsonDialect.AUTO
    reads: tuple[str, ...] = ()
    reader: str | None = None
    silence_s: float = 0.0

    @classmethod
    def parse(cls, options: Mapping[str, object]) -> MqttJsonOptions:
        """Raises `ConfigError`."""
        path, reader, silence_s = options.get("reads", ""), options.get("reader"), options.get("silence_s", 0.0)
        if not isinstance(path, str):
            raise ConfigError("the path must be text", where="reads", remedy="write names with dots: data.tagData")
        if reader is not None and not isinstance(reader, str):
            raise ConfigError("the name must be text", where="reader")
        if isinstance(silence_s, bool) or not isinstance(silence_s, int | float) or silence_s < 0:
            raise ConfigError(f"{silence_s!r} is no time", where="silence_s", remedy="seconds, 0 for never")
        return cls(dialect_of(options, JsonDialect.AUTO), tuple(path.split(".") if path else ()), reader, silence_s)


def dialect_of(options: Mapping[str, object], default: JsonDialect) -> JsonDialect:
    """The option `dialect`. Raises `ConfigError`."""
    value = options.get("dialect", default.value)
    if value not in set(JsonDialect):
        names = ", ".join(JsonDialect)
        raise ConfigError(f"unknown dialect {value!r}", where="dialect", remedy=f"use one of {names}")
    return JsonDialect(str(value))


class MqttJsonHost:
    """`HostSession` of the readers behind one topic."""

    def __init__(self, options: MqttJsonOptions) -> None:
        self._options = options
        self._online = False
        self._last = 0.0
        self._seen: dict[tuple[str | None, str, bytes, int | None], None] = {}
        self._numbers: dict[str | None, int] = {}

    @classmethod
    def from_options(cls, options: Mapping[str, object]) -> MqttJsonHost:
        return cls(MqttJsonOptions.parse(options))

    def start(self, now: float) -> Sequence[HostOutput]:
        """Nothing to send: the reader is told by its own configuration what to publish."""
        self._last = now
        return []

    def receive(self, data: bytes, now: float) -> Sequence[HostOutput]:
        """One whole payload. Never raises on bad data."""
        out: list[HostOutput] = []
        if data in (LOST, DISCONNECTED):
            self._online = False
            return [DeviceEvent(DeviceState.SILENT, "connection lost" if data else "disconnected")]
        if data == CONNECTED:
            self._alive(now, out)
            return out
        if len(data) > MAX_PAYLOAD:
            return [BadBytes("too_large", data[:KEPT_OF_TOO_LARGE])]
        try:
            document = json.loads(data)
        except (ValueError, RecursionError):
            return [BadBytes("not_json", data)]
        items = document if isinstance(document, list) else [document]
        reads: list[HostOutput] = []
        reasons: dict[str, None] = {"too_many_reads": None} if len(items) > MAX_READS else {}
        understood = False
        for item in items[:MAX_READS]:
            reason = self._item(item, reads) if isinstance(item, dict) else "not_an_object"
            if reason:
                reasons[reason] = None
            else:
                understood = True
        if understood:
            self._alive(now, out)
        out += reads
        out += [BadBytes(reason, data) for reason in reasons]  # one of a kind: the payload is in quarantine once
        return out

    def tick(self, now: float) -> Sequence[HostOutput]:
        """Silence, if the operator set a limit."""
        limit = self._options.silence_s
        if not limit or now - self._last <= limit or not self._online:
            return []
        self._online = False
        return [DeviceEvent(DeviceState.SILENT, f"no payload for {limit:g} s")]

    def _alive(self, now: float, out: list[HostOutput]) -> None:
        self._last = now
        if not self._online:
            self._online = True
            out.append(DeviceEvent(DeviceState.ONLINE))

    def _item(self, item: Fields, out: list[HostOutput]) -> str:
        """Append what `item` says; the reason why it says nothing, or an empty string."""
        dialect = self._options.dialect
        if dialect is JsonDialect.AUTO:
            dialect = _told_by(item)
        if dialect is JsonDialect.IMPINJ:
            return self._impinj(item, out)
        if dialect is JsonDialect.ZEBRA:
            return self._zebra(item, out)
        return self._generic(item, out)

    def _impinj(self, item: Fields, out: list[HostOutput]) -> str:
        """Reader event envelope: timestamp, hostname?, eventType and one object `<eventType>Event`."""
        kind = item.get("eventType")
        event = item.get(f"{kind}Event")
        if not isinstance(event, dict):
            return "unknown_json"
        if kind == "tagInventory":
            return self._once(event, item, out)
        told = _impinj_event(str(kind), event)
        if told is None:
            return "unknown_json"
        out.append(told)
        return ""

    def _zebra(self, item: Fields, out: list[HostOutput]) -> str:
        """Tag event: timestamp, type and `data`; a handheld sends a list in `data.tagData`."""
        data = item.get("data")
        if not isinstance(data, dict):
            return "unknown_json"
        if isinstance(data.get("tagData"), list):
            return self._generic(item, out)
        number = data.get("eventNum")
        if isinstance(number, int) and not isinstance(number, bool):
            self._numbered(number, reader_of(item) or self._options.reader, out)
        return self._once(data, item, out)

    def _numbered(self, number: int, reader: str | None, out: list[HostOutput]) -> None:
        """`eventNum` rises by one a message; a lower number is a repetition or a restarted reader."""
        last = self._numbers.get(reader)
        if last is not None and number > last + 1:
            out.append(DeviceEvent(DeviceState.DATA_LOSS, f"{number - last - 1} messages are missing before {number}"))
        if len(self._numbers) < REMEMBERED or reader in self._numbers:
            self._numbers[reader] = number

    def _generic(self, item: Fields, out: list[HostOutput]) -> str:
        reads = _reads_in(item, self._options.reads)
        if reads is None:
            return self._read(item, item, out)
        reasons = [self._read(r, item, out) if isinstance(r, dict) else "not_an_object" for r in reads[:MAX_READS]]
        return next((reason for reason in reasons if reason), "")

    def _once(self, fields: Fields, envelope: Fields, out: list[HostOutput]) -> str:
        """As `_read`, but a redelivered report is not taken again: for makers whose `timestamp` is the report's own."""
        taken: list[HostOutput] = []
        reason = self._read(fields, envelope, taken)
        stamp = envelope.get("timestamp")
        for read in taken:
            if isinstance(read, TagRead) and isinstance(stamp, str) and len(stamp) <= MAX_STAMP:
                if self._is_new(read, stamp):
                    out.append(read)
            else:
                out.append(read)
        return reason

    def _read(self, fields: Fields, envelope: Fields, out: list[HostOutput]) -> str:
        epc = epc_of(fields)
        if not epc:
            return "no_epc"
        if not pc_agrees(fields, epc):
            return "pc_length"
        moment = time_of(fields) or time_of(envelope)
        reader = reader_of(fields) or reader_of(envelope) or self._options.reader
        rssi_dbm, tid = rssi_dbm_of(fields), tid_of(fields)
        out.append(TagRead(epc, antenna_of(fields), rssi_dbm, tid, moment, count_of(fields), reader))
        return ""

    def _is_new(self, read: TagRead, stamp: str) -> bool:
        key = (read.reader, stamp, read.epc, read.antenna)
        if key in self._seen:
            return False
        if len(self._seen) >= REMEMBERED:
            del self._seen[next(iter(self._seen))]
        self._seen[key] = None
        return True


def _told_by(item: Fields) -> JsonDialect:
    if "eventType" in item and f"{item['eventType']}Event" in item:
        return JsonDialect.IMPINJ
    data = item.get("data")
    if isinstance(data, dict) and ("idHex" in data or "tagData" in data):
        return JsonDialect.ZEBRA
    return JsonDialect.GENERIC


def _impinj_event(kind: str, event: Fields) -> DeviceEvent | None:
    """Events about the reader itself; None for one that is not known."""
    if kind == "overflow":
        return DeviceEvent(DeviceState.DATA_LOSS, f"{event.get('eventsPurged', 'some')} events purged by the reader")
    if kind == "antennaDisconnected":
        return DeviceEvent(DeviceState.FAULT, f"antenna {event.get('antennaPort')} disconnected")
    if kind == "antennaConnected":
        return DeviceEvent(DeviceState.ONLINE, f"antenna {event.get('antennaPort')} connected")
    if kind == "inventoryStatus":
        return DeviceEvent(DeviceState.ONLINE, f"inventory {event.get('status', event.get('inventoryStatus'))}")
    if kind == "gpiTransition":
        return DeviceEvent(DeviceState.ONLINE, f"input {event.get('gpi')} {event.get('transition')}")
    return None


def _reads_in(item: Fields, path: tuple[str, ...]) -> list[object] | None:
    """The list of reads at `path` or at a known place; a single object counts as a list of one."""
    for names in [path] if path else [place.split(".") for place in PLACES]:
        found: object = item
        for name in names:
            found = found.get(name) if isinstance(found, dict) else None
        if isinstance(found, list):
            return found
        if isinstance(found, dict) and epc_of(found):
            return [found]
    return None
