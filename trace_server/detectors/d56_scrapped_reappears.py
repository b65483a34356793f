"""D56 scrapped equipment reappears 报废再现: special equipment is handed out or made anew after its scrap day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from trace_core.epcis.cbv import BizStep
from trace_server.db import Connection
from trace_server.detect.assets import AssetRule, asset_findings
from trace_server.detect.detector import Detector, Outcome, Param, Severity, SubjectKind, Window
from trace_server.detect.steps import LEGAL_TIME, SALE
from trace_server.equipment.model import Asset
from trace_server.ingest.store.parts import Part

_STEPS = SALE | {BizStep.COMMISSIONING.uri}


def find(conn: Connection, window: Window, params: Mapping[str, float]) -> Iterator[Outcome]:
    """Judge sales, handing out and commissioning of registered things."""
    grace = timedelta(days=params["grace_days"])

    def judge(part: Part, asset: Asset) -> str:
        if asset.scrap_on is None:
            return ""
        late = part.event_time.astimezone(LEGAL_TIME).date() - asset.scrap_on
        return f"{late.days} d after scrap" if late >= grace else ""

    return asset_findings(conn, window, AssetRule(_STEPS, judge, _values))


def _values(asset: Asset) -> Mapping[str, str]:
    day = asset.scrap_on.isoformat() if asset.scrap_on else ""
    return {"scrap_on": day, "owner": asset.owner, "register": asset.source, "as_of": asset.as_of.isoformat()}


DETECTOR = Detector(
    id="D56",
    version=1,
    title_zh="报废再现",
    title_en="Scrapped equipment reappears",
    subject_kind=SubjectKind.ENTERPRISE,
    severity=Severity.HIGH,
    guard="only use counts: storing, carrying and destroying scrap is allowed; the register's scrap day begins it",
    guard_zh="只有使用才算：报废品的存放、运送和销毁都允许；从登记的报废日起算",
    basis="特种设备安全法 art. 48, 84",
    params=(Param("grace_days", 0, "d", "特种设备安全法 art. 48: no use from the scrap day on"),),
    find=find,
)
