"""The reader's end: publishes like an Impinj R700, a Zebra reader or a plain one.

`now` is Unix time in seconds: these readers put their own clock into every report.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from trace_core.errors import ConfigError
from trace_core.readers._base import FieldTag
from trace_core.readers.mqtt_json.host import JsonDialect, dialect_of

REPORT_MS = 500.0
HOSTNAME = "impinj-00-00-01"
FREQUENCY_KHZ = 922_375


class MqttJsonDevice:
    """`DeviceSession` of one simulated reader."""

    def __init__(self, dialect: JsonDialect, report_s: float, hostname: str) -> None:
        self.running = True
        self._dialect = dialect
        self._report_s = report_s
        self._hostname = hostname
        self._due: dict[tuple[bytes, int], float] = {}
        self._number = 0

    @classmethod
    def from_options(cls, options: Mapping[str, object]) -> MqttJsonDevice:
        """Raises `ConfigError`."""
        dialect = dialect_of(options, JsonDialect.IMPINJ)
        report_ms, hostname = options.get("report_ms", REPORT_MS), options.get("hostname", HOSTNAME)
        if isinstance(report_ms, bool) or not isinstance(report_ms, int | float) or not 1 <= report_ms <= 3_600_000:
            raise ConfigError(f"a report every {report_ms!r} ms", where="report_ms", remedy="use 1 to 3600000")
        if not isinstance(hostname, str):
            raise ConfigError("the name must be text", where="hostname")
        return cls(JsonDialect.IMPINJ if dialect is JsonDialect.AUTO else dialect, report_ms / 1000, hostname)

    def receive(self, data: bytes, now: float) -> bytes:  # noqa: ARG002 - the contract's signature
        """A Zebra control command → its answer; the other readers are not commanded over MQTT."""
        if self._dialect is not JsonDialect.ZEBRA:
            return b""
        try:
            command = json.loads(data)
        except (ValueError, RecursionError):
            return b""
        if not isinstance(command, dict):
            return b""
        name = command.get("command")
        known = name in ("start", "stop", "get_version", "get_status")
        if name in ("start", "stop"):
            self.running = name == "start"
        payload = {"radioActivity": "active" if self.running else "inactive"} if known else {}
        answer = {"command": name, "command_id": command.get("command_id")}
        return _json(answer | {"response": "success" if known else "failure", "payload": payload})

    def tick(self, now: float, tags: Sequence[FieldTag]) -> Sequence[bytes]:
        """One payload for each tag that is due."""
        present = {(tag.epc, tag.antenna) for tag in tags}
        self._due = {key: due for key, due in self._due.items() if key in present}
        out: list[bytes] = []
        for tag in tags if self.running else ():
            if self._due.get((tag.epc, tag.antenna), now) <= now:
                self._due[tag.epc, tag.antenna] = now + self._report_s
                out.append(self._payload(tag, datetime.fromtimestamp(now, UTC)))
        return out

    def power_cycle(self, now: float) -> None:  # noqa: ARG002 - the contract's signature
        """It starts by itself, as a reader of a gate is set up, and counts its messages from 1 again."""
        self.running = True
        self._due.clear()
        self._number = 0

    def _payload(self, tag: FieldTag, moment: datetime) -> bytes:
        if self._dialect is JsonDialect.IMPINJ:
            return self._impinj(tag, moment)
        if self._dialect is JsonDialect.ZEBRA:
            return self._zebra(tag, moment)
        read = {"EPC": tag.epc.hex().upper(), "ant": tag.antenna, "rssi": tag.rssi_dbm}
        return _json(read | {"timestamp": int(moment.timestamp() * 1000), "readerName": self._hostname})

    def _impinj(self, tag: FieldTag, moment: datetime) -> bytes:
        event: dict[str, object] = {
            "epc": base64.b64encode(tag.epc).decode(),
            "epcHex": tag.epc.hex().upper(),
            "antennaPort": tag.antenna,
            "peakRssiCdbm": round(tag.rssi_dbm * 100),
            "frequency": FREQUENCY_KHZ,
        }
        if tag.tid is not None:
            event["tidHex"] = tag.tid.hex().upper()
        stamp = moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"
        envelope = {"timestamp": stamp, "hostname": self._hostname, "eventType": "tagInventory"}
        return _json(envelope | {"tagInventoryEvent": event})

    def _zebra(self, tag: FieldTag, moment: datetime) -> bytes:
        self._number += 1
        data: dict[str, object] = {
            "PC": f"{len(tag.epc) // 2 << 11:04x}",
            "antenna": tag.antenna,
            "eventNum": self._number,
            "format": "epc",
            "idHex": tag.epc.hex(),
            "peakRssi": round(tag.rssi_dbm),
            "reads": 1,
        }
        if tag.tid is not None:
            data["TID"] = tag.tid.hex()
        stamp = moment.isoformat(timespec="milliseconds").replace("+00:00", "+0000")
        return _json({"data": data, "timestamp": stamp, "type": "SIMPLE"})


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
