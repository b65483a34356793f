"""Lines of simple RFID readers: one tag a line, as a record, as hex digits or as a JSON object.

    EPC:<hex>[,PC:<hex>][,CRC:<hex>][,ANT:<n>][,RSSI:<dBm>]

CRC is the tag's own CRC-16/GENIBUS over PC and EPC. It is the only thing in such a line that shows a damaged digit,
so lines without it are refused unless the operator takes the risk.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from trace_core.errors import FrameError
from trace_core.readers._base import FieldTag, TagRead
from trace_core.readers._checks import genibus
from trace_core.readers._gen2 import pc_and_epc

RECORD: Final = (
    r"EPC: ?(?P<epc>[0-9A-F]{8,124})(?:, ?PC: ?(?P<pc>[0-9A-F]{4}))?(?:, ?CRC: ?(?P<crc>[0-9A-F]{4}))?"
    r"(?:, ?ANT: ?(?P<antenna>[0-9]{1,3}))?(?:, ?RSSI: ?(?P<rssi>-?[0-9]{1,3}(?:\.[0-9]{1,2})?))?"
)
HEX: Final = r"(?P<epc>[0-9A-F]{8,124})"
GROUPS: Final = frozenset({"epc", "pc", "crc", "antenna", "rssi", "time"})
LEAST_DBM, MOST_DBM = -200.0, 100.0
_EPC_WORDS: Final = range(2, 32)


@dataclass(frozen=True, slots=True)
class Fields:
    """Texts of one record; empty: absent."""

    epc: str
    pc: str = ""
    crc: str = ""
    antenna: str = ""
    rssi: str = ""
    time: str = ""
    tid: str = ""


def read_record(fields: Fields, reader: str | None, *, unchecked: bool) -> TagRead:
    """Fields → the read. Raises `FrameError`, its text a stable word."""
    epc = _hex(fields.epc)
    if len(epc) % 2 or len(epc) // 2 not in _EPC_WORDS:
        raise FrameError("epc_length")
    pc = _hex(fields.pc) if fields.pc else pc_and_epc(epc)[:2]
    if len(pc) != 2 or pc[0] >> 3 != len(epc) // 2:
        raise FrameError("pc_length")
    if fields.crc:
        if _hex(fields.crc) != genibus(pc + epc).to_bytes(2, "big"):
            raise FrameError("tag_crc")
    elif not unchecked:
        raise FrameError("unchecked")
    antenna = int(fields.antenna) if fields.antenna.isdecimal() and len(fields.antenna) <= 3 else None
    return TagRead(
        epc, antenna, _number(fields.rssi), _hex(fields.tid) or None, reader_time=_time(fields.time), reader=reader
    )


def fields_of_match(match: re.Match[str]) -> Fields:
    """Named groups of an operator's pattern or of ours."""
    found = {name: value for name, value in match.groupdict().items() if value is not None and name in GROUPS}
    return Fields(**found)


def json_of(line: str) -> dict[str, object] | None:
    """The object that `line` is; None when it is none."""
    if not line.startswith("{"):
        return None
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def fields_of_json(found: dict[str, object]) -> Fields:
    """Names as Speedway Connect has them, and PC and CRC where a reader adds them. Raises `FrameError`."""
    epc = found.get("epc", found.get("epcHex"))
    if not isinstance(epc, str):
        raise FrameError("no_epc")
    return Fields(
        epc=epc,
        pc=_text(found.get("pc")),
        crc=_text(found.get("crc")),
        antenna=_text(found.get("antennaPort")),
        rssi=_text(found.get("peakRssi")),
        time=_text(found.get("firstSeenTimestamp")),
        tid=_text(found.get("tid")),
    )


def record_line(tag: FieldTag) -> str:
    """The record of a tag with everything in it."""
    field = pc_and_epc(tag.epc)
    head = f"EPC:{tag.epc.hex().upper()},PC:{field[:2].hex().upper()},CRC:{genibus(field):04X}"
    return f"{head},ANT:{tag.antenna},RSSI:{tag.rssi_dbm:.1f}"


def _text(value: object) -> str:
    return "" if value is None or isinstance(value, bool) else str(value)


def _hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise FrameError("not_hex") from error


def _number(text: str) -> float | None:
    try:
        found = float(text) if text else None
    except ValueError as error:
        raise FrameError("rssi") from error
    if found is not None and not LEAST_DBM <= found <= MOST_DBM:
        raise FrameError("rssi")
    return found


def _time(text: str) -> datetime | None:
    """ISO 8601 with an offset; a time without one could be any zone's and is no time."""
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError as error:
        raise FrameError("time") from error
    return found.astimezone(UTC) if found is not None and found.tzinfo is not None else None
