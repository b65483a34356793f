"""Use cases of the resolver: the register of hosts, the links, and what a key leads to."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import date, datetime

from trace_core.errors import Conflict, InputError, NotAllowed, NotFound
from trace_core.ids import digital_link
from trace_core.ids.digital_link import DigitalLink
from trace_server import audit
from trace_server.audit.lifecycle import advance, next_state
from trace_server.catalog import operations as catalog
from trace_server.catalog.model import Batch, Place, Product, Subject
from trace_server.catalog.store import product as find_product
from trace_server.db import Connection, Database
from trace_server.portal.equipment import EquipmentFacts, equipment_facts
from trace_server.resolver import rules, store
from trace_server.resolver.model import Host, HostEvent, HostState, Link, Resolved
from trace_server.resolver.states import TRANSITIONS

EQUIPMENT_KEYS = frozenset({"8003", "8004"})
"""Returnable and individual assets: cylinders, lifts, boilers."""


@dataclass(frozen=True, slots=True)
class Thing:
    """What the master data says in public of a key without a serial; all None when it says nothing."""

    link: DigitalLink
    product: Product | None = None
    batch: Batch | None = None
    producer: Subject | None = None
    place: Place | None = None
    equipment: EquipmentFacts | None = None

    @property
    def is_known(self) -> bool:
        return self.product is not None or self.place is not None or self.equipment is not None


def propose_host(db: Database, now: datetime, actor: str, host: str, reason: str) -> Host:
    """Ask for a host to be a target; a second person approves it. Raises `InputError`, `Conflict`."""
    name = rules.host_name(host)
    if not reason.strip():
        raise InputError("a reason is needed", where="reason", remedy="say whose host it is and why links lead there")
    row = Host(name, HostState.PROPOSED, actor, "", reason.strip(), now)
    with db.begin() as conn:
        known = store.host(conn, name)
        if known is None:
            store.add_host(conn, row)
        else:
            next_state(TRANSITIONS, known.state, HostEvent.PROPOSE)
            store.save_host(conn, row)
        audit.record(conn, now, actor, "resolver.host", name, {"event": HostEvent.PROPOSE, "reason": row.reason})
    return row


def approve_host(db: Database, now: datetime, actor: str, host: str) -> Host:
    """Raises `NotFound`, `Conflict` for a host in another state, `NotAllowed` for the one who proposed it."""
    return _decide(db, now, actor, host, HostEvent.APPROVE)


def withdraw_host(db: Database, now: datetime, actor: str, host: str) -> Host:
    """All links to this host are dead at once. Raises `NotFound`, `Conflict`."""
    return _decide(db, now, actor, host, HostEvent.WITHDRAW)


def list_hosts(db: Database) -> list[Host]:
    """The register, by name."""
    with db.read() as conn:
        return store.hosts(conn)


def add_link(db: Database, now: datetime, actor: str, link: Link, *, owner: str | None) -> Link:
    """A link from the key that `link.anchor` names on any domain; `owner`: USCC the caller is bound to.

    Raises `IdentifierError` or `InputError` for what is malformed, `NotAllowed` for goods of others and for hosts
    outside the register, `Conflict` when the thing has its default link or too many.
    """
    parsed = digital_link.parse(link.anchor)
    anchor = DigitalLink(parsed.primary, parsed.qualifiers).canonical()
    new = rules.checked(
        replace(link, anchor=anchor, link_type=rules.link_type(link.link_type), link_id=secrets.token_hex(8))
    )
    with db.begin() as conn:
        if owner is not None:
            _require_own(conn, parsed, owner)
        host = store.host(conn, rules.target(new.href))
        if host is None or host.state is not HostState.APPROVED:
            raise NotAllowed(
                "links lead to approved hosts only", where="href", remedy="have the host proposed and approved"
            )
        if store.count_links(conn, anchor) >= rules.MAX_LINKS:
            raise Conflict(f"a thing has up to {rules.MAX_LINKS} links", where="anchor", remedy="remove one first")
        store.add_link(conn, new, actor, now)
        audit.record(conn, now, actor, "resolver.link.add", anchor, {"type": new.link_type, "href": new.href})
    return new


def remove_link(db: Database, now: datetime, actor: str, anchor: str, link_id: str, *, owner: str | None) -> None:
    """Raises `NotFound`, `NotAllowed`."""
    parsed = digital_link.parse(anchor)
    canonical = DigitalLink(parsed.primary, parsed.qualifiers).canonical()
    with db.begin() as conn:
        if owner is not None:
            _require_own(conn, parsed, owner)
        known = store.link(conn, link_id, canonical)
        if known is None:
            raise NotFound("there is no such link", where="link_id")
        store.remove_link(conn, link_id, canonical)
        audit.record(conn, now, actor, "resolver.link.remove", canonical, {"type": known.link_type, "href": known.href})


def list_links(db: Database, anchor: str) -> list[Link]:
    """All links registered for exactly this key, also those whose host is not approved any more."""
    parsed = digital_link.parse(anchor)
    with db.read() as conn:
        key = DigitalLink(parsed.primary, parsed.qualifiers).canonical()
        return store.links(conn, db.dialect, [key], approved_only=False)


def look_up(db: Database, parsed: DigitalLink, today: date) -> Thing:
    """What is public of this key, `today` in Asia/Shanghai.

    Serials of goods are not looked up: whether one exists is told to its holder alone. Equipment carries its
    registration in public (使用登记标志).
    """
    ai, value = parsed.primary
    with db.read() as conn:
        if ai == "01":
            goods = catalog.goods(conn, value, parsed.value("10") or "")
            if goods is None:
                return Thing(parsed)
            return Thing(parsed, goods.product, goods.batch, goods.producer)
        if ai == "414" and not parsed.qualifiers:
            uri = parsed.canonical()
            return Thing(parsed, place=catalog.places_of(conn, db.dialect, [uri]).get(uri))
        if ai in EQUIPMENT_KEYS and not parsed.qualifiers:
            return Thing(parsed, equipment=equipment_facts(conn, db.dialect, parsed.canonical(), today))
    return Thing(parsed)


def resolve(db: Database, public_url: str, thing: Thing, language: str) -> Resolved:
    """All links of a thing: ours and those of the register, most specific level first."""
    anchors = rules.levels(thing.link)
    with db.read() as conn:
        registered = store.links(conn, db.dialect, anchors)
    own = _own_links(public_url, thing, anchors, language)
    # Our page is the default of goods: it says what is recalled. For other keys a registered default wins.
    has_page = any(link.is_default for link in own)
    registered = [replace(link, is_default=False) if has_page else link for link in registered]
    links = sorted((*own, *registered), key=lambda link: anchors.index(link.anchor))
    return Resolved(anchors[0], _describe(thing, language), tuple(links))


def _own_links(public_url: str, thing: Thing, anchors: list[str], language: str) -> list[Link]:
    if not thing.is_known:
        return []
    here, page = anchors[0], public_url + thing.link.path
    chinese = language != "en"
    titles = (
        ("产品信息", "溯源信息", "召回公告") if chinese else ("Product information", "Traceability", "Recall notice")
    )
    if thing.place is not None:
        title = "地点信息" if chinese else "About this place"
        return [Link(here, "locationInfo", page, title, media_type="text/html", is_default=True)]
    if thing.equipment is not None:
        title = "设备信息" if chinese else "About this equipment"
        return [Link(here, "pip", page, title, media_type="text/html", is_default=True)]
    links = [
        Link(here, "pip", page, titles[0], media_type="text/html", is_default=True),
        Link(here, "traceability", page, titles[1], media_type="text/html"),
        Link(here, "epcis", f"{public_url}/api/v1/events?MATCH_anyEPC={digital_link.escape(here)}", "EPCIS 2.0",
             media_type="application/ld+json", forward_query=False),
    ]  # fmt: skip
    if thing.batch is not None and thing.batch.recall is not None:
        links.append(Link(here, "recallStatus", f"{page}#recall", titles[2], media_type="text/html"))
    return links


def _describe(thing: Thing, language: str) -> str:
    named = thing.product
    if named is not None:
        return (named.name_en if language == "en" else "") or named.name
    kind = thing.equipment.kind if thing.equipment is not None else None
    if kind is not None:
        return kind.title_en if language == "en" else kind.title
    if thing.place is not None:
        return (thing.place.city_en if language == "en" else "") or thing.place.city
    return ""


def _decide(db: Database, now: datetime, actor: str, host: str, event: HostEvent) -> Host:
    name = rules.host_name(host)
    with db.begin() as conn:
        known = store.host(conn, name)
        if known is None:
            raise NotFound("the register has no such host", where="host", remedy="propose it first")
        if event is HostEvent.APPROVE and known.proposed_by == actor:
            raise NotAllowed("a second person approves a host", where="host", remedy="ask a colleague")
        state = advance(
            conn,
            now,
            table=TRANSITIONS,
            state=known.state,
            event=event,
            actor=actor,
            object=name,
            action="resolver.host",
        )
        decided = replace(known, state=state, decided_by=actor, updated_at=now)
        store.save_host(conn, decided)
    return decided


def _require_own(conn: Connection, parsed: DigitalLink, owner: str) -> None:
    ai, value = parsed.primary
    product = find_product(conn, value) if ai == "01" else None
    if product is None or product.producer_uscc != owner:
        raise NotAllowed("links of these goods are their producer's to give", where="anchor")
