"""What a registration must say, what the periods would be, and what held on an earlier day. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import isfinite

from trace_core.errors import InputError
from trace_core.ids import uscc
from trace_core.ids.canonical import canonical_uri
from trace_server.equipment import device_code
from trace_server.equipment.kinds import kind_of, kinds
from trace_server.equipment.model import Asset, Inspection, State

MAX_URI_CHARS = 256
DEVICE_URN = "urn:suyuan:equipment:"
"""Of a thing without tag: a lift whose plate carries the device code alone."""
_TID = re.compile(r"(?:[0-9A-F]{2}){4,32}\Z")
_MEDIUM = re.compile(r"[a-z0-9_]{1,32}\Z")
_MAX_KG = 1_000_000.0


@dataclass(frozen=True, slots=True)
class Registration:
    """What a form says of one thing; empty or None: not said."""

    uri: str
    owner: str
    source: str
    device_code: str = ""
    kind: str = ""
    registration_no: str = ""
    registered_on: date | None = None
    maintainer: str = ""
    medium: str = ""
    tid: str = ""
    fill_limit_kg: float | None = None
    made_on: date | None = None
    in_use_on: date | None = None
    inspection_due: date | None = None
    scrap_on: date | None = None


def checked(given: Registration, today: date) -> Asset:
    """The thing as it is registered. Raises `InputError` or `IdentifierError` with the member that is wrong."""
    code = str(device_code.parse(given.device_code, latest_year=today.year)) if given.device_code.strip() else ""
    uri = canonical_uri(given.uri.strip()) if given.uri.strip() else DEVICE_URN + code
    if not given.uri.strip() and not code:
        raise InputError("neither tag nor device code", where="uri", remedy="give uri, device_code or both")
    if ":" not in uri or len(uri) > MAX_URI_CHARS or not uri.isprintable():
        raise InputError(f"{uri!r:.80} is no URI", where="uri", remedy="an EPC URN or a Digital Link, /8003/ or /8004/")
    kind = given.kind or kind_of(code)
    if kind not in kinds():
        raise InputError(f"no kind {kind!r:.40}", where="kind", remedy=f"one of {', '.join(kinds())}")
    for name, who in (("owner", given.owner), ("maintainer", given.maintainer)):
        if (who or name == "owner") and not uscc.is_valid(who):
            raise InputError(f"{who!r:.40} is no USCC", where=name, remedy="18 characters, GB 32100")
    _check_parts(given, today)
    return Asset(
        uri=uri,
        tid=given.tid.upper(),
        medium=given.medium,
        owner=given.owner,
        inspection_due=given.inspection_due,
        scrap_on=given.scrap_on,
        source=given.source,
        as_of=today,
        device_code=code,
        kind=kind,
        registration_no=given.registration_no.strip(),
        registered_on=given.registered_on,
        maintainer=given.maintainer,
        fill_limit_kg=given.fill_limit_kg,
        made_on=given.made_on,
        in_use_on=given.in_use_on,
        state=State.IN_USE if given.in_use_on is not None and given.in_use_on <= today else State.REGISTERED,
    )


def prefilled(kind: str, made_on: date) -> dict[str, date]:
    """Dates that a form may suggest from the kind's default periods: `inspection_due`, `scrap_on`. Never stored so."""
    row = kinds().get(kind)
    if row is None:
        raise InputError(f"no kind {kind!r:.40}", where="kind", remedy=f"one of {', '.join(kinds())}")
    found = {}
    if row.inspection_months is not None:
        found["inspection_due"] = _months_later(made_on, row.inspection_months)
    if row.life_years is not None:
        found["scrap_on"] = _months_later(made_on, row.life_years * 12)
    return found


def as_of(asset: Asset, inspections: Sequence[Inspection], day: date) -> Asset:
    """The thing with the last day of use that held on `day`: a later inspection mends no earlier act."""
    later = [row for row in inspections if row.inspected_on > day]
    if not later:
        return asset
    return replace(asset, inspection_due=min(later, key=lambda row: row.inspected_on).due_before)


def _check_parts(given: Registration, today: date) -> None:
    if given.tid and not _TID.match(given.tid.upper()):
        raise InputError(f"{given.tid!r:.80} is no TID", where="tid", remedy="8 to 64 hex digits")
    if given.medium and not _MEDIUM.match(given.medium):
        raise InputError(f"{given.medium!r:.80} is no medium", where="medium", remedy="one word, e.g. lpg")
    limit = given.fill_limit_kg
    if limit is not None and not (isfinite(limit) and 0 < limit <= _MAX_KG):
        raise InputError(f"{limit} kg is no limit", where="fill_limit_kg", remedy="above 0")
    for name in ("made_on", "registered_on"):
        day: date | None = getattr(given, name)
        if day is not None and day > today:
            raise InputError("a day that has not come", where=name)
    if given.made_on is not None and given.scrap_on is not None and given.scrap_on <= given.made_on:
        raise InputError("scrapped before it was made", where="scrap_on")


def _months_later(day: date, months: int) -> date:
    """The same day of the month, or the last of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, min(day.day, last))
        except ValueError:
            continue
    raise ValueError(f"no such month: {year}-{month + 1}")
