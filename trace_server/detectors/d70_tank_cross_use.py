"""D70 tank cross-use 罐车混装: food is loaded into a tank after other cargo, uncleaned, or without a carrier permit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import cache

from trace_server.catalog.profiles import load_profiles
from trace_server.db import Connection
from trace_server.detect.detector import Cleared, Detector, Evidence, Finding, Outcome, Param, SubjectKind, Window
from trace_server.detect.history import histories
from trace_server.detect.steps import LEGAL_TIME
from trace_server.detect.tanks import Act, Cleaning, Load, acts, may_concern
from trace_server.ingest.store.parts import Part


def find(conn: Connection, window: Window, params: Mapping[str, float]) -> Iterator[Outcome]:
    """Judge every load of the tanks that the window's loads, cleanings and declarations name."""
    keys = {ref.key for one in window.events if may_concern(one.event) for ref in one.objects if not ref.is_class}
    if not keys:
        return
    known = histories(conn, window)
    told = acts(conn, window.dialect, [known[key] for key in sorted(keys)])
    for key in sorted(keys):
        yield _judge(known[key].uri, told[key], params)


def _judge(uri: str, own: Sequence[Act], params: Mapping[str, float]) -> Outcome:
    found = [(act, value) for act, value in _faults(own, params) if value]
    if not found:
        return Cleared(uri, "the tank was clean and permitted, or the events were declared wrong")
    loads = [act for act in own if isinstance(act, Load)]
    first, (last, _) = found[0][0].part.event_time, found[-1]
    return Finding(
        group_key=uri,
        subject=_place(last.part),
        subject_kind=SubjectKind.ENTERPRISE,
        evidence=tuple(Evidence(act.part.event_key, act.part.event_time, value) for act, value in found),
        values={"tank": uri, "last_cargoes": " ← ".join(load.cargo or "?" for load in reversed(loads[-3:]))},
        provisional_until=first + timedelta(hours=params["wait_h"]),
        is_due=False,
        is_whole=True,
    )


def _faults(own: Sequence[Act], params: Mapping[str, float]) -> Iterator[tuple[Load, str]]:
    """Each load of food and what is wrong with it, "" for nothing."""
    before: Load | None = None
    is_clean = True
    for act in own:
        if isinstance(act, Cleaning):
            is_clean = True
            continue
        if act.is_food:
            yield act, "; ".join(_of_load(act, before, is_clean=is_clean, params=params))
        before, is_clean = act, False


def _of_load(load: Load, before: Load | None, *, is_clean: bool, params: Mapping[str, float]) -> Iterator[str]:
    if before is not None and not before.is_food:
        yield f"previous cargo {before.cargo or 'is not food'}"
    elif before is not None and not is_clean and (before.cargo != load.cargo or params["same_cargo_cleaning"]):
        yield f"not cleaned since {before.cargo or 'the last cargo'}"
    if not load.permit and load.part.event_time.astimezone(LEGAL_TIME).date() >= _permits_from():
        yield "no carrier permit"


@cache
def _permits_from() -> date:
    """The first day on which a carrier permit is needed, by the profile of food."""
    rules = load_profiles()["food"].certificates
    return next((rule.starts for rule in rules if rule.kind == "food.carrier_permit"), date.max)


def _place(part: Part) -> str:
    return part.biz_location or part.read_point or part.source


DETECTOR = Detector(
    id="D70",
    version=1,
    title_zh="罐车混装",
    title_en="Tank cross-use",
    subject_kind=SubjectKind.ENTERPRISE,
    guard="the alert waits wait_h for cleaning certificates that are uploaded later; the same cargo again needs no "
    "cleaning between unless same_cargo_cleaning is 1; a tank's first known load is judged by its permit only; "
    "permits are asked for since the day in trace_server/categories/food.toml",
    guard_zh="等待 wait_h，以便补报清洗证明；连续装同一种货物，"
    "中间不要求清洗（same_cargo_cleaning 为 1 时除外）；罐车首次已知装载只查准运证明；"
    "准运证明从 trace_server/categories/food.toml 所载之日起要求",
    basis="食品安全法 art. 33 (2025 amendment: bulk liquid food)",
    params=(
        Param("wait_h", 24, "h", "default, the office may change it: 24 h for the upload of documents"),
        Param("same_cargo_cleaning", 0, "0 or 1", "dedicated tanks may take the same oil again"),
    ),
    find=find,
)
