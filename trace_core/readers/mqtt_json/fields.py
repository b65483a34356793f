"""Values inside a reader's JSON → typed values. Absent or unusable is None, never 0.

The candidates are those of the makers' documents; the first that is present and usable wins.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TypeAlias

Fields: TypeAlias = Mapping[str, object]

MAX_EPC_BYTES = 62
"""496 bits, the most that a Gen2 length field can say."""
MIN_GUESSED_BYTES = 8
"""An EPC that its field name does not promise to be hex is believed from 64 bits on."""
EARLIEST_S = 1e8
"""1973: nothing of ours is older, and smaller numbers are the uptime of a reader without a clock."""
MAX_NAME = 128
"""Characters of a reader name that are kept."""

EPC_HEX = ("epcHex", "idHex")
EPC_EITHER = ("epc", "EPC")
EPC_WEAK = ("tag", "id")
"""Names that other things have too: taken as hex only, and only beside an antenna or a signal strength."""
TID_HEX = ("tidHex", "TID", "tid")
ANTENNA = ("antennaPort", "antenna", "ant", "port")
RSSI = ("peakRssi", "rssi", "RSSI")
COUNT = ("reads", "count", "seenCount")
TIME = ("lastSeenTime", "timestamp", "firstSeenTimestamp", "firstSeen")
READER = ("hostname", "readerName", "mac")

_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+\Z")


def epc_of(fields: Fields) -> bytes | None:
    """The EPC; None when there is none or when two spellings in one read disagree."""
    found = {raw for raw in (_hex(fields.get(n)) for n in EPC_HEX) if raw is not None}
    for name in EPC_EITHER:
        value = fields.get(name)
        raw = _base64(value) if name == "epc" and "epcHex" in fields else _hex_or_base64(value)
        if raw is not None:
            found.add(raw)
    if not found and (antenna_of(fields) is not None or rssi_dbm_of(fields) is not None):
        guessed = (_hex(fields.get(name)) for name in EPC_WEAK)
        found = {raw for raw in guessed if raw is not None and len(raw) >= MIN_GUESSED_BYTES}
    if len(found) != 1:
        return None
    epc = found.pop()
    return epc if len(epc) <= MAX_EPC_BYTES and len(epc) % 2 == 0 else None


def pc_agrees(fields: Fields, epc: bytes) -> bool:
    """False when the read carries a PC word whose length differs from the EPC's (a data fault, not a tag)."""
    raw = _hex(fields.get("PC", fields.get("pc")))
    return raw is None or len(raw) != 2 or bool(raw[0] & 0x02) or (raw[0] & 0xF8) >> 2 == len(epc)


def tid_of(fields: Fields) -> bytes | None:
    for name in TID_HEX:
        raw = _hex(fields.get(name))
        if raw is not None:
            return raw
    return None


def rssi_dbm_of(fields: Fields) -> float | None:
    centi = _number(fields.get("peakRssiCdbm"))
    if centi is not None:
        return centi / 100
    for name in RSSI:
        value = _number(fields.get(name))
        if value is not None:
            return value
    return None


def antenna_of(fields: Fields) -> int | None:
    for name in ANTENNA:
        value = _whole(fields.get(name))
        if value is not None:
            return value
    return None


def count_of(fields: Fields) -> int:
    for name in COUNT:
        value = _whole(fields.get(name))
        if value:
            return value
    return 1


def reader_of(fields: Fields) -> str | None:
    for name in READER:
        value = fields.get(name)
        if isinstance(value, str) and value:
            return value[:MAX_NAME]
    return None


def time_of(fields: Fields) -> datetime | None:
    for name in TIME:
        moment = moment_of(fields.get(name))
        if moment is not None:
            return moment
    return None


def moment_of(value: object) -> datetime | None:
    """ISO 8601 with an offset, or seconds, ms, µs or ns since 1970 told apart by magnitude; aware UTC."""
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        try:
            moment = datetime.fromisoformat(value)
            return moment.astimezone(UTC) if moment.tzinfo else None
        except (ValueError, OverflowError):
            return None
    number = _number(int(value) if isinstance(value, str) and len(value) <= 20 else value)
    if number is None or number < EARLIEST_S:
        return None
    for scale in (1e9, 1e6, 1e3):
        if number >= EARLIEST_S * scale:
            number /= scale
            break
    try:
        return datetime.fromtimestamp(number, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _hex(value: object) -> bytes | None:
    return bytes.fromhex(value) if isinstance(value, str) and _HEX.match(value) else None


def _hex_or_base64(value: object) -> bytes | None:
    """Hex unless length and alphabet say base64."""
    raw = _hex(value)
    if raw is not None:
        return raw
    raw = _base64(value)
    return raw if raw is not None and len(raw) >= MIN_GUESSED_BYTES else None


def _base64(value: object) -> bytes | None:
    """Standard or URL-safe base64, with or without padding."""
    if not isinstance(value, str) or not value:
        return None
    text = value.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _whole(value: object) -> int | None:
    """A whole number that an antenna port or a count can be."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        return None
    return value
