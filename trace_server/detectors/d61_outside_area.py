"""D61 outside area 产地范围外: goods with an indication get their mark outside the protected area."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from trace_server.catalog import store as catalog
from trace_server.catalog.model import Batch
from trace_server.db import Connection, Dialect
from trace_server.detect.detector import Detector, Outcome, Param, SubjectKind, Window
from trace_server.detect.indications import IndicationRule, indication_findings, marks_goods, take_back
from trace_server.indications.area import distance_km
from trace_server.indications.model import Indication, Register
from trace_server.ingest.store.parts import Part

RULE = "D61"


def find(conn: Connection, window: Window, params: Mapping[str, float]) -> Iterator[Outcome]:
    """Judge the making of everything that the window names."""
    return indication_findings(conn, window, _rule(conn, window, params))


def sweep(conn: Connection, dialect: Dialect, now: datetime, params: Mapping[str, float]) -> Iterator[Outcome]:  # noqa: ARG001 – contract
    """Take back what another border or a corrected position explains."""
    return take_back(conn, dialect, RULE, lambda conn, window: _rule(conn, window, params))


def _rule(conn: Connection, window: Window, params: Mapping[str, float]) -> IndicationRule:
    positions: dict[str, tuple[float, float] | None] = {}

    def position(uri: str) -> tuple[float, float] | None:
        """Longitude and latitude of a place."""
        if uri not in positions:
            place = catalog.places(conn, window.dialect, [uri]).get(uri)
            if place is None or place.longitude is None or place.latitude is None:
                positions[uri] = None
            else:
                positions[uri] = place.longitude, place.latitude
        return positions[uri]

    def judge(part: Part, batch: Batch, indication: Indication, register: Register) -> str:  # noqa: ARG001 – contract
        found = next((at for uri in (part.read_point, part.biz_location) if uri and (at := position(uri))), None)
        if found is None or not indication.area:
            return ""
        off = distance_km(indication.area, *found)
        return f"{off:.1f} km outside" if off > params["tolerance_km"] else ""

    return IndicationRule(marks_goods, judge)


DETECTOR = Detector(
    id=RULE,
    version=1,
    title_zh="产地范围外",
    title_en="Outside the protected area",
    subject_kind=SubjectKind.ENTERPRISE,
    guard="only where goods are made or get their mark, not where they are sold; places without a registered position "
    "and indications without a border are not judged; tolerance_km covers borders drawn coarsely",
    guard_zh="只看生产或用标的地点，不看销售地点；没有登记位置的地点和没有边界的地理标志不予判断；"
    "边界绘制较粗，留出 tolerance_km",
    basis="商标法 art. 16; 地理标志产品保护办法 art. 2, 30",
    params=(Param("tolerance_km", 2, "km", "positions of places and borders in the register are rounded"),),
    find=find,
    sweep=sweep,
    sweep_every_s=300.0,
)
