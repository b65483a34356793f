"""Is a point inside a protected area, and if not, how far off? Areas are counties at most: a plane is near enough.

Source: even-odd rule (Shimrat, CACM algorithm 112, 1962); the border belongs to the area.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from trace_server.indications.model import Ring

KM_PER_DEGREE = 111.32
"""Of latitude, and of longitude at the equator."""
_Point = tuple[float, float]


def is_inside(area: Iterable[Ring], longitude: float, latitude: float) -> bool:
    """Whether one of the polygons holds the point or has it on its border."""
    return any(_holds(ring, (longitude, latitude)) for ring in area)


def distance_km(area: Iterable[Ring], longitude: float, latitude: float) -> float:
    """Kilometres to the nearest border, 0 inside, infinite for no area.

    The plane touches at the point: within 1 % up to some 100 km off and 60° of latitude.
    """
    rings = tuple(area)
    if is_inside(rings, longitude, latitude):
        return 0.0
    shrink = math.cos(math.radians(latitude))
    flat = [[((x - longitude) * shrink * KM_PER_DEGREE, (y - latitude) * KM_PER_DEGREE) for x, y in r] for r in rings]
    return min((_to_origin(start, end) for ring in flat for start, end in _sides(ring)), default=math.inf)


def _holds(ring: Ring, point: _Point) -> bool:
    x, y = point
    is_in = False
    for (x1, y1), (x2, y2) in _sides(ring):
        if _is_on((x1, y1), (x2, y2), point):
            return True
        if (y1 > y) != (y2 > y) and x < x1 + (x2 - x1) * ((y - y1) / (y2 - y1)):
            is_in = not is_in
    return is_in


def _is_on(start: _Point, end: _Point, point: _Point) -> bool:
    (x1, y1), (x2, y2), (x, y) = start, end, point
    if not (min(x1, x2) <= x <= max(x1, x2) and min(y1, y2) <= y <= max(y1, y2)):
        return False
    return (x2 - x1) * (y - y1) == (y2 - y1) * (x - x1)


def _to_origin(start: _Point, end: _Point) -> float:
    (x1, y1), (x2, y2) = start, end
    along = (x2 - x1) ** 2 + (y2 - y1) ** 2
    share = 0.0 if along == 0 else min(1.0, max(0.0, -(x1 * (x2 - x1) + y1 * (y2 - y1)) / along))
    return math.hypot(x1 + share * (x2 - x1), y1 + share * (y2 - y1))


def _sides(ring: Ring | list[_Point]) -> Iterator[tuple[_Point, _Point]]:
    return zip(ring, (*ring[1:], ring[0]), strict=True)
