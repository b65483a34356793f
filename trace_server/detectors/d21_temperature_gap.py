"""D21 temperature gap 温度记录缺失: a medicine was held or carried without the readings that its record must have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from trace_core.epcis.cbv import BizStep
from trace_server.db import Connection
from trace_server.detect.cold_chain import LEVELS, Chilled, chilled
from trace_server.detect.detector import (
    Cleared,
    Detector,
    Evidence,
    Finding,
    History,
    Outcome,
    Param,
    Seen,
    SubjectKind,
    Window,
)
from trace_server.detect.history import histories, histories_of, whole_events
from trace_server.detect.sensors import Sensed, sensed
from trace_server.detect.steps import CUSTODY, OUTBOUND, SALE, is_leaving_trade
from trace_server.ingest.model import ActionCode, LinkRole
from trace_server.ingest.store.events import objects
from trace_server.ingest.store.parts import Part, children_of

MEDICINE = "drug"
_TRANSIT = OUTBOUND | {BizStep.TRANSPORTING.uri}
_GOODS = (LinkRole.OBJECT, LinkRole.PARENT, LinkRole.CHILD)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """From one event of custody to the next of the same object."""

    start: Part
    end: Part


def find(conn: Connection, window: Window, params: Mapping[str, float]) -> Iterator[Outcome]:
    """Judge every stretch of custody of the medicines that the window names, and of those in its containers."""
    known = histories(conn, window)
    cooled = _medicines(chilled(conn, window, known))
    if not cooled:
        return
    targets = dict(known) | _contents(conn, window, [key for key in cooled if not known[key].is_class])
    goods = {key: targets[key] for key in targets if key in cooled or key not in known}
    starts = {
        part.event_key for history in goods.values() for part in (*history.parts, *history.wrong) if _is_custody(part)
    }
    events = whole_events(conn, window, starts)
    around = histories_of(conn, window, {ref.key: ref.uri for one in events for ref in one.objects})
    limits = _medicines(chilled(conn, window, around))
    containers = _containers(conn, window, [around[key] for key in limits])
    own = [part for key in limits for part in around[key].parts]
    series = sensed(conn, window.dialect, [*own, *(part for one in containers.values() for part in one.parts)])
    for one in events:
        yield _judge(one, limits, around, containers, series, params)


def _medicines(found: Mapping[bytes, Chilled]) -> dict[bytes, Chilled]:
    return {
        key: one for key, one in found.items() if any(MEDICINE in stay.limits.categories for stay in one.stays)
    }  # fmt: skip


def _contents(conn: Connection, window: Window, containers: Sequence[bytes]) -> dict[bytes, History]:
    """What was ever in these: a reading of the container is one of its contents."""
    found: dict[bytes, History] = {}
    outer = sorted(containers)
    for _ in range(LEVELS):
        inner = sorted({part.object_key for part in children_of(conn, window.dialect, outer)} - found.keys())
        if not inner:
            break
        named = objects(conn, window.dialect, inner)
        found |= histories_of(conn, window, {key: one.canonical_uri for key, one in named.items()})
        outer = inner
    return found


def _containers(conn: Connection, window: Window, goods: Sequence[History]) -> dict[bytes, History]:
    """Everything that these were ever in."""
    found: dict[bytes, History] = {}
    inner = goods
    for _ in range(LEVELS):
        outer = {part.peer_key for one in inner for part in one.parts if _is_put_in(part)} - found.keys() - {None}
        if not outer:
            break
        more = histories_of(conn, window, {key: key.hex() for key in outer if key is not None})
        found |= more
        inner = list(more.values())
    return found


def _judge(
    one: Seen,
    limits: Mapping[bytes, Chilled],
    around: Mapping[bytes, History],
    containers: Mapping[bytes, History],
    series: Mapping[bytes, Sensed],
    params: Mapping[str, float],
) -> Outcome:
    event, group = one.event, one.event.event_key.hex()
    stretches = {ref.key: stretch for ref in one.objects if (stretch := _stretch(ref.key, one, limits, around))}
    gaps = {
        key: gap
        for key, stretch in stretches.items()
        if (gap := _gap_min(stretch, _times(around[key], containers, series))) > _allowed_min(stretch, params)
    }
    if not gaps:
        return Cleared(group, "the readings came in, or the event was declared wrong")
    values = {name: f"{value:g}" for name, value in params.items()}
    told = f"{len(gaps)} of {len(stretches)} up to {max(gaps.values()):.0f} min without a reading"
    return Finding(
        group_key=group,
        subject=event.biz_location or event.read_point or event.source,
        subject_kind=SubjectKind.ENTERPRISE,
        evidence=(Evidence(event.event_key, event.event_time, told),),
        values=values | {"first": min(around[key].uri for key in gaps)},
        provisional_until=max(stretches[key].end.record_time for key in gaps) + timedelta(hours=params["grace_h"]),
        is_due=False,
        is_whole=True,
    )


def _stretch(
    key: bytes, one: Seen, limits: Mapping[bytes, Chilled], around: Mapping[bytes, History]
) -> _Stretch | None:
    """What this event began for the object; None when nothing did, or nobody tells yet how it ended."""
    if key not in limits or limits[key].at(one.event.event_time) is None:
        return None
    custody = [part for part in around[key].parts if _is_custody(part)]
    for start, end in pairwise(custody):
        if start.event_key == one.event.event_key and end.event_time > start.event_time:
            return None if start.biz_step in SALE or is_leaving_trade(start) else _Stretch(start, end)
    return None


def _times(item: History, containers: Mapping[bytes, History], series: Mapping[bytes, Sensed]) -> list[datetime]:
    """When the temperature of the object was read, or that of what it was in."""
    found: list[datetime] = []
    for history, since, until in [(item, None, None), *_around(item, containers, LEVELS)]:
        for key in {part.event_key for part in history.parts}:
            readings = series[key].readings if key in series else ()
            found += [
                reading.at
                for reading in readings
                if (since is None or since <= reading.at) and (until is None or reading.at < until)
            ]
    return sorted(found)


def _around(
    item: History, containers: Mapping[bytes, History], levels: int
) -> Iterator[tuple[History, datetime | None, datetime | None]]:
    """Containers of the object with the time it was in them, from inside out."""
    for number, part in enumerate(item.parts if levels else ()):
        container = containers.get(part.peer_key) if _is_put_in(part) and part.peer_key is not None else None
        if container is None:
            continue
        out = next((later.event_time for later in item.parts[number + 1 :] if _is_taken_out(later)), None)
        yield container, part.event_time, out
        for outer, since, until in _around(container, containers, levels - 1):
            begin = max(part.event_time, since) if since is not None else part.event_time
            ends = [one for one in (out, until) if one is not None]
            yield outer, begin, min(ends) if ends else None


def _gap_min(stretch: _Stretch, times: Sequence[datetime]) -> float:
    """The longest time without a reading, in minutes."""
    begin, end = stretch.start.event_time, stretch.end.event_time
    marks = [begin, *(moment for moment in times if begin <= moment <= end), end]
    return max((later - sooner).total_seconds() / 60 for sooner, later in pairwise(marks))


def _allowed_min(stretch: _Stretch, params: Mapping[str, float]) -> float:
    interval = params["transit_min"] if stretch.start.biz_step in _TRANSIT else params["store_min"]
    return interval * params["intervals"]


def _is_custody(part: Part) -> bool:
    return part.role in _GOODS and part.biz_step in CUSTODY


def _is_put_in(part: Part) -> bool:
    return part.role is LinkRole.CHILD and part.action is not ActionCode.DELETE


def _is_taken_out(part: Part) -> bool:
    return part.role is LinkRole.CHILD and part.action is ActionCode.DELETE


DETECTOR = Detector(
    id="D21",
    version=1,
    title_zh="温度记录缺失",
    title_en="Temperature gap",
    subject_kind=SubjectKind.ENTERPRISE,
    guard="only medicines whose product says its range; readings of a container count for what is in it; the alert "
    "waits until grace_h after the upload that ends the stretch, and readings that a gateway uploads later clear it; "
    "a stretch that nobody has ended yet is not judged",
    guard_zh="只判断产品资料载明温度范围的药品；容器的读数也算其内物品的读数；"
    "结束该时段的记录上报后等满 grace_h 才预警，网关此后补报的读数会消除预警；"
    "尚未结束的时段不予判断",
    basis="疫苗管理法 art. 37, 39; 药品经营质量管理规范 附录 冷藏、冷冻药品的储存与运输管理",
    params=(
        Param("store_min", 30, "min", "药品经营质量管理规范 附录: record at least every 30 min in store (unconfirmed)"),
        Param("transit_min", 5, "min", "药品经营质量管理规范 附录: at least every 5 min in transit (unconfirmed)"),
        Param(
            "intervals", 2, "intervals", "default, the office may change it: no reading for more than 2 × the interval"
        ),
        Param("grace_h", 24, "h", "default, the office may change it: a gateway that was offline uploads later"),
    ),
    find=find,
)
