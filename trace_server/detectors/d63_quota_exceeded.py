"""D63 quota exceeded 超出用标数量: more marks were given out in a year than a user, or all users together, may."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime

from trace_core.ids.canonical import canonical_key
from trace_server.catalog import store as catalog
from trace_server.db import Connection, Dialect
from trace_server.detect.detector import Cleared, Detector, Evidence, Finding, Outcome, Param, SubjectKind, Window
from trace_server.detect.history import histories
from trace_server.detect.indications import standing
from trace_server.indications import store as indications
from trace_server.indications.model import Indication, Register
from trace_server.ingest.model import ActionCode, EventType
from trace_server.ingest.rules import class_uri
from trace_server.ingest.store.parts import last_made, members

RULE = "D63"
ALL = "all"
"""Stands for all users of an indication in a group's key."""


def find(conn: Connection, window: Window, params: Mapping[str, float]) -> Iterator[Outcome]:
    """Count the marks of each year that the window gives out more of, or fewer."""
    if not indications.has_any(conn):
        return
    known = histories(conn, window)
    makers = [
        one
        for one in window.events
        if one.event.action is ActionCode.ADD or one.event.type is EventType.TransformationEvent
    ]
    lots = {lot for one in makers for ref in one.objects for lot in known[ref.key].lots}
    register = indications.register(conn)
    of_product = register.of_product()
    years = {
        (of_product[batch.gtin].gi_id, batch.production_date.year)
        for batch in catalog.batches(conn, lots).values()
        if batch.gtin in of_product
    }
    for gi_id, year in sorted(years):
        yield from _count(conn, window.dialect, register, gi_id, year, params["tolerance_percent"])


def sweep(conn: Connection, dialect: Dialect, now: datetime, params: Mapping[str, float]) -> Iterator[Outcome]:  # noqa: ARG001 – contract
    """Close what a quota that was raised, or another producer of a batch, explains."""
    register = indications.register(conn)
    for page in standing(conn, dialect, RULE):
        groups = {alert.group_key for alert in page}
        still: set[str] = set()
        for gi_id, year in sorted({(group.split("/")[0], int(group.split("/")[1])) for group in groups}):
            for outcome in _count(conn, dialect, register, gi_id, year, params["tolerance_percent"]):
                if isinstance(outcome, Finding):
                    still.add(outcome.group_key)
        yield from (Cleared(group, "the register allows as many") for group in sorted(groups - still))


def _count(
    conn: Connection, dialect: Dialect, register: Register, gi_id: str, year: int, tolerance: float
) -> Iterator[Outcome]:
    indication = next((one for one in register.indications if one.gi_id == gi_id), None)
    limits = _limits(register, indication, year)
    if indication is None or not limits:
        return
    lots = indications.lots_made(conn, indication.gtins, date(year, 1, 1), date(year, 12, 31))
    keys = {canonical_key(class_uri(gtin, lot)): producer for gtin, lot, producer in lots}
    counted = members(conn, dialect, sorted(keys))
    for who, limit in sorted(limits.items()):
        own = {key: marks for key, marks in counted.items() if who in (ALL, keys[key])}
        group, marks = f"{gi_id}/{year}/{who}", sum(own.values())
        moments = (
            [made for key in own if (made := last_made(conn, key))] if marks > limit * (1 + tolerance / 100) else []
        )
        if not moments:
            yield Cleared(group, "no more marks than allowed, or events were declared wrong")
            continue
        moment, event_key = max(moments)
        yield Finding(
            group_key=group,
            subject=gi_id if who == ALL else who,
            # No single user has done what all have done together.
            subject_kind=SubjectKind.DATA if who == ALL else SubjectKind.ENTERPRISE,
            evidence=(Evidence(event_key, moment, f"{marks} of {limit} marks"),),
            values={"indication": gi_id, "name": indication.name, "year": str(year), "limit": str(limit)},
            is_whole=True,
        )


def _limits(register: Register, indication: Indication | None, year: int) -> Mapping[str, int]:
    """User, or `ALL`, → marks that may be given out in the year."""
    if indication is None:
        return {}
    limits: dict[str, int] = {}
    for user in register.users_of(indication.gi_id):
        if year in user.quotas:
            limits[user.uscc] = limits.get(user.uscc, 0) + user.quotas[year]
    if year in indication.ceilings:
        limits[ALL] = indication.ceilings[year]
    return limits


DETECTOR = Detector(
    id=RULE,
    version=1,
    title_zh="超出用标数量",
    title_en="Quota of marks exceeded",
    subject_kind=SubjectKind.ENTERPRISE,
    guard="each marked item counts once however often it is reported, one that was declared wrong does not; years "
    "without a quota are not judged; the ceiling of all users together is data, as no one of them exceeded it alone; "
    "a raised quota closes the alert",
    guard_zh="每件用标物品无论上报几次只计一次，已被声明有误的不计；没有定额的年度不予判断；"
    "全体用标人的总量上限只算数据问题，因为没有哪一家单独超出；定额调高会消除预警",
    basis="地理标志专用标志使用管理办法 art. 7, 8",
    params=(Param("tolerance_percent", 0, "%", "default, the office may change it: marks are counted one by one"),),
    find=find,
    sweep=sweep,
    sweep_every_s=300.0,
)
