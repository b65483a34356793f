"""D62 before season 未到上市期: goods with an indication get their mark or are sold before the season opens."""

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

RULE = "D62"


def find(conn: Connection, window: Window, params: Mapping[str, float]) -> Iterator[Outcome]:
    """Judge the making and the sale of everything that the window names."""
    return indication_findings(conn, window, _rule(params))


def sweep(conn: Connection, dialect: Dialect, now: datetime, params: Mapping[str, float]) -> Iterator[Outcome]:  # noqa: ARG001 – contract
    """Take back what a season that was announced earlier or anew explains."""
    return take_back(conn, dialect, RULE, lambda conn, window: _rule(params))  # noqa: ARG005 – contract


def _rule(params: Mapping[str, float]) -> IndicationRule:
    def judge(part: Part, batch: Batch, indication: Indication, register: Register) -> str:  # noqa: ARG001 – contract
        day, made = legal_day(part.event_time), batch.production_date
        own = [season.opens for season in indication.seasons if season.opens <= made <= season.closes]
        next_ones = [season.opens for season in indication.seasons if season.opens > made]
        # Goods that claim a day of making within the season may still be on the market before it.
        opens = max(own) if own else min(next_ones, default=day)
        early = (opens - day).days
        is_early = early > 0 and (opens - made).days <= params["window_days"]
        return f"{early} d before the season" if is_early else ""

    return IndicationRule(marks_or_sells, judge)


DETECTOR = Detector(
    id=RULE,
    version=1,
    title_zh="未到上市期",
    title_en="Before the season",
    subject_kind=SubjectKind.ENTERPRISE,
    guard="goods made within a season may be marked and sold at any time after; goods made more than window_days "
    "before the next opening are of an earlier year's harvest; years without an announced season are not judged",
    guard_zh="在上市期内生产的货物，此后任何时候都可用标和出售；比下一次开市早 window_days 以上生产的，"
    "视为上一年度的收成；未公布上市期的年度不予判断",
    basis="seasons in the register of indications, dated",
    params=(
        Param(
            "window_days",
            60,
            "d",
            "default, the office may change it: sale before the opening date; earlier is another season",
        ),
    ),
    find=find,
    sweep=sweep,
    sweep_every_s=300.0,
)
