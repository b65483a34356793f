"""Mass balance: what came out against what usually comes of what went in, and stock that cannot be below nothing."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from trace_core.epcis.units import convert
from trace_core.errors import InputError, NotFound
from trace_core.ids import canonical
from trace_server.catalog import store as catalog
from trace_server.catalog.model import Product
from trace_server.db import Connection, Dialect
from trace_server.ingest.store.events import objects
from trace_server.ingest.store.parts import transformations_at
from trace_server.trace.allocating import Entry, Transformation, unit_name
from trace_server.trace.model import ALWAYS, Interval, LinkRole
from trace_server.trace.operations import MAX_URI
from trace_server.trace.reading import Reading
from trace_server.trace.shares import read_flows
from trace_server.trace.yields import Yield, load_yields

MASS = "KGM"
TOLERANCE_PERCENT = 2.0
"""domain.md D12: scales and moisture."""
MAX_TRANSFORMATIONS = 10_000
_LEGAL_TIME = ZoneInfo("Asia/Shanghai")
_MADE = frozenset({LinkRole.OUTPUT, LinkRole.COMMISSION})
_ENDED = frozenset({LinkRole.INPUT, LinkRole.DECOMMISSION})


class Verdict(StrEnum):
    """What a balance says."""

    WITHIN = "within"
    OVER = "over"
    """More came out than can come of what is recorded to have gone in."""
    UNDER = "under"
    INCOMPLETE = "incomplete"
    """`missing` says what is not recorded."""
    NO_YIELD = "no_yield"
    """The table has no yield for these goods."""


@dataclass(frozen=True, slots=True)
class Line:
    """One transformation by one yield. Kilograms; None: cannot be told. `difference`: beyond the expected range."""

    transformation: bytes
    event_time: datetime
    event_keys: tuple[bytes, ...]
    """Of the outputs."""
    place: str
    rule: str
    is_confirmed: bool
    used: float | None
    made: float | None
    expected: tuple[float, float] | None
    difference: float | None
    verdict: Verdict
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stock:
    """What is left of a lot by its records, in `uom`. `ended`: used up or destroyed."""

    object_key: bytes
    uri: str
    made: float
    ended: float
    uom: str
    missing: tuple[str, ...]

    @property
    def left(self) -> float | None:
        """None while something is missing."""
        return None if self.missing else float(f"{self.made - self.ended:.12g}")


@dataclass(frozen=True, slots=True)
class Balance:
    """The balance of an object or a site: each transformation, the oldest first, and the stock of each lot in them."""

    uri: str
    window: Interval
    lines: tuple[Line, ...]
    stock: tuple[Stock, ...]


def mass_balance(conn: Connection, dialect: Dialect, uri: str, window: Interval = ALWAYS) -> Balance:
    """Of the transformations that used or made the object `uri`, or happened at the site `uri`, within `window`.

    Raises `InputError` (no identifier) and `NotFound` (no such transformation is recorded).
    """
    if not uri or len(uri) > MAX_URI or ":" not in uri:
        raise InputError("an identifier URI is expected", where="uri", remedy="a lot, an item or a site")
    reading = Reading(conn, dialect)
    own = [group.link for group in reading.links([canonical.object_key(uri)])]
    keys = {
        link.peer_key
        for link in own
        if link.role in (LinkRole.INPUT, LinkRole.OUTPUT)
        and link.peer_key is not None
        and window.holds(link.event_time)
    }
    site = canonical.canonical_uri(uri)
    if not own:
        keys = set(transformations_at(conn, site, window.start, window.end, MAX_TRANSFORMATIONS))
    if not keys:
        raise NotFound("no transformation of this object or at this site is recorded in that time", where="uri")
    lines, stock = balances(conn, dialect, reading, sorted(keys))
    return Balance(site, window, lines, stock)


def balances(
    conn: Connection, dialect: Dialect, reading: Reading, keys: Sequence[bytes]
) -> tuple[tuple[Line, ...], tuple[Stock, ...]]:
    """The lines of these transformations and the stock of the lots in them."""
    around = read_flows(conn, dialect, reading, keys).transformations
    told = [around[key] for key in keys if key in around]
    entries = {entry.key for one in told for entry in (*one.inputs, *one.outputs)}
    named = objects(conn, dialect, sorted(entries))
    gtins = {one.gtin for one in named.values() if one.gtin}
    products = {gtin: product for gtin in sorted(gtins) if (product := catalog.product(conn, gtin)) is not None}
    known = {key: products[one.gtin] for key, one in named.items() if one.gtin in products}
    places: dict[bytes, tuple[str, tuple[bytes, ...]]] = {}
    for one in told:
        made = [group.link.event_key for group in reading.outputs([one.key])]
        rows = [reading.events[key] for key in sorted(set(made)) if key in reading.events]
        where = sorted({row.biz_location or row.read_point for row in rows if row.biz_location or row.read_point})
        places[one.key] = (where[0] if where else "", tuple(row.event_key for row in rows))
    lines = [line for one in told for line in _lines(one, known, places[one.key])]
    classes = sorted(key for key, one in named.items() if one.is_class)
    moves: dict[bytes, list[tuple[LinkRole, Entry]]] = defaultdict(list)
    for group in reading.links(classes):
        link = group.link
        if link.role in _MADE | _ENDED:
            for key in group.objects:
                moves[key].append((link.role, Entry(key, link.event_time, link.quantity, link.uom)))
    stock = [one for key in classes for one in stock_of(key, named[key].canonical_uri, moves[key])]
    return tuple(sorted(lines, key=lambda line: (line.event_time, line.transformation, line.rule))), tuple(stock)


def _lines(
    one: Transformation, known: Mapping[bytes, Product], outputs: tuple[str, tuple[bytes, ...]]
) -> Iterable[Line]:
    place, event_keys = outputs
    moment = max(entry.event_time for entry in (*one.outputs, *one.inputs))
    day = moment.astimezone(_LEGAL_TIME).date()
    rules = [
        rule
        for rule in load_yields()
        if rule.starts <= day and any(rule.output.holds(known[e.key]) for e in one.outputs if e.key in known)
    ]
    for rule in rules:
        used = [e for e in one.inputs if e.key in known and rule.input.holds(known[e.key])]
        made = [e for e in one.outputs if e.key in known and rule.output.holds(known[e.key])]
        yield judge(one.key, moment, (place, event_keys), rule, used, made)
    if not rules:
        masses = (_mass(one.inputs), _mass(one.outputs))
        unknown = () if one.inputs else ("no input is recorded",)
        verdict = Verdict.NO_YIELD
        yield Line(one.key, moment, event_keys, place, "", False, *masses, None, None, verdict, unknown)


def judge(
    key: bytes,
    moment: datetime,
    outputs: tuple[str, tuple[bytes, ...]],
    rule: Yield,
    used: Sequence[Entry],
    made: Sequence[Entry],
) -> Line:
    """The line of what `rule` is about; `outputs` is (place, event keys)."""
    went_in, came_out = _mass(used), _mass(made)
    missing = []
    if not used:
        missing.append("no input of this kind is recorded")
    elif went_in is None:
        missing.append("an input has no mass")
    if came_out is None:
        missing.append("an output has no mass")
    place, event_keys = outputs
    if missing or went_in is None or came_out is None:
        numbers: tuple[tuple[float, float] | None, float | None] = (None, None)
        verdict = Verdict.INCOMPLETE
    else:
        low, high = went_in * rule.minimum, went_in * rule.maximum
        beyond = came_out - high if came_out > high else min(0.0, came_out - low)
        slack = TOLERANCE_PERCENT / 100
        is_over, is_under = came_out > high * (1 + slack), came_out < low * (1 - slack)
        verdict = Verdict.OVER if is_over else Verdict.UNDER if is_under else Verdict.WITHIN
        numbers = ((float(f"{low:.12g}"), float(f"{high:.12g}")), float(f"{beyond:.12g}"))
    amounts = (went_in if used else None, came_out)
    return Line(
        key, moment, event_keys, place, rule.name, rule.is_confirmed, *amounts, *numbers, verdict, tuple(missing)
    )


def stock_of(key: bytes, uri: str, moves: Iterable[tuple[LinkRole, Entry]]) -> list[Stock]:
    """One entry for each dimension that the lot is told in."""
    groups: dict[str, list[tuple[LinkRole, Entry]]] = defaultdict(list)
    unknown = False
    for role, entry in moves:
        if entry.quantity is None:
            unknown = True
        else:
            groups[unit_name(entry.uom)].append((role, entry))
    found = []
    for name in sorted(groups):
        uom = min(entry.uom for _, entry in groups[name])
        made, ended = [
            math.fsum(convert(e.quantity or 0.0, e.uom, uom) or 0.0 for role, e in groups[name] if role in roles)
            for roles in (_MADE, _ENDED)
        ]
        missing = [] if any(role in _MADE for role, _ in groups[name]) else ["its making is not recorded in this unit"]
        missing += ["a quantity is not recorded"] if unknown else []
        found.append(Stock(key, uri, made, ended, uom, tuple(missing)))
    return found


def _mass(entries: Iterable[Entry]) -> float | None:
    """Kilograms of all of them; None when one has no mass."""
    masses = [None if e.quantity is None else convert(e.quantity, e.uom, MASS) for e in entries]
    known = [mass for mass in masses if mass is not None]
    return float(f"{math.fsum(known):.12g}") if known and len(known) == len(masses) else None
