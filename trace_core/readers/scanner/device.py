"""The scanner's or simple reader's end: a line when something comes into view, and again while it stays.

A tag with a `code` is a label: its code is sent as it stands. One without is read as RFID. `1` CR and `0` CR start and
stop the device, as some readers want it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from trace_core.readers._base import FieldTag
from trace_core.readers._options import choice, number, switch
from trace_core.readers.scanner.records import record_line

HEARTBEAT_S = 1.0
GAP_S = 1.0
"""Half a command is forgotten after this."""
TERMINATORS = {"CR": ("", "\r"), "LF": ("", "\n"), "CRLF": ("", "\r\n"), "STX": ("\x02", "\r\n\x03"), "none": ("", "")}
LINES = {"record": None, "hex": None, "json": None}
MAX_COMMAND = 64


class ScannerDevice:
    """`DeviceSession` of one simulated line device."""

    def __init__(self, *, lines: str, terminator: str, repeat_s: float, running: bool) -> None:
        self.baud = 9_600
        self._lines = lines
        self._before, self._after = TERMINATORS[terminator]
        self._repeat_s = repeat_s
        self._running = self._starts_running = running
        self._pending = b""
        self._next_beat = self._last_bytes = 0.0
        self._due: dict[FieldTag, float] = {}

    @classmethod
    def from_options(cls, options: Mapping[str, object]) -> ScannerDevice:
        """Raises `ConfigError`."""
        return cls(
            lines=choice(options, "lines", "record", LINES),
            terminator=choice(options, "terminator", "CR", TERMINATORS),
            repeat_s=number(options, "repeat_ms", 500, range(10, 3_600_001)) / 1000,
            running=not switch(options, "waits_for_start"),
        )

    def receive(self, data: bytes, now: float) -> bytes:
        """Start and stop; anything else is not understood and has no answer."""
        if now - self._last_bytes > GAP_S:
            self._pending = b""
        self._last_bytes = now
        *commands, self._pending = (self._pending + data).split(b"\r")
        self._pending = self._pending[-MAX_COMMAND:]
        for command in commands:
            if command in (b"0", b"1"):
                self._running = command == b"1"
                self._due.clear()
        return b""

    def tick(self, now: float, tags: Sequence[FieldTag]) -> Sequence[bytes]:
        """Lines of what came into view or is due again, and the heartbeat of a reader."""
        if not self._running:
            return []
        # Signal strength varies from tick to tick; the same thing is still in view.
        seen = {FieldTag(tag.epc, antenna=tag.antenna, rssi_dbm=0.0, code=tag.code): tag for tag in tags}
        self._due = {key: due for key, due in self._due.items() if key in seen}
        out = []
        for key, tag in seen.items():
            if now >= self._due.get(key, now):
                self._due[key] = now + self._repeat_s
                out.append(self._line(tag.code or self._record(tag)))
        if now >= self._next_beat:
            self._next_beat = now + HEARTBEAT_S
            out.append(self._line('{"isHeartBeat":true}'))
        return out

    def power_cycle(self, now: float) -> None:
        """The setup stays; whether it runs is as after switching on, and everything in view is new to it."""
        self._running = self._starts_running
        self._pending = b""
        self._due.clear()
        self._last_bytes = now
        self._next_beat = now + HEARTBEAT_S

    def _record(self, tag: FieldTag) -> str:
        if self._lines == "hex":
            return tag.epc.hex().upper()
        if self._lines == "json":
            shown = {"antennaPort": tag.antenna, "epc": tag.epc.hex().upper(), "peakRssi": round(tag.rssi_dbm)}
            return json.dumps(shown | {"isHeartBeat": False}, separators=(",", ":"))
        return record_line(tag)

    def _line(self, text: str) -> bytes:
        return f"{self._before}{text}{self._after}".encode()
