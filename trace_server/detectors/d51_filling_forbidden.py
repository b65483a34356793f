"""D51 filling forbidden 违规充装: a cylinder was filled that is overdue, scrapped, another station's or unknown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from trace_server.db import Connection, Dialect
from trace_server.detect import store
from trace_server.detect.detector import Cleared, Detector, Evidence, Outcome, Param, Severity, SubjectKind, Window
from trace_server.detect.filling import Cylinder, FillingRule, filling_findings, operators, register_values
from trace_server.detect.model import AlertState
from trace_server.detect.steps import LEGAL_TIME
from trace_server.equipment import store as equipment
from trace_server.trace.acts import Act

RULE = "D51"
UNKNOWN = "unknown cylinder"


def find(conn: Connection, window: Window, params: Mapping[str, float]) -> Iterator[Outcome]:
    """Judge every filling by the dates that held on its day."""
    operator_of = operators(conn, window)

    def judge(cylinder: Cylinder) -> Iterator[tuple[Act, str]]:
        for act in cylinder.fillings:
            value = _forbidden(cylinder, act, operator_of(act.place))
            if value:
                yield act, value

    def wait_until(evidence: Sequence[Evidence]) -> datetime | None:
        is_unknown = all(one.value == UNKNOWN for one in evidence)
        return evidence[0].event_time + timedelta(hours=params["wait_h"]) if is_unknown else None

    return filling_findings(conn, window, FillingRule(judge, register_values, wait_until))


def sweep(conn: Connection, dialect: Dialect, now: datetime, params: Mapping[str, float]) -> Iterator[Outcome]:  # noqa: ARG001 – contract
    """Take back what was suspected of unknown cylinders that are in the register now: no event tells of that."""
    for state in (AlertState.WAITING, AlertState.OPEN):
        after: tuple[datetime, bytes] | None = None
        while page := store.alerts(conn, dialect, rule_id=RULE, state=state, after=after):
            after = page[-1].opened_at, page[-1].alert_key
            unknown = {
                one.group_key.partition("@")[0]: one.group_key
                for one in page
                if all(evidence.value == UNKNOWN for evidence in one.evidence)
            }
            for uri in equipment.assets_of(conn, dialect, unknown):
                yield Cleared(unknown[uri], "the cylinder is in the register now")


def _forbidden(cylinder: Cylinder, act: Act, operator: str) -> str:
    asset = cylinder.facts_at(act.event_time)
    if asset is None:
        return UNKNOWN
    day = act.event_time.astimezone(LEGAL_TIME).date()
    found = []
    if asset.scrap_on is not None and day >= asset.scrap_on:
        found.append(f"{(day - asset.scrap_on).days} d after scrap")
    if asset.inspection_due is not None and day > asset.inspection_due:
        found.append(f"{(day - asset.inspection_due).days} d overdue")
    if asset.owner and operator and asset.owner != operator:
        found.append(f"owner {asset.owner}, station {operator}")
    return "; ".join(found)


DETECTOR = Detector(
    id=RULE,
    version=1,
    title_zh="违规充装",
    title_en="Filling forbidden",
    subject_kind=SubjectKind.ENTERPRISE,
    severity=Severity.HIGH,
    guard="each filling is judged by the dates that held on its day; an unknown cylinder waits wait_h for the "
    "register and is cleared when it comes in; a foreign one only where the register knows who runs the station",
    guard_zh="每次充装按当日有效的日期判断；未知气瓶等待登记 wait_h，登记到位即消除预警；"
    "非本站气瓶只在登记载明充装站由谁经营时判断",
    basis="特种设备安全法 art. 49, 85",
    params=(Param("wait_h", 24, "h", "default, the office may change it: the register may be behind"),),
    find=find,
    sweep=sweep,
)
