"""D53 check record missing 充装检查缺失: a cylinder was filled without a passed check before it and one after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from trace_server.db import Connection
from trace_server.detect.detector import Detector, Evidence, Outcome, Param, SubjectKind, Window
from trace_server.detect.filling import Cylinder, FillingRule, filling_findings, register_values
from trace_server.trace.acts import Act, ActKind


def find(conn: Connection, window: Window, params: Mapping[str, float]) -> Iterator[Outcome]:
    """Judge every filling with the checks around it; what is uploaded late counts."""
    pre, post = timedelta(hours=params["pre_h"]), timedelta(hours=params["post_h"])
    one_filling = timedelta(minutes=params["together_min"])

    def judge(cylinder: Cylinder) -> Iterator[tuple[Act, str]]:
        fillings = _together(cylinder.fillings, one_filling)
        for number, acts in enumerate(fillings):
            since, until = acts[0].event_time - pre, acts[-1].event_time + post
            if number:
                since = max(since, fillings[number - 1][-1].event_time)
            if number + 1 < len(fillings):
                until = min(until, fillings[number + 1][0].event_time)
            has_pre = _has(cylinder, ActKind.PRE_CHECK, since, acts[0].event_time)
            has_post = _has(cylinder, ActKind.POST_CHECK, acts[0].event_time, until)
            missing = [word for word, has in (("no check before", has_pre), ("no check after", has_post)) if not has]
            if missing:
                yield acts[0], ", ".join(missing)

    def wait_until(evidence: Sequence[Evidence]) -> datetime:
        return evidence[0].event_time + timedelta(hours=params["wait_h"])

    return filling_findings(conn, window, FillingRule(judge, register_values, wait_until))


def _together(fillings: Sequence[Act], gap: timedelta) -> list[list[Act]]:
    """What the reader and the scale both tell of one filling."""
    groups: list[list[Act]] = []
    for act in fillings:
        if groups and act.event_time - groups[-1][-1].event_time <= gap:
            groups[-1].append(act)
        else:
            groups.append([act])
    return groups


def _has(cylinder: Cylinder, kind: ActKind, since: datetime, until: datetime) -> bool:
    return any(act.kind is kind and act.passed and since <= act.event_time <= until for act in cylinder.acts)


DETECTOR = Detector(
    id="D53",
    version=1,
    title_zh="充装检查缺失",
    title_en="Check record missing",
    subject_kind=SubjectKind.ENTERPRISE,
    guard="the alert waits wait_h for checks that are uploaded late, and is taken back when they come later still; "
    "what reader and scale tell within together_min is one filling",
    guard_zh="等待 wait_h，以便补报检查记录；更晚补报的也会撤回预警；读写器和秤在 together_min 内所报的算同一次充装",
    basis="特种设备安全法 art. 49",
    params=(
        Param("pre_h", 1, "h", "a gateway's answer.pre_check_valid_s"),
        Param("post_h", 12, "h", "before the cylinder leaves on the day it was filled"),
        Param("wait_h", 24, "h", "default, the office may change it: 24 h for uploads"),
        Param("together_min", 30, "min", "one filling takes minutes"),
    ),
    find=find,
)
