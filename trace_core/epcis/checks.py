"""What every value inside an event must satisfy, and the shape of extensions."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias, Union

from trace_core.errors import EventError

ExtensionValue: TypeAlias = Union[str, int, float, bool, Sequence["ExtensionValue"], "Extensions", None]
"""A leaf, a tuple for a repeated element, or a mapping for a nested one."""
Extensions: TypeAlias = Mapping[str, ExtensionValue]
"""Expanded name `{namespace}local` → value, in the sender's order. A name without a namespace has no braces."""

# ASCII only: EPCIS identifiers are URIs, not IRIs, and the GS1 schema checks the same
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[!#-;=?-\[\]_a-z~]+\Z")
_EARLIEST_YEAR, _LATEST_YEAR = 2, 9998
"""Any offset from UTC may be applied without leaving the calendar of `datetime`."""
_MAX_INTEGER_BITS = 1023
"""A larger integer has no double next to it; EPCIS numbers are xsd:double in JSON-LD."""


def require_uri(value: str | None, where: str) -> None:
    """Raises `EventError` unless `value` is None or an absolute URI."""
    if value is not None and not (isinstance(value, str) and _URI.match(value)):
        raise EventError(f"{value!r:.200} is no absolute URI", where=where, remedy="write scheme:rest, percent-encoded")


def require_uris(values: Iterable[str], where: str) -> None:
    """Raises `EventError` with `where/index` unless every value is an absolute URI."""
    matches = _URI.match
    for index, value in enumerate(values):
        if not isinstance(value, str) or not matches(value):
            require_uri("" if value is None else value, f"{where}/{index}" if where else str(index))


def require_number(value: float | None, where: str) -> None:
    """Raises `EventError` unless `value` is None or a finite number (a bool is none)."""
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise EventError(f"{value!r:.200} is no number", where=where, remedy="write a JSON number without quotes")
    if value.bit_length() > _MAX_INTEGER_BITS if isinstance(value, int) else not math.isfinite(value):
        raise EventError("the number is out of range", where=where, remedy="write a finite number of ordinary size")


def require_aware(moment: datetime | None, where: str) -> None:
    """Raises `EventError` unless `moment` is None or knows its offset from UTC."""
    if moment is None:
        return
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise EventError("the time lacks its offset from UTC", where=where, remedy="end it with Z or ±hh:mm")
    if not _EARLIEST_YEAR <= moment.year <= _LATEST_YEAR:
        raise EventError(f"no event happens in the year {moment.year}", where=where)


def require_names(extensions: Mapping[str, ExtensionValue], where: str) -> None:
    """Raises `EventError` unless every name is `{namespace}local`: fields without a namespace are the standard's."""
    for name in extensions:
        if name[:1] != "{" or "}" not in name[2:-1]:
            raise EventError(
                f"the extension {name!r:.200} has no namespace", where=where, remedy="name it {namespace}local"
            )
