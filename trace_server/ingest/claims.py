"""What a sender may say: a gateway only of its own read points, a producer only of its own places and products.

The credential says who sends, master data say whose a place or product is. Both are asked inside the transaction that
stores the events, with at most three queries a batch. What master data do not know is taken: they may come later.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from prometheus_client import Counter

from trace_core.ids.canonical import canonical_uri
from trace_server.accounts import store as accounts
from trace_server.accounts.model import Role
from trace_server.catalog import store as catalog
from trace_server.db import Connection, Dialect
from trace_server.ingest.model import CLIENT, ActionCode, EventType, LinkRole, Origin, Reason, Rejection
from trace_server.ingest.rules import Taken

UNKNOWN = Counter("suyuan_ingest_unknown", "Producers' events about what master data do not know", ["what"])

_MADE = LinkRole.OUTPUT.value


@dataclass(frozen=True, slots=True)
class _Owners:
    """USCC of the owner: of places by canonical URI, of products by GTIN."""

    places: dict[str, str]
    products: dict[str, str]


def hold_to_claims(
    conn: Connection, dialect: Dialect, origin: Origin, read: Sequence[Taken | Rejection]
) -> list[Taken | Rejection]:
    """`read` with a rejection in place of each event that its sender may not send; `where` is below the event."""
    if origin.gateway is not None:
        points = accounts.read_points_of(conn, origin.gateway)
        return list(read) if points is None else [_at_own_point(one, _canonical(points)) for one in read]
    client = accounts.client_by_id(conn, origin.source.removeprefix(CLIENT))
    if client is None or client.role is not Role.PRODUCER:
        return list(read)
    events = [one for one in read if isinstance(one, Taken)]
    spots = {place for one in events if (place := _place(one)) is not None}
    known = catalog.places(conn, dialect, spots)
    owners = _Owners(
        {uri: place.operator_uscc for uri, place in known.items()},
        catalog.product_owners(conn, dialect, {gtin for one in events for gtin in _made(one)}),
    )
    return [_of_own_company(one, client.subject, owners) for one in read]


@lru_cache(maxsize=4096)
def _canonical(points: tuple[str, ...]) -> frozenset[str]:
    """A gateway's read points seldom change; their spelling is settled once."""
    return frozenset(map(canonical_uri, points))


def _at_own_point(one: Taken | Rejection, points: frozenset[str]) -> Taken | Rejection:
    if isinstance(one, Rejection) or one.event["read_point"] is None or one.event["read_point"] in points:
        return one
    return Rejection(
        Reason.FOREIGN_READ_POINT,
        f"the gateway does not stand at {one.event['read_point']:.200}",
        "/readPoint/id",
        "add the read point to the gateway, or mend the gateway's configuration; then replay",
    )


def _of_own_company(one: Taken | Rejection, subject: str, owners: _Owners) -> Taken | Rejection:
    if isinstance(one, Rejection):
        return one
    place = _place(one)
    operator = owners.places.get(place or "", "")
    if operator not in ("", subject):
        return Rejection(
            Reason.FOREIGN_PLACE,
            f"{place:.200} is a place of {operator}, the sender acts for {subject or 'nobody'}",
            "/readPoint/id" if one.event["read_point"] else "/bizLocation/id",
            "only who operates a place may report from it",
        )
    for gtin in _made(one):
        producer = owners.products.get(gtin)
        if producer is None:
            UNKNOWN.labels("product").inc()
        elif producer != subject:
            return Rejection(
                Reason.FOREIGN_PRODUCT,
                f"{gtin} is a product of {producer}, the sender acts for {subject or 'nobody'}",
                "",
                "only its producer may bring a product into being",
            )
    if place is not None and not operator:
        UNKNOWN.labels("place").inc()
    return one


def _place(one: Taken) -> str | None:
    """Where it happened, canonical: what a journey shows as its place."""
    place: str | None = one.event["read_point"] or one.event["biz_location"]
    return place


def _made(one: Taken) -> Iterator[str]:
    """GTINs of what the event brings into being, each once."""
    event = one.event
    if event["type"] == EventType.TransformationEvent:
        keys = {link["object_key"] for link in one.links if link["role"] == _MADE}
        yield from {row["gtin"]: None for row in one.objects if row["gtin"] and row["object_key"] in keys}
    elif event["type"] == EventType.ObjectEvent and event["action"] == ActionCode.ADD:
        yield from {row["gtin"]: None for row in one.objects if row["gtin"]}
