"""An answer as timeline and as map: small SVG made here. The table of the same answer stands beside them.

The map has no outline of its own: an outline needs an approval number (审图号) that the office supplies. It is drawn
from the places' coordinates alone, and is for the offices' own pages.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import cos, radians
from typing import Final

from markupsafe import escape

from trace_server.catalog.model import Place
from trace_server.trace.answering import LEGAL_TIME
from trace_server.trace.question import Answer, Step

MAX_MARKS: Final = 2000
"""Events that a drawing shows, the newest; the table and the files have all."""
MAX_ROWS: Final = 40
_WIDTH: Final = 900
_ROW: Final = 28
_LEFT: Final = 230
_SIDE: Final = 640
_MARGIN: Final = 40
_LABEL: Final = 16
_LABEL_WIDTH: Final = 120
"""Pixels that a name takes: the next one near by is written below it."""
_MIN_SPAN: Final = 0.002
"""Degrees; less is one place."""
_FONT: Final = "Noto Sans CJK SC, Microsoft YaHei, PingFang SC, sans-serif"


def timeline(answer: Answer) -> bytes:
    """One row a place, in the order they were reached, one mark an event at its time; a gap before it is hollow."""
    steps = answer.steps[-MAX_MARKS:]
    names = list(dict.fromkeys(map(_where, steps)))[:MAX_ROWS]
    rows = {name: number for number, name in enumerate(names)}
    height = _ROW * (len(names) + 2)
    first, last = (steps[0], steps[-1]) if steps else (None, None)
    begin = first.hop.event.event_time.timestamp() if first else 0.0
    span = max(1.0, last.hop.event.event_time.timestamp() - begin) if last else 1.0
    parts = [
        f'<text x="8" y="{_ROW * (number + 1)}" font-size="13">{escape(name[:20])}</text>'
        f'<line x1="{_LEFT}" x2="{_WIDTH - 20}" y1="{_ROW * (number + 1) - 4}" y2="{_ROW * (number + 1) - 4}" '
        'stroke="#d5dad5"/>'
        for name, number in rows.items()
    ]
    for step in steps:
        name, moment = _where(step), step.hop.event.event_time
        if name in rows:
            x = _LEFT + (moment.timestamp() - begin) / span * (_WIDTH - _LEFT - 30)
            fill = "#fff" if step.hop.gap_before else "#14603f"
            parts.append(
                f'<circle cx="{x:.1f}" cy="{_ROW * (rows[name] + 1) - 4}" r="5" fill="{fill}" stroke="#14603f" '
                f'stroke-width="2"><title>{escape(f"{moment.astimezone(LEGAL_TIME):%Y-%m-%d %H:%M}")} '
                f"{escape(step.uri)}</title></circle>"
            )
    for end, x, anchor in ((first, _LEFT, "start"), (last, _WIDTH - 20, "end")):
        if end is not None:
            when = f"{end.hop.event.event_time.astimezone(LEGAL_TIME):%Y-%m-%d %H:%M}"
            parts.append(f'<text x="{x}" y="{height - 10}" font-size="12" text-anchor="{anchor}">{when}</text>')
    return _svg(_WIDTH, height, parts)


def outline(answer: Answer) -> bytes:
    """Places by their coordinates, numbered as in `places_of`, with the ways between them in the order of events."""
    known = places_of(answer)
    spots = {place.uri: (number, place) for number, place in enumerate(known, 1) if place.latitude is not None}
    points = _points([place for _, place in spots.values()])
    parts = [f'<rect width="{_SIDE}" height="{_SIDE}" fill="#f5f6f3" stroke="#d5dad5"/>']
    way = [step for step in answer.steps[-MAX_MARKS:] if step.hop.place and step.hop.place.uri in spots]
    drawn: set[tuple[str, str, bool]] = set()
    for before, after in pairwise(way):
        edge = (_uri(before), _uri(after), after.hop.gap_before)
        if edge[0] != edge[1] and edge not in drawn:
            drawn.add(edge)
            (x1, y1), (x2, y2) = points[edge[0]], points[edge[1]]
            dash = ' stroke-dasharray="6 5"' if edge[2] else ""
            parts.append(
                f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#0b5394" '
                f'stroke-width="2"{dash}/>'
            )
    labels: list[tuple[float, float]] = []
    for uri, (number, place) in spots.items():
        x, y = points[uri]
        below = y
        while any(abs(x - other_x) < _LABEL_WIDTH and abs(below - other_y) < _LABEL for other_x, other_y in labels):
            below += _LABEL
        labels.append((x, below))
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="11" fill="#14603f"/><text x="{x:.1f}" y="{y + 4:.1f}" '
            f'font-size="12" text-anchor="middle" fill="#fff">{number}</text>'
            f'<text x="{x + 15:.1f}" y="{below + 4:.1f}" font-size="13">{number} {escape(place.name[:16])}</text>'
        )
    return _svg(_SIDE, _SIDE, parts)


def places_of(answer: Answer) -> tuple[Place, ...]:
    """Places of the answer that the register knows, in the order they were reached."""
    found: dict[str, Place] = {}
    for step in answer.steps:
        if step.hop.place is not None:
            found.setdefault(step.hop.place.uri, step.hop.place)
    return tuple(found.values())


def _points(places: Sequence[Place]) -> dict[str, tuple[float, float]]:
    """Pixels of places with coordinates, north up; a degree of longitude is as long as it is there."""
    spots = [(one.uri, one.longitude or 0.0, one.latitude or 0.0) for one in places]
    if not spots:
        return {}
    shrink = cos(radians(sum(y for _, _, y in spots) / len(spots)))
    flat = [(uri, x * shrink, y) for uri, x, y in spots]
    left, top = min(x for _, x, _ in flat), max(y for _, _, y in flat)
    span = max(_MIN_SPAN, max(x for _, x, _ in flat) - left, top - min(y for _, _, y in flat))
    scale = (_SIDE - 4 * _MARGIN) / span
    return {uri: (_MARGIN + (x - left) * scale, _MARGIN + (top - y) * scale) for uri, x, y in flat}


def _where(step: Step) -> str:
    place = step.hop.place
    return place.name if place else step.hop.event.read_point or step.hop.event.biz_location or "—"


def _uri(step: Step) -> str:
    return step.hop.place.uri if step.hop.place else ""


def _svg(width: int, height: int, parts: Iterable[str]) -> bytes:
    body = "".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'font-family="{_FONT}">{body}</svg>\n'
    ).encode()
