"""Distances on the earth."""

from __future__ import annotations

from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt

from trace_server.catalog.model import Place

EARTH_KM = 6371.0
"""Mean radius of the earth (IUGG)."""


@dataclass(frozen=True, slots=True)
class Point:
    """WGS 84 degrees."""

    latitude: float
    longitude: float


def point_of(place: Place) -> Point | None:
    """Where a place is, None when the register does not say."""
    if place.latitude is None or place.longitude is None:
        return None
    return Point(place.latitude, place.longitude)


def distance_km(one: Point, other: Point) -> float:
    """On the great circle (haversine)."""
    north, other_north = radians(one.latitude), radians(other.latitude)
    east = radians(other.longitude - one.longitude)
    half = sin((other_north - north) / 2) ** 2 + cos(north) * cos(other_north) * sin(east / 2) ** 2
    return 2 * EARTH_KM * asin(min(1.0, sqrt(half)))
