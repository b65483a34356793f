"""D12 mass balance 物料超差: more came out than can come of what went in, or more of a lot was used than there was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from trace_server.db import Connection
from trace_server.detect.detector import (
    Cleared,
    Detector,
    Evidence,
    Finding,
    History,
    Outcome,
    Param,
    SubjectKind,
    Window,
)
from trace_server.detect.history import histories
from trace_server.ingest.model import LinkRole
from trace_server.ingest.store.parts import Part
from trace_server.trace.balance import TOLERANCE_PERCENT, Line, Stock, balances
from trace_server.trace.reading import Reading

_ENDS = frozenset({LinkRole.INPUT, LinkRole.OUTPUT})


def find(conn: Connection, window: Window, params: Mapping[str, float]) -> Iterator[Outcome]:
    """Judge the transformations of everything that the window names, and what is left of each lot."""
    known = histories(conn, window)
    named = {part.peer_key for one in known.values() for part in (*one.parts, *one.wrong) if part.role in _ENDS}
    if not named:
        return
    reading = Reading(conn, window.dialect)
    # Without what was declared wrong, and once what two senders tell.
    standing = {group.link.peer_key for group in reading.links(sorted(known))} & named
    lines, stock = balances(conn, window.dialect, reading, sorted(key for key in standing if key is not None))
    wait = timedelta(hours=params["wait_h"])
    slack = 1 + params["tolerance_percent"] / 100
    for key in sorted(key for key in named if key is not None):
        own = [line for line in lines if line.transformation == key]
        yield _judge(key, own, reading, wait, slack)
    left = {key: [one for one in stock if one.object_key == key] for key in known}
    for key, history in sorted(known.items()):
        if history.is_class:
            yield _judge_stock(history, left[key], wait, slack)


def _judge(key: bytes, lines: Sequence[Line], reading: Reading, wait: timedelta, slack: float) -> Outcome:
    over = [
        line
        for line in lines
        if line.made is not None and line.expected is not None and line.made > line.expected[1] * slack
    ]
    if not over:
        return Cleared(key.hex(), "what came out can come of what went in, or the events were declared wrong")
    line = over[0]
    events = [reading.events[event_key] for event_key in line.event_keys]
    expected = line.expected or (0.0, 0.0)
    evidence = [
        Evidence(one.event_key, one.event_time, f"{line.made:g} of at most {expected[1]:g} kg") for one in events
    ]
    return Finding(
        group_key=key.hex(),
        subject=line.place or events[0].source,
        subject_kind=SubjectKind.ENTERPRISE if line.is_confirmed else SubjectKind.DATA,
        evidence=tuple(evidence),
        values={
            "yield": line.rule,
            "used_kg": f"{line.used:g}",
            "made_kg": f"{line.made:g}",
            "tolerance_percent": f"{(slack - 1) * 100:g}",
        },
        provisional_until=max(one.record_time for one in events) + wait,
        is_due=False,
        is_whole=True,
    )


def _judge_stock(history: History, stock: Sequence[Stock], wait: timedelta, slack: float) -> Outcome:
    group = f"stock/{history.uri}"
    short = [one for one in stock if not one.missing and one.ended > one.made * slack]
    uses: list[Part] = [part for part in history.parts if part.role is LinkRole.INPUT]
    if not short or not uses:
        return Cleared(group, "no more was used than was made, or its making is not recorded")
    one, last = short[0], max(uses, key=_moment)
    told = f"{one.ended:g} used of {one.made:g} {one.uom}".rstrip()
    return Finding(
        group_key=group,
        subject=last.biz_location or last.read_point or last.source,
        subject_kind=SubjectKind.ENTERPRISE,
        evidence=tuple(Evidence(part.event_key, part.event_time, told) for part in uses),
        values={"made": f"{one.made:g}", "used": f"{one.ended:g}", "uom": one.uom},
        provisional_until=max(part.record_time for part in uses) + wait,
        is_due=False,
        is_whole=True,
    )


def _moment(part: Part) -> tuple[datetime, bytes]:
    return part.event_time, part.event_key


DETECTOR = Detector(
    id="D12",
    version=1,
    title_zh="物料超差",
    title_en="Mass balance",
    subject_kind=SubjectKind.ENTERPRISE,
    also_kinds=(SubjectKind.DATA,),
    guard="the alert waits wait_h for inputs that are uploaded later; what has no mass, no recorded input or no "
    "recorded making is not judged; data while no office has confirmed the yield",
    guard_zh="等待 wait_h，以便补报投料；没有质量、没有投料记录或没有生产记录的不予判断；"
    "出品率未经主管部门确认时只算数据问题",
    basis="食品安全法 art. 46, 50",
    params=(
        Param("tolerance_percent", TOLERANCE_PERCENT, "%", "default, the office may change it: scales and moisture"),
        Param(
            "wait_h", 72, "h", "default, the office may change it: pending inputs; as long as D11 waits for a receipt"
        ),
    ),
    find=find,
)
