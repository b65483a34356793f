"""Values of query parameters, JSON or text from a URL. Each reader raises `QueryInvalid` that names the parameter."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from trace_core.ids.canonical import canonical_uri
from trace_server.query import matching as match
from trace_server.query.model import QueryInvalid

MAX_VALUES: Final = 500
"""Values of one parameter; SQL gets them all."""
MAX_COUNT: Final = 1_000_000_000


def listed(name: str, value: object) -> list[object]:
    """The values of a list parameter; in a URL they are divided by `|`."""
    if isinstance(value, str):
        found: list[object] = [part for part in value.split("|") if part]
    else:
        found = list(value) if isinstance(value, (list, tuple)) else [value]
    if not 0 < len(found) <= MAX_VALUES:
        raise QueryInvalid("the parameter has no or too many values", where=name[:200], remedy=f"1 to {MAX_VALUES}")
    return found


def texts(name: str, value: object) -> list[str]:
    """A list of texts. Raises `QueryInvalid`."""
    found = listed(name, value)
    if not all(isinstance(item, str) and item for item in found):
        raise QueryInvalid("the values must be texts", where=name[:200])
    return [str(item) for item in found]


def identifiers(name: str, value: object) -> frozenset[str]:
    """A list of URIs, canonical."""
    return frozenset(canonical_uri(text) for text in texts(name, value))


def scalars(name: str, value: object) -> list[str | float | bool]:
    """A list of texts, numbers or truth values."""
    found = listed(name, value)
    kept = [item for item in found if isinstance(item, (str, float, int, bool))]
    if len(kept) < len(found):
        raise QueryInvalid("a value must be a text, a number, a time, true or false", where=name[:200])
    return kept


def number(name: str, value: object) -> float:
    """One finite number. Raises `QueryInvalid`."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    found = match.as_number(value)
    if found is None or not math.isfinite(found):
        raise QueryInvalid(f"{value!r:.80} is no number", where=name[:200])
    return found


def moment(name: str, value: object) -> datetime:
    """One aware time, as UTC. A `+` that a URL made a space is mended. Raises `QueryInvalid`."""
    found = match.as_time(value.replace(" ", "+") if isinstance(value, str) else value)
    if found is None:
        raise QueryInvalid(
            f"{value!r:.80} is no time", where=name[:200], remedy="RFC 3339 with its offset: 2026-11-24T08:00:00Z"
        )
    return found.astimezone(UTC)


def is_absence(value: object) -> bool:
    """True for the value of an EXISTS_ parameter that asks for events without the field."""
    return value is False or value == "false"


def count(given: Mapping[str, object], name: str) -> int | None:
    if name not in given:
        return None
    value = number(name, given[name])
    if not value.is_integer() or not 0 < value <= MAX_COUNT:
        raise QueryInvalid("the number must be whole and more than zero", where=name)
    return int(value)
