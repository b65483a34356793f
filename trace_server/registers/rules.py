"""What makes a range of serials, and what it may be asked for. Values in, values out."""

from __future__ import annotations

import re

from trace_core.errors import InputError
from trace_core.ids import gs1
from trace_server.registers.model import Span

MAX_DIGITS = 18
"""Digits of the number at the end of a serial: it must fit a 64-bit integer."""
MAX_TEXT = 1000
_SERIAL = re.compile(rf"(?P<prefix>.*?)(?P<digits>[0-9]{{1,{MAX_DIGITS}}})\Z", re.DOTALL)


def span(first: str, last: str) -> Span:
    """The serials from `first` to `last`, e.g. `A0001` … `A9999` or `1` … `250000`.

    Raises `InputError` when they do not end in digits behind the same prefix, or run backwards.
    """
    prefix, low_digits = _split(first, "first")
    other, high_digits = _split(last, "last")
    if prefix != other:
        remedy = "write both with the same letters in front, such as A0001 and A9999"
        raise InputError("first and last do not begin alike", where="last", remedy=remedy)
    low, high = int(low_digits), int(high_digits)
    if high < low:
        raise InputError("the range ends before it begins", where="last")
    is_padded = str(low) != low_digits or str(high) != high_digits
    if is_padded and len(low_digits) != len(high_digits):
        raise InputError(
            "with leading zeros both serials have the same length", where="last", remedy="write 0001 and 9999"
        )
    return Span(first, last, prefix, low, high, len(low_digits) if is_padded else 0)


def quota(asked: int, of: Span) -> int:
    """A quota that the range can hold. Raises `InputError`."""
    if not 1 <= asked <= of.size:
        raise InputError(f"the quota must be from 1 to {of.size}, the size of the range", where="quota")
    return asked


def require_text(text: str, where: str) -> str:
    """A sentence that stands behind a request or a step. Raises `InputError`."""
    if not 1 <= len(text.strip()) <= MAX_TEXT:
        raise InputError(f"say why, in up to {MAX_TEXT} characters", where=where)
    return text.strip()


def _split(serial: str, where: str) -> tuple[str, str]:
    match = _SERIAL.match(gs1.serial(serial))
    if match is None:
        raise InputError(f"{serial!r} does not end in a number", where=where, remedy="write A0001 or 1")
    return match["prefix"], match["digits"]
