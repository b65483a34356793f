"""D50 inspection overdue 超期未检: special equipment is handed to a user after its last day of use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from trace_server.db import Connection
from trace_server.detect.assets import AssetRule, asset_findings
from trace_server.detect.detector import Detector, Outcome, Param, SubjectKind, Window
from trace_server.detect.steps import LEGAL_TIME, SALE
from trace_server.equipment.model import Asset
from trace_server.ingest.store.parts import Part


def find(conn: Connection, window: Window, params: Mapping[str, float]) -> Iterator[Outcome]:
    """Judge sales and handing out of registered things."""
    grace = timedelta(days=params["grace_days"])

    def judge(part: Part, asset: Asset) -> str:
        if asset.inspection_due is None:
            return ""
        late = part.event_time.astimezone(LEGAL_TIME).date() - asset.inspection_due
        return f"{late.days} d overdue" if late > grace else ""

    return asset_findings(conn, window, AssetRule(SALE, judge, _values))


def _values(asset: Asset) -> Mapping[str, str]:
    due = asset.inspection_due.isoformat() if asset.inspection_due else ""
    return {"inspection_due": due, "owner": asset.owner, "register": asset.source, "as_of": asset.as_of.isoformat()}


DETECTOR = Detector(
    id="D50",
    version=1,
    title_zh="超期未检",
    title_en="Inspection overdue",
    subject_kind=SubjectKind.ENTERPRISE,
    guard="only handing to a user counts: storing it, and sending it to inspection or scrap, is allowed; the due day "
    "itself is free; things without a due date in the register are not judged",
    guard_zh="只有交给使用者才算：存放、送检、送去报废都允许；到期当日不算；登记中没有到期日的不予判断",
    basis="特种设备安全法 art. 40, 84",
    params=(Param("grace_days", 0, "d", "特种设备安全法 art. 40: no use after the due date"),),
    find=find,
)
