"""D55 maintenance overdue 维保超期: a lift in use has had no maintenance for longer than its kind may go without."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, time, timedelta

from trace_server.db import Connection, Dialect
from trace_server.detect.detector import Detector, Finding, Outcome, Param, SubjectKind
from trace_server.detect.standing import explained
from trace_server.detect.steps import LEGAL_TIME
from trace_server.equipment import store as equipment
from trace_server.equipment.kinds import kinds
from trace_server.equipment.model import Asset, State
from trace_server.equipment.states import state_on
from trace_server.trace.acts import Act, ActKind, acts_of

RULE = "D55"
PAGE = 200
_IN_USE = frozenset({State.IN_USE, State.DUE_SOON, State.OVERDUE})


def sweep(conn: Connection, dialect: Dialect, now: datetime, params: Mapping[str, float]) -> Iterator[Outcome]:
    """Judge everything in use that must be maintained, by its newest maintenance event."""
    periods = {row.name: timedelta(days=row.maintenance_days) for row in kinds().values() if row.maintenance_days}
    grace, today, after = timedelta(days=params["grace_days"]), now.astimezone(LEGAL_TIME).date(), ""
    standing = set()
    while page := equipment.in_use(conn, periods, after=after, limit=PAGE):
        after = page[-1].uri
        acts = acts_of(conn, dialect, [row.uri for row in page])
        for row in page:
            last = _last(row, acts.get(row.uri, []), now)
            if last is None or state_on(row, today) not in _IN_USE:
                continue
            until = last + periods[row.kind] + grace
            if now > until:
                standing.add(row.uri)
                yield _finding(row, last, until, periods[row.kind])
    yield from explained(conn, dialect, RULE, standing, "a maintenance came in, or it is not in use")


def _last(row: Asset, acts: Sequence[Act], now: datetime) -> datetime | None:
    """End of the day of the newest maintenance, else of the first day of use: periods are counted in days."""
    done = [act.event_time for act in acts if act.kind is ActKind.MAINTENANCE and act.event_time <= now]
    days = [moment.astimezone(LEGAL_TIME).date() for moment in done] + ([row.in_use_on] if row.in_use_on else [])
    return datetime.combine(max(days) + timedelta(days=1), time(), LEGAL_TIME) if days else None


def _finding(row: Asset, last: datetime, until: datetime, period: timedelta) -> Finding:
    values = {
        "last_maintenance": (last - timedelta(days=1)).date().isoformat(),
        "days": str(period.days),
        "owner": row.owner,
        "device_code": row.device_code,
    }
    kind = SubjectKind.ENTERPRISE
    return Finding(row.uri, row.maintainer or row.owner or row.uri, kind, (), values, began_at=until)


DETECTOR = Detector(
    id=RULE,
    version=1,
    title_zh="维保超期",
    title_en="Maintenance overdue",
    subject_kind=SubjectKind.ENTERPRISE,
    guard="only what is in use and whose kind has a period in trace_server/equipment/kinds.toml; the day of the "
    "maintenance is free; counted from the first day of use when there was none, not judged when that is unknown; "
    "an event that comes late closes the alert",
    guard_zh="只判断在用且其种类在 trace_server/equipment/kinds.toml 有周期的设备；维保当日不算超期；"
    "从未维保的从首次使用日起算，该日不明的不予判断；迟到的维保记录会消除预警",
    basis="特种设备安全监察条例 art. 31",
    params=(Param("grace_days", 0, "d", "特种设备安全监察条例 art. 31: at least every 15 days"),),
    sweep=sweep,
    sweep_every_s=600.0,
)
