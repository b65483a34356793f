"""What an import of the register may say. Values in, values out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from trace_core.errors import InputError, TraceError
from trace_core.ids import gs1, uscc
from trace_server.indications.model import AuthorisedUser, Indication, Ring, Season

MAX_ROWS = 10_000
MAX_RINGS = 100
MAX_CORNERS = 5_000
MAX_GTINS = 2_000
_ID = re.compile(r"[a-z0-9][a-z0-9-]{1,31}\Z")
_COUNTY = re.compile(r"[0-9]{6}\Z")
_YEAR = re.compile(r"20[0-9]{2}\Z")
_INDICATION = ("gi_id", "name", "name_en", "area", "counties", "seasons", "ceilings", "gtins", "source", "as_of")
_USER = ("gi_id", "uscc", "valid_from", "valid_to", "quotas", "source", "as_of")


def read_register(document: object) -> tuple[tuple[Indication, ...], tuple[AuthorisedUser, ...]]:
    """`{"indications": […], "users": […]}`, either may be missing; see docs/how-to/geographical-indications.md.

    Raises `InputError` that names the first wrong member by its JSON pointer.
    """
    if not isinstance(document, Mapping) or set(document) - {"indications", "users"} or not document:
        raise InputError("an object with indications and users is needed", where="/")
    indications = tuple(_indication(row, where) for row, where in _rows(document, "indications"))
    users = tuple(_user(row, where) for row, where in _rows(document, "users"))
    if len({one.gi_id for one in indications}) != len(indications):
        raise InputError("an indication stands twice in the document", where="/indications")
    gtins = [gtin for one in indications for gtin in one.gtins]
    if len(set(gtins)) != len(gtins):
        raise InputError("a product has two indications", where="/indications", remedy="a GTIN stands once")
    if len({(one.gi_id, one.uscc, one.valid_from) for one in users}) != len(users):
        raise InputError("an authorisation stands twice in the document", where="/users")
    return indications, users


def _rows(document: Mapping[str, object], name: str) -> list[tuple[Mapping[str, object], str]]:
    rows = document.get(name, [])
    if not isinstance(rows, list) or len(rows) > MAX_ROWS:
        raise InputError(f"a list of up to {MAX_ROWS} rows is needed", where=f"/{name}")
    found = []
    for number, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise InputError("an object is needed", where=f"/{name}/{number}")
        found.append((row, f"/{name}/{number}"))
    return found


def _indication(row: Mapping[str, object], where: str) -> Indication:
    _known(row, _INDICATION, where)
    return Indication(
        gi_id=_id(row, where),
        name=_text(row, "name", where),
        name_en=_text(row, "name_en", where),
        area=_area(row.get("area", []), f"{where}/area"),
        counties=tuple(_matching(one, _COUNTY, f"{where}/counties") for one in _list(row, "counties", where, 200)),
        seasons=_seasons(row.get("seasons", {}), f"{where}/seasons"),
        ceilings=_years(row.get("ceilings", {}), f"{where}/ceilings"),
        gtins=tuple(dict.fromkeys(_gtin(one, f"{where}/gtins") for one in _list(row, "gtins", where, MAX_GTINS))),
        source=_text(row, "source", where),
        as_of=_day(row.get("as_of"), f"{where}/as_of"),
    )


def _user(row: Mapping[str, object], where: str) -> AuthorisedUser:
    _known(row, _USER, where)
    valid_from = _day(row.get("valid_from"), f"{where}/valid_from")
    valid_to = None if row.get("valid_to") is None else _day(row["valid_to"], f"{where}/valid_to")
    if valid_to is not None and valid_to < valid_from:
        raise InputError("the authorisation ends before it begins", where=f"{where}/valid_to")
    try:
        code = uscc.parse(_text(row, "uscc", where)).code
    except TraceError as error:
        raise InputError(error.what, where=f"{where}/uscc", remedy="18 characters, GB 32100") from error
    return AuthorisedUser(
        gi_id=_id(row, where),
        uscc=code,
        valid_from=valid_from,
        valid_to=valid_to,
        quotas=_years(row.get("quotas", {}), f"{where}/quotas"),
        source=_text(row, "source", where),
        as_of=_day(row.get("as_of"), f"{where}/as_of"),
    )


def _known(row: Mapping[str, object], names: tuple[str, ...], where: str) -> None:
    for name in row:
        if name not in names:
            raise InputError(f"unknown member {name!r:.60}", where=where, remedy=f"known: {', '.join(names)}")


def _id(row: Mapping[str, object], where: str) -> str:
    return _matching(row.get("gi_id"), _ID, f"{where}/gi_id")


def _matching(value: object, pattern: re.Pattern[str], where: str) -> str:
    if not isinstance(value, str) or not pattern.match(value):
        raise InputError(f"{value!r:.60} is not as {pattern.pattern.removesuffix(chr(92) + 'Z')}", where=where)
    return value


def _text(row: Mapping[str, object], name: str, where: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not 1 <= len(value.strip()) <= 200 or "\0" in value:
        raise InputError("a text of 1 to 200 characters is needed", where=f"{where}/{name}")
    return value.strip()


def _list(row: Mapping[str, object], name: str, where: str, limit: int) -> list[object]:
    value = row.get(name, [])
    if not isinstance(value, list) or len(value) > limit:
        raise InputError(f"a list of up to {limit} is needed", where=f"{where}/{name}")
    return value


def _gtin(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise InputError("a GTIN is a text of digits", where=where)
    try:
        return gs1.gtin(value)
    except TraceError as error:
        raise InputError(error.what, where=where) from error


def _area(value: object, where: str) -> tuple[Ring, ...]:
    if not isinstance(value, list) or len(value) > MAX_RINGS:
        raise InputError(f"a list of up to {MAX_RINGS} polygons is needed", where=where)
    return tuple(_ring(ring, f"{where}/{number}") for number, ring in enumerate(value))


def _ring(value: object, where: str) -> Ring:
    if not isinstance(value, list) or len(value) > MAX_CORNERS:
        raise InputError(f"a list of up to {MAX_CORNERS} corners is needed", where=where)
    corners = [_corner(one, f"{where}/{number}") for number, one in enumerate(value)]
    if len(corners) > 1 and corners[0] == corners[-1]:
        corners.pop()
    if len(set(corners)) < 3:
        raise InputError("a polygon has three corners or more", where=where)
    return tuple(corners)


def _corner(value: object, where: str) -> tuple[float, float]:
    remedy = "write [longitude, latitude] in degrees, such as [120.26, 33.77]"
    if not isinstance(value, list) or len(value) != 2:
        raise InputError("a corner is a pair of numbers", where=where, remedy=remedy)
    for number in value:
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise InputError("a corner is a pair of numbers", where=where, remedy=remedy)
    longitude, latitude = float(value[0]), float(value[1])
    if not (-180 <= longitude <= 180 and -90 <= latitude <= 90):
        raise InputError("the corner is not on the globe", where=where, remedy=remedy)
    return longitude, latitude


def _seasons(value: object, where: str) -> tuple[Season, ...]:
    if not isinstance(value, Mapping):
        raise InputError("an object of years is needed", where=where)
    found = []
    for year, window in sorted(value.items(), key=lambda pair: str(pair[0])):
        place = f"{where}/{year}"
        number = int(_matching(year, _YEAR, where))
        if not isinstance(window, list) or len(window) != 2:
            raise InputError("two days are needed", where=place, remedy='"2026": ["2026-09-20", "2027-06-30"]')
        season = Season(number, _day(window[0], place), _day(window[1], place))
        if season.closes < season.opens:
            raise InputError("the season ends before it begins", where=place)
        found.append(season)
    return tuple(found)


def _years(value: object, where: str) -> dict[int, int]:
    if not isinstance(value, Mapping):
        raise InputError("an object of years is needed", where=where)
    found = {}
    for year, marks in value.items():
        number = int(_matching(year, _YEAR, where))
        if isinstance(marks, bool) or not isinstance(marks, int) or not 0 <= marks <= 10**12:
            raise InputError("a whole number of marks is needed", where=f"{where}/{year}")
        found[number] = marks
    return found


def _day(value: object, where: str) -> date:
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError as error:
        raise InputError(f"{value!r:.40} is no date", where=where, remedy="write 2026-11-24") from error
