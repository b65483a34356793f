"""The gateway's end: lines in, codes and tags out.

A line ends with CR, LF or both; STX and ETX around it are no part of it. Nothing else is taken off: a payload may hold
GS. Lines have no check, so what cannot be checked by its content is refused unless the operator says otherwise: codes
without a symbology identifier, RFID records without the tag's CRC, and lines that only a pause ends.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trace_core.errors import ConfigError, FrameError, IdentifierError
from trace_core.readers._base import BadBytes, DeviceEvent, DeviceState, HostOutput, Send
from trace_core.readers._options import choice, number, switch
from trace_core.readers.scanner.codes import GS, read_code, symbology_of
from trace_core.readers.scanner.records import (
    GROUPS,
    HEX,
    RECORD,
    Fields,
    fields_of_json,
    fields_of_match,
    json_of,
    read_record,
)

MAX_LINE = 4_500
"""Bytes; the largest QR code holds 4,296 characters."""
GAP_S = 0.05
BEATS_MISSED = 3
LEAST_SILENCE_S = 3.0
ENCODINGS = {"utf-8": None, "gb18030": None}
_ENDS = re.compile(rb"[\r\n]")
_FRAMING = b"\x02\x03"


@dataclass(frozen=True, slots=True)
class ScannerOptions:
    """Host options, checked."""

    encoding: str = "utf-8"
    bare: bool = False
    unchecked: bool = False
    gap_ends_line: bool = False
    pattern: re.Pattern[str] = re.compile(RECORD + "$", re.IGNORECASE)
    start_command: bytes = b""
    silence_s: int = 0
    reader: str | None = None

    @classmethod
    def parse(cls, options: Mapping[str, object]) -> ScannerOptions:
        """Raises `ConfigError`."""
        start, reader = options.get("start_command", ""), options.get("reader")
        if not isinstance(start, str) or not start.isascii():
            raise ConfigError("the command must be ASCII text", where="start_command")
        if reader is not None and not isinstance(reader, str):
            raise ConfigError("the name must be text", where="reader")
        return cls(
            encoding=choice(options, "encoding", "utf-8", ENCODINGS),
            bare=switch(options, "bare"),
            unchecked=switch(options, "unchecked"),
            gap_ends_line=switch(options, "gap_ends_line"),
            pattern=_pattern(options.get("pattern", RECORD)),
            start_command=start.encode("ascii"),
            silence_s=number(options, "silence_s", 0, range(86_401)),
            reader=reader,
        )


class ScannerHost:
    """`HostSession` of one line device."""

    def __init__(self, options: ScannerOptions) -> None:
        self._options = options
        self._pending = b""
        self._quiet_ticks = 0
        self._last_bytes = self._last_line = 0.0
        self._last_beat = self._beat_s = 0.0
        self._online = False
        self._noise_since: float | None = None
        """First bad bytes since the port was opened; infinite once they were told, or a line was understood."""

    @classmethod
    def from_options(cls, options: Mapping[str, object]) -> ScannerHost:
        return cls(ScannerOptions.parse(options))

    def start(self, now: float) -> Sequence[HostOutput]:
        """The operator's start command, for readers that wait for one."""
        self._last_line = now
        return [Send(self._options.start_command)] if self._options.start_command else []

    def receive(self, data: bytes, now: float) -> Sequence[HostOutput]:
        """Take bytes as they came. Never raises on bad data."""
        self._last_bytes = now
        self._quiet_ticks = 0
        out: list[HostOutput] = []
        *lines, self._pending = _ENDS.split(self._pending + data)
        for line in lines:
            self._line(line, now, out)
        if self._noise_since is None and any(isinstance(item, BadBytes) for item in out):
            self._noise_since = now
        while len(self._pending) > MAX_LINE:
            out.append(BadBytes("too_long", self._pending[:MAX_LINE]))
            self._pending = self._pending[MAX_LINE:]
        return out

    def tick(self, now: float) -> Sequence[HostOutput]:
        """Give up or take a line that nothing ended; notice missing heartbeats."""
        out: list[HostOutput] = []
        # Two ticks with no bytes between them: after one, a program that was held up has bytes waiting unread.
        self._quiet_ticks += 1
        if self._pending and self._quiet_ticks >= 2 and now - self._last_bytes > GAP_S:
            line, self._pending = self._pending, b""
            if self._options.gap_ends_line:
                self._line(line, now, out)
            elif line.strip(_FRAMING):
                self._noise_since = now if self._noise_since is None else self._noise_since
                out.append(BadBytes("partial", line))
        if self._noise_since is not None and now - self._noise_since > LEAST_SILENCE_S:
            self._noise_since = math.inf
            out.append(DeviceEvent(DeviceState.SILENT, "nothing but noise; check the line speed"))
        limit_s = self._options.silence_s or (self._beat_s and max(LEAST_SILENCE_S, BEATS_MISSED * self._beat_s))
        if self._online and limit_s and now - self._last_line > limit_s:
            self._online = False
            out.append(DeviceEvent(DeviceState.SILENT, f"no line for {limit_s:g} s"))
            out += self.start(now)
        return out

    def _line(self, line: bytes, now: float, out: list[HostOutput]) -> None:
        body = line.strip(_FRAMING)
        if not body:
            return
        if len(line) > MAX_LINE:
            out += [BadBytes("too_long", line[i : i + MAX_LINE]) for i in range(0, len(line), MAX_LINE)]
            return
        try:
            text = body.decode(self._options.encoding)
        except UnicodeDecodeError:
            text = ""
        symbology = symbology_of(text)
        if symbology is not None:
            self._code(text, symbology, line, now, out)
            return
        # Bytes that no encoding has are noise before a record or damage in it; ASCII finds the record's end.
        text = text or body.decode("ascii", "replace")
        try:
            known = self._record(text, line, now, out)
        except FrameError as error:
            out.append(BadBytes(error.what, line))
            return
        if not known:
            self._bare(text, line, now, out)

    def _code(self, text: str, symbology: str, line: bytes, now: float, out: list[HostOutput]) -> None:
        payload = text[len(symbology) :]
        if not _printable(payload):
            out.append(BadBytes("control", line))
            return
        try:
            read = read_code(payload, symbology, self._options.reader)
        except IdentifierError:
            out.append(BadBytes("code", line))
            return
        self._alive(now, out)
        out.append(read)

    def _bare(self, text: str, line: bytes, now: float, out: list[HostOutput]) -> None:
        """Text without an identifier: an element string cannot be told from a plain text."""
        if not self._options.bare or not _printable(text) or "\ufffd" in text:
            out.append(BadBytes("no_symbology", line))
            return
        self._alive(now, out)
        out.append(read_code(text, None, self._options.reader))

    def _record(self, text: str, line: bytes, now: float, out: list[HostOutput]) -> bool:
        """Whether `text` is, or ends with, what a simple RFID reader sends. Raises `FrameError`."""
        options = self._options
        found = json_of(text)
        if found is not None:
            if found.get("isHeartBeat") is True:
                self._beat(now, out)
                return True
            self._tag(fields_of_json(found), now, out)
            return True
        match = options.pattern.search(text)
        if match is None and options.unchecked:
            match = re.fullmatch(HEX, text, re.IGNORECASE)
        if match is None:
            return False
        if match.start():  # a record is ASCII, so it has as many bytes as characters
            # A line that lost its end and the record behind it: the record is whole, what is before it is not.
            out.append(BadBytes("broken_line", line[: match.start() - len(text)] or line))
        self._tag(fields_of_match(match), now, out)
        return True

    def _tag(self, fields: Fields, now: float, out: list[HostOutput]) -> None:
        read = read_record(fields, self._options.reader, unchecked=self._options.unchecked)
        self._alive(now, out)
        out.append(read)

    def _beat(self, now: float, out: list[HostOutput]) -> None:
        """The shortest time between two heartbeats is the device's rhythm; others were lost."""
        since_s = now - self._last_beat if self._last_beat else 0.0
        if since_s > 0:
            self._beat_s = min(self._beat_s or since_s, since_s)
        self._last_beat = now
        self._alive(now, out)

    def _alive(self, now: float, out: list[HostOutput]) -> None:
        self._last_line = now
        self._noise_since = math.inf
        if not self._online:
            self._online = True
            out.append(DeviceEvent(DeviceState.ONLINE))


def _printable(text: str) -> bool:
    return all(character.isprintable() or character == GS for character in text)


def _pattern(value: object) -> re.Pattern[str]:
    """The operator's pattern, at the end of a line."""
    try:
        found = re.compile(f"(?:{value})$", re.IGNORECASE) if isinstance(value, str) else None
    except re.error as error:
        raise ConfigError(f"no regular expression: {error}", where="pattern") from error
    if found is None or "epc" not in found.groupindex or not GROUPS.issuperset(found.groupindex):
        groups = ", ".join(sorted(GROUPS))
        raise ConfigError("a pattern names its parts", where="pattern", remedy=f"(?P<epc>…), and of {groups}")
    return found
