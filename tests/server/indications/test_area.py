"""A point is inside what surrounds it, however the border is written down, and a border is as far off as on a map."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from trace_server.indications.area import distance_km, is_inside
from trace_server.indications.model import Ring

SQUARE: Ring = ((0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 2.0))
HORSESHOE: Ring = ((0.0, 0.0), (3.0, 0.0), (3.0, 3.0), (2.0, 3.0), (2.0, 1.0), (1.0, 1.0), (1.0, 3.0), (0.0, 3.0))
degree = st.integers(-40, 40).map(lambda number: number / 8)
point = st.tuples(degree, degree)
triangle = st.tuples(point, point, point)


def turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


@given(triangle, point)
def test_a_triangle_holds_what_lies_on_one_side_of_all_its_sides(ring: Ring, at: tuple[float, float]) -> None:
    a, b, c = ring
    assume(turn(a, b, c) != 0)
    sides = [turn(a, b, at), turn(b, c, at), turn(c, a, at)]
    wanted = all(side >= 0 for side in sides) or all(side <= 0 for side in sides)
    assert is_inside([ring], *at) == wanted


@given(st.lists(point, min_size=3, max_size=9), point, st.integers(0, 8))
def test_where_a_border_begins_and_which_way_it_runs_does_not_matter(
    corners: list[tuple[float, float]], at: tuple[float, float], start: int
) -> None:
    ring, cut = tuple(corners), start % len(corners)
    inside = is_inside([ring], *at)
    assert is_inside([ring[cut:] + ring[:cut]], *at) == inside
    assert is_inside([ring[::-1]], *at) == inside


@given(st.lists(point, min_size=3, max_size=9), st.integers(0, 8))
def test_the_border_belongs_to_the_area(corners: list[tuple[float, float]], number: int) -> None:
    corner = corners[number % len(corners)]
    assert is_inside([tuple(corners)], *corner)
    assert distance_km([tuple(corners)], *corner) == 0.0


@given(st.lists(point, min_size=3, max_size=9), point)
def test_only_what_is_outside_has_a_distance_and_never_more_than_to_a_corner(
    corners: list[tuple[float, float]], at: tuple[float, float]
) -> None:
    ring = tuple(corners)
    off = distance_km([ring], *at)
    assert (off == 0.0) == is_inside([ring], *at)
    to_corners = [distance_km([(corner, corner, corner)], *at) for corner in ring]
    assert off <= min(to_corners) + 1e-6


@pytest.mark.parametrize(
    ("at", "inside"),
    [((0.5, 2.0), True), ((1.5, 2.0), False), ((2.5, 2.5), True), ((1.5, 0.5), True), ((1.5, 1.0), True)],
)
def test_a_bay_is_outside(at: tuple[float, float], inside: bool) -> None:
    assert is_inside([HORSESHOE], *at) == inside


def test_distances_are_those_of_a_map() -> None:
    assert distance_km([SQUARE], 1.0, 3.0) == pytest.approx(111.3, abs=0.1)
    shifted = tuple((x + 120.0, y + 33.0) for x, y in SQUARE)
    assert distance_km([shifted], 119.0, 34.0) == pytest.approx(111.32 * math.cos(math.radians(34)), abs=0.1)
    assert distance_km([], 1.0, 1.0) == math.inf
    assert distance_km([SQUARE, shifted], 121.0, 34.0) == 0.0
