"""What a code page says, gathered from master data, chain, credit archive and the query counter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from trace_server.accounts import store as accounts
from trace_server.catalog import operations as catalog
from trace_server.catalog.model import Subject
from trace_server.catalog.operations import SHANGHAI, item_key, item_uri, lot_key
from trace_server.catalog.profiles import CategoryProfile
from trace_server.credit.operations import credit_line
from trace_server.db import Connection, Database
from trace_server.ingest.model import CLIENT, GATEWAY
from trace_server.portal import rules, store
from trace_server.portal.equipment import equipment_facts
from trace_server.portal.model import Code, PageFacts, Queries, ShownHop
from trace_server.portal.store import Counter, Stamp, Subjects
from trace_server.trace import operations as trace
from trace_server.trace.model import Hop
from trace_server.trace.rules import step_name

MAX_HOPS = 30
"""Hops on one page; older ones are counted in words. Keeps the longest page under one TCP flight."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """Facts of one day with what they depend on. `stamp` is None when the page must not be kept."""

    facts: PageFacts
    hops: tuple[ShownHop, ...]
    more_hops: int
    subjects: Subjects
    stamp: Stamp | None


def local_day_and_hour(now: datetime) -> tuple[date, int]:
    """Day and hour in Asia/Shanghai: the finest that a query is remembered by."""
    local = now.astimezone(SHANGHAI)
    return local.date(), local.hour


def gather(db: Database, profiles: dict[str, CategoryProfile], code: Code, today: date) -> Gathered | None:
    """Everything on one code, seen at one moment of the database; None when its product is not known."""
    with db.read() as conn:
        goods = catalog.goods(conn, code.gtin, code.lot)
        if goods is None:
            return None
        journey = trace.journey(
            conn, db.dialect, item=item_key(code.gtin, code.serial), lot=lot_key(code.gtin, code.lot)
        )
        is_equipment = goods.product.category == rules.EQUIPMENT_CATEGORY
        licence = rules.shown_licence(goods.licences, today)
        producer = goods.producer
        facts = PageFacts(
            code=code,
            today=today,
            product=goods.product,
            profile=profiles[goods.product.category],
            batch=goods.batch,
            producer=producer,
            licence=licence,
            licence_expired=licence is not None and not licence.valid_from <= today <= licence.valid_to,
            credit=credit_line(conn, producer.uscc, today) if producer else None,
            journey=journey,
            equipment=equipment_facts(conn, db.dialect, item_uri(code.gtin, code.serial), today)
            if is_equipment
            else None,
        )
        subjects = Subjects(
            item=item_key(code.gtin, code.serial),
            gtin=code.gtin,
            lot=code.lot,
            uscc=producer.uscc if producer else "",
            keys=journey.keys,
        )
        # A stamp says nothing of the register: pages of equipment are made anew.
        fits = len(journey.keys) <= store.MAX_KEYS and not is_equipment
        shown = _shown(conn, db, journey.hops[:MAX_HOPS])
        stamp = store.stamp(conn, subjects) if fits else None
    return Gathered(facts, shown, max(0, len(journey.hops) - MAX_HOPS), subjects, stamp)


def count_query(counter: Counter, code: Code, now: datetime, *, callers: int) -> Queries:
    """Count one look at the code; `callers` is 0 when the same caller looked within the hour."""
    return counter.count(item_key(code.gtin, code.serial), *local_day_and_hour(now), callers=callers)


def count_known(counter: Counter, subjects: Subjects, now: datetime, *, callers: int) -> tuple[Queries, Stamp]:
    """Count one look at a page that is kept in memory, and say what it would be made from now."""
    return counter.count_and_stamp(subjects, *local_day_and_hour(now), callers=callers)


def _shown(conn: Connection, db: Database, hops: tuple[Hop, ...]) -> tuple[ShownHop, ...]:
    sources = {source for hop in hops for source in _sources(hop)}
    acting = accounts.subjects_of(conn, [one.removeprefix(CLIENT) for one in sources if one.startswith(CLIENT)])
    recorders = [_recorders(hop, acting) for hop in hops]
    known = catalog.subjects_of(conn, db.dialect, {uscc for some in recorders for uscc in some})
    return tuple(
        _shown_hop(hop, [known[uscc] for uscc in some if uscc in known])
        for hop, some in zip(hops, recorders, strict=True)
    )


def _sources(hop: Hop) -> tuple[str, ...]:
    return hop.event.source, *hop.event.also_by


def _recorders(hop: Hop, acting: Mapping[str, str]) -> list[str]:
    """USCC of each company that recorded the hop, by its credential: the place is what the record says of itself.

    A gateway has no company of its own; it stands at its place and may speak of no other.
    """
    operator = hop.place.operator_uscc if hop.place else ""
    named = (
        operator if source.startswith(GATEWAY) else acting.get(source.removeprefix(CLIENT), "")
        for source in _sources(hop)
    )
    return list(dict.fromkeys(uscc for uscc in named if uscc))


def _shown_hop(hop: Hop, recorders: list[Subject]) -> ShownHop:
    return ShownHop(
        day=hop.event.event_time.astimezone(SHANGHAI).date(),
        step=step_name(hop.event.biz_step),
        event_type=hop.event.type,
        city=hop.place.city if hop.place else "",
        city_en=hop.place.city_en if hop.place else "",
        recorder="、".join(one.name for one in recorders),
        recorder_en=", ".join(one.name_en for one in recorders),
        by_device=any(source.startswith(GATEWAY) for source in _sources(hop)),
        relation=hop.node.relation,
        is_input=hop.node.is_input,
        gap_before=hop.gap_before,
    )
