"""Use cases of tag ranges: ask, grant, refuse, revoke, list, and issue codes of them. One transaction each, audited."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from trace_core.errors import Conflict, InputError, NotAllowed, NotFound
from trace_core.ids import gs1
from trace_core.ids import uscc as codes
from trace_server import audit
from trace_server.audit.lifecycle import advance
from trace_server.catalog import operations as catalog
from trace_server.catalog import store as goods
from trace_server.catalog.model import IssuedCode, LicenceState, SubjectStatus
from trace_server.catalog.operations import SHANGHAI
from trace_server.db import Connection, Database
from trace_server.registers import rules, store
from trace_server.registers.model import RangeEvent, RangeState, TagRange
from trace_server.registers.states import TRANSITIONS
from trace_server.services import Services


@dataclass(frozen=True, slots=True)
class RangeRequest:
    """Which serials of which product, how many of them, and what for. `quota` None: all of them."""

    uscc: str
    gtin: str
    first: str
    last: str
    purpose: str
    quota: int | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """What is granted of a request; `quota` None: as asked; `valid_to` None: no end."""

    reason: str
    version: int
    valid_from: date | None = None
    """None: today."""
    valid_to: date | None = None
    quota: int | None = None


def request_range(services: Services, actor: str, wanted: RangeRequest, *, owner: str | None = None) -> TagRange:
    """Ask for a range; `owner`: USCC that the caller acts for, None for the authority on somebody's behalf.

    Raises `InputError`, `IdentifierError`, `NotFound` for an unknown product, `NotAllowed` for somebody else's,
    `Conflict` when a range that is granted or asked for holds one of the serials.
    """
    now = services.clock()
    uscc, gtin = codes.parse(wanted.uscc).code, gs1.gtin(wanted.gtin)
    if owner is not None and uscc != owner:
        raise NotAllowed("the range is for another subject", where="uscc", remedy=f"write {owner}")
    span = rules.span(wanted.first, wanted.last)
    row = TagRange(
        range_id=f"range-{secrets.token_hex(6)}",
        uscc=uscc,
        gtin=gtin,
        span=span,
        quota=rules.quota(span.size if wanted.quota is None else wanted.quota, span),
        issued=0,
        state=RangeState.REQUESTED,
        purpose=rules.require_text(wanted.purpose, "purpose"),
        requested_by=actor,
        requested_at=now,
        decided_by="",
        decided_at=None,
        reason="",
        valid_from=None,
        valid_to=None,
        version=1,
    )
    with services.db.begin() as conn:
        _exclude(services, conn, gtin)
        product = goods.product(conn, gtin)
        if product is None:
            raise NotFound("the product is not registered", where="gtin", remedy="register it first")
        if product.producer_uscc != uscc:
            raise NotAllowed("the product is another subject's", where="gtin")
        _require_free(conn, row, (RangeState.GRANTED, RangeState.REQUESTED))
        store.add(conn, row)
        detail = {"gtin": gtin, "uscc": uscc, "first": span.first, "last": span.last, "quota": row.quota}
        audit.record(conn, now, actor, "range.request", row.range_id, detail)
    return row


def grant_range(services: Services, actor: str, range_id: str, grant: Grant) -> TagRange:
    """Grant what was asked for, or less. Whoever asked does not grant.

    Raises `NotFound`, `NotAllowed`, `InputError`, `Conflict`.
    """
    now = services.clock()
    with services.db.begin() as conn:
        row = _open(services, conn, range_id, grant.version)
        if row.requested_by == actor:
            raise NotAllowed("a second person grants a range", where="actor", remedy="ask a colleague")
        _require_in_market(conn, row.uscc)
        valid_from = grant.valid_from or now.astimezone(SHANGHAI).date()
        if grant.valid_to is not None and grant.valid_to < valid_from:
            raise InputError("the range ends before it begins", where="valid_to")
        quota = row.quota if grant.quota is None else grant.quota
        if quota > row.quota:
            raise InputError("more than was asked for", where="quota", remedy=f"at most {row.quota}")
        moved = replace(
            row, quota=rules.quota(quota, row.span), valid_from=valid_from, valid_to=grant.valid_to
        )  # fmt: skip
        if row.state is RangeState.REQUESTED:
            _require_free(conn, row, (RangeState.GRANTED,))
        return _step(conn, now, actor, moved, RangeEvent.GRANT, grant.reason)


def end_range(
    services: Services, actor: str, range_id: str, event: RangeEvent, *, reason: str, version: int
) -> TagRange:
    """Refuse what was asked for, or revoke what was granted: then no more codes of it are issued.

    Raises `NotFound`, `InputError`, `Conflict`.
    """
    if event is RangeEvent.GRANT:
        raise InputError("a grant says more than a reason", where="event", remedy="grant_range")
    with services.db.begin() as conn:
        row = _open(services, conn, range_id, version)
        return _step(conn, services.clock(), actor, row, event, reason)


def ranges_of(
    services: Services,
    uscc: str,
    state: RangeState | None = None,
    *,
    after: tuple[datetime, str] | None = None,
    limit: int = 50,
) -> list[TagRange]:
    """Ranges of a subject ("": of everybody) in the order they were asked for; `after`: time and id of the last."""
    with services.db.read() as conn:
        return store.ranges(conn, codes.parse(uscc).code if uscc else "", state, after=after, limit=limit)


def issue_codes(db: Database, wanted: Sequence[IssuedCode], *, actor: str, now: datetime) -> int:
    """Register printed codes; returns how many are new (issuing a code again is no error and costs no quota).

    Of a product that has granted ranges only codes of a range in force of the batch's producer are issued, and never
    more than its quota, however many ask at once. Raises `InputError`, `NotAllowed` outside the ranges or
    for a producer that has left the market, `Conflict` when a quota is used up.
    """
    if len(wanted) > catalog.MAX_CODES:
        raise InputError(f"{len(wanted)} codes at once", remedy=f"at most {catalog.MAX_CODES}")
    with db.begin() as conn:
        granted = store.locked_of(conn, db.dialect, {code.gtin for code in wanted})
        for uscc in sorted(_producers(conn, wanted)):
            _require_in_market(conn, uscc)
        # Asked after the lock: what another issue registered meanwhile is not new any more.
        for range_id, count in _taken(conn, db, granted, wanted, now).items():
            store.take(conn, range_id, count)
        return catalog.issue_within(conn, db.dialect, wanted, actor=actor, now=now)


def _producers(conn: Connection, wanted: Sequence[IssuedCode]) -> set[str]:
    found = goods.batches(conn, {(code.gtin, code.lot) for code in wanted})
    return {batch.producer_uscc for batch in found.values()}


def _require_in_market(conn: Connection, uscc: str) -> None:
    """Who has left the market (市场退出) gets no codes: raises `NotAllowed` for a subject whose business registration
    is revoked or closed, or whose licences were all taken away."""
    subject, licences = goods.subject(conn, uscc), goods.licences(conn, uscc)
    gone = subject is not None and subject.status in (SubjectStatus.REVOKED, SubjectStatus.CLOSED)
    ended = (LicenceState.REVOKED, LicenceState.CANCELLED)
    if gone or (licences and all(one.state in ended for one in licences)):
        raise NotAllowed(
            f"{uscc} has left the market: its registration or its licences were taken away",
            where="uscc",
            remedy="account for the stock that is left; no new codes are issued",
        )


def _taken(
    conn: Connection, db: Database, granted: Sequence[TagRange], wanted: Sequence[IssuedCode], now: datetime
) -> Counter[str]:
    """Range → new codes of it."""
    taken: Counter[str] = Counter()
    under = {row.gtin for row in granted}
    by_key = {catalog.item_key(code.gtin, code.serial): code for code in wanted if code.gtin in under}
    known = goods.issued_keys(conn, db.dialect, by_key)
    owners: dict[tuple[str, str], str] = {}
    today = now.astimezone(SHANGHAI).date()
    for key, code in by_key.items():
        if key in known:
            continue
        if (code.gtin, code.lot) not in owners:
            batch = goods.batch(conn, code.gtin, code.lot)
            owners[code.gtin, code.lot] = batch.producer_uscc if batch is not None else ""
        row = next((one for one in granted if one.gtin == code.gtin and one.span.holds(code.serial)), None)
        if row is None or row.uscc != owners[code.gtin, code.lot] or not row.in_force(today):
            raise NotAllowed(
                f"the serial {code.serial} is in no range of the producer that is in force",
                where="serial",
                remedy="use a serial of a granted range, or ask for one",
            )
        taken[row.range_id] += 1
        if taken[row.range_id] > row.left:
            raise Conflict(
                f"the quota of {row.quota} codes of {row.span.first}–{row.span.last} is used up",
                where="serial",
                remedy="ask for another range",
            )
    return taken


def _open(services: Services, conn: Connection, range_id: str, version: int) -> TagRange:
    """The range, locked, with its product excluded for others. Raises `NotFound` or `Conflict`."""
    row = store.locked(conn, range_id)
    if row is None:
        raise NotFound("there is no such range", where="range_id")
    if row.version != version:
        raise Conflict("somebody else changed it meanwhile", where="version", remedy="reload it")
    _exclude(services, conn, row.gtin)
    return row


def _exclude(services: Services, conn: Connection, gtin: str) -> None:
    services.db.dialect.exclude(conn, f"tag-ranges:{gtin}")


def _require_free(conn: Connection, row: TagRange, states: tuple[RangeState, ...]) -> None:
    others = [one for one in store.overlapping(conn, row.gtin, row.span, states) if one.range_id != row.range_id]
    if others:
        span = others[0].span
        raise Conflict(
            f"some of these serials are in the range {span.first}–{span.last}",
            where="first",
            remedy="begin behind it",
        )


def _step(conn: Connection, now: datetime, actor: str, row: TagRange, event: RangeEvent, reason: str) -> TagRange:
    why = rules.require_text(reason, "reason")
    state = advance(
        conn, now, table=TRANSITIONS, state=row.state, event=event, actor=actor, object=row.range_id,
        action=f"range.{event}", detail={"gtin": row.gtin, "uscc": row.uscc, "quota": row.quota, "reason": why},
    )  # fmt: skip
    moved = replace(row, state=state, decided_by=actor, decided_at=now, reason=why, version=row.version + 1)
    store.save(conn, moved)
    return moved
