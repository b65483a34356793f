"""D52 wrong medium or overfilled 介质不符、超装: a cylinder was filled with something else, or beyond its limit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from trace_server.db import Connection
from trace_server.detect.detector import Detector, Outcome, Param, SubjectKind, Window
from trace_server.detect.filling import Cylinder, FillingRule, filling_findings, register_values
from trace_server.equipment.model import Asset
from trace_server.trace.acts import Act, ActKind


def find(conn: Connection, window: Window, params: Mapping[str, float]) -> Iterator[Outcome]:
    """Judge fillings, and checks that weighed."""
    allowed = 1 + params["tolerance_pct"] / 100

    def judge(cylinder: Cylinder) -> Iterator[tuple[Act, str]]:
        if cylinder.asset is None:
            return
        for act in cylinder.acts:
            value = _wrong(act, cylinder.asset, allowed)
            if value:
                yield act, value

    def values(cylinder: Cylinder) -> Mapping[str, str]:
        asset = cylinder.asset
        limit = asset.fill_limit_kg if asset is not None else None
        facts = {"medium": asset.medium if asset is not None else "", "limit_kg": f"{limit:g}" if limit else ""}
        return {**register_values(cylinder), **facts}

    return filling_findings(conn, window, FillingRule(judge, values))


def _wrong(act: Act, asset: Asset, allowed: float) -> str:
    found = []
    if act.kind is ActKind.FILLING and act.medium and asset.medium and act.medium.lower() != asset.medium.lower():
        found.append(f"{act.medium} into {asset.medium}")
    limit = asset.fill_limit_kg
    weighs = act.kind in (ActKind.FILLING, ActKind.POST_CHECK) and act.weight_kg is not None
    if limit is not None and weighs and (act.weight_kg or 0.0) > limit * allowed:
        found.append(f"{act.weight_kg:g} kg, limit {limit:g} kg")
    return "; ".join(found)


DETECTOR = Detector(
    id="D52",
    version=1,
    title_zh="介质不符或超装",
    title_en="Wrong medium or overfilled",
    subject_kind=SubjectKind.ENTERPRISE,
    guard="tolerance_pct is left to the scale's calibration; only what both the register and the event state counts",
    guard_zh="为秤的校准误差留出 tolerance_pct；只比较登记和事件都载明的内容",
    basis="特种设备安全法 art. 49; 气瓶安全技术规程 TSG 23",
    params=(Param("tolerance_pct", 1, "%", "default, the office may change it: scale calibration"),),
    find=find,
)
