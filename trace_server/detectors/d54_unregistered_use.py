"""D54 unregistered use 未登记使用: equipment is in use for longer than the law gives without a use registration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, time, timedelta

from trace_server.db import Connection, Dialect
from trace_server.detect.detector import Detector, Finding, Outcome, Param, SubjectKind
from trace_server.detect.standing import explained
from trace_server.detect.steps import LEGAL_TIME
from trace_server.equipment import store as equipment

RULE = "D54"


def sweep(conn: Connection, dialect: Dialect, now: datetime, params: Mapping[str, float]) -> Iterator[Outcome]:
    """Judge the register as it stands today."""
    days = timedelta(days=params["days"])
    found = {row.uri: row for row in equipment.unregistered(conn, now.astimezone(LEGAL_TIME).date() - days)}
    for uri, row in found.items():
        if row.in_use_on is None:
            continue
        last_day = row.in_use_on + days
        yield Finding(
            group_key=uri,
            subject=row.owner or uri,
            subject_kind=SubjectKind.ENTERPRISE,
            evidence=(),
            values={"in_use_on": row.in_use_on.isoformat(), "device_code": row.device_code, "register": row.source},
            began_at=datetime.combine(last_day + timedelta(days=1), time(), LEGAL_TIME),
        )
    yield from explained(conn, dialect, RULE, found, "it is registered, or not in use")


DETECTOR = Detector(
    id=RULE,
    version=1,
    title_zh="未登记使用",
    title_en="Unregistered use",
    subject_kind=SubjectKind.ENTERPRISE,
    guard="only things whose first day of use is known; out of service and scrapped ones do not count; a registration "
    "that comes in closes the alert",
    guard_zh="只判断首次使用日期已知的设备；停用和报废的不计；补办登记会消除预警",
    basis="特种设备安全法 art. 33, 83",
    params=(Param("days", 30, "d", "特种设备安全法 art. 33: within 30 days of use"),),
    sweep=sweep,
    sweep_every_s=600.0,
)
