"""D60 unauthorised user 未经授权使用地理标志: goods with an indication, made by somebody who may not use it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from trace_server.catalog.model import Batch
from trace_server.db import Connection, Dialect
from trace_server.detect.detector import Detector, Outcome, Param, SubjectKind, Window
from trace_server.detect.indications import (
    IndicationRule,
    indication_findings,
    legal_day,
    marks_or_sells,
    take_back,
)
from trace_server.indications.model import Indication, Register
from trace_server.ingest.store.parts import Part

RULE = "D60"


def find(conn: Connection, window: Window, params: Mapping[str, float]) -> Iterator[Outcome]:
    """Judge the making and the sale of everything that the window names."""
    return indication_findings(conn, window, _rule(params))


def sweep(conn: Connection, dialect: Dialect, now: datetime, params: Mapping[str, float]) -> Iterator[Outcome]:  # noqa: ARG001 – contract
    """Take back what an authorisation explains that was registered later."""
    return take_back(conn, dialect, RULE, lambda conn, window: _rule(params))  # noqa: ARG005 – contract


def _rule(params: Mapping[str, float]) -> IndicationRule:
    grace = int(params["grace_days"])

    def judge(part: Part, batch: Batch, indication: Indication, register: Register) -> str:
        day = legal_day(part.event_time)
        for user in register.users_of(indication.gi_id, batch.producer_uscc):
            in_grace = user.valid_to is not None and 0 < (day - user.valid_to).days <= grace
            if user.in_force(day) or user.in_force(batch.production_date) or in_grace:
                return ""
        return f"no authorisation on {min(day, batch.production_date).isoformat()}"

    return IndicationRule(marks_or_sells, judge)


DETECTOR = Detector(
    id=RULE,
    version=1,
    title_zh="未经授权使用地理标志",
    title_en="Unauthorised user of an indication",
    subject_kind=SubjectKind.ENTERPRISE,
    guard="goods made under an authorisation may be sold after its end; an authorisation that is registered later "
    "closes the alert; products and batches outside the registers are not judged",
    guard_zh="授权期内生产的货物在授权终止后仍可出售；后来登记的授权会消除预警；未登记的产品和批次不予判断",
    basis="商标法 art. 57; 地理标志产品保护办法 art. 29, 30",
    params=(Param("grace_days", 0, "d", "days after the end of an authorisation while its renewal is in progress"),),
    find=find,
    sweep=sweep,
    sweep_every_s=300.0,
)
