"""Shares: they conserve, depend on no order, and never add what cannot be added."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trace_server.trace.allocating import Amount, Basis, Entry, Flows, Transformation, weights

START = datetime(2026, 1, 1, tzinfo=UTC)
SLACK = 1 + 1e-9


def entry(name: str, quantity: float | None, uom: str = "KGM", hour: int = 0) -> Entry:
    return Entry(name.encode(), START + timedelta(hours=hour), quantity, uom)


def flows(
    *told: tuple[list[Entry], list[Entry]], lots: dict[bytes, tuple[tuple[bytes, float], ...]] | None = None
) -> Flows:
    made = [Transformation(f"T{n:04}".encode(), tuple(ins), tuple(outs)) for n, (ins, outs) in enumerate(told)]
    return Flows({one.key: one for one in made}, lots or {})


def kilos(quantity: float, basis: Basis = Basis.ALLOCATED) -> tuple[Amount, ...]:
    return (Amount(quantity, "KGM", basis),)


MIX = ([entry("a", 100), entry("b", 300)], [entry("x", 30), entry("y", 10)])


def test_each_output_holds_of_each_input_in_proportion() -> None:
    assert flows(MIX).used_for({b"x": 1}) == {b"a": kilos(75), b"b": kilos(225)}
    assert flows(MIX).contained([b"a"]) == {b"x": kilos(75), b"y": kilos(25)}


def test_what_went_into_one_thing_only_is_measured() -> None:
    one = flows(([entry("a", 100), entry("b", 5, "LTR")], [entry("x", 90)]))
    assert one.used_for({b"x": 1}) == {
        b"a": kilos(100, Basis.MEASURED),
        b"b": (Amount(5, "LTR", Basis.MEASURED),),
    }


def test_goods_that_are_used_in_two_places_take_their_part_along() -> None:
    way = flows(
        MIX, ([entry("x", 10, hour=1)], [entry("p", 10, hour=1)]), ([entry("x", 20, hour=2)], [entry("q", 1, hour=2)])
    )
    assert way.used_for({b"p": 1}) == {b"a": kilos(25), b"b": kilos(75), b"x": kilos(10, Basis.MEASURED)}
    assert way.contained([b"a"])[b"q"] == kilos(50)


def test_grams_and_tonnes_are_one_dimension_and_pieces_are_another() -> None:
    assert weights([entry("x", 1, "TNE"), entry("y", 1000)]) == [0.5, 0.5]
    assert weights([entry("x", 900), entry("y", 1, "")]) == [0.5, 0.5]
    assert weights([entry("x", 900), entry("y", None)]) == [0.5, 0.5]
    two = flows(([entry("a", 1, "TNE"), entry("a", 500)], [entry("x", 1)]), ([entry("a", 7, "")], [entry("x", 2)]))
    assert two.used_for({b"x": 1})[b"a"] == (Amount(7, "", Basis.MEASURED), kilos(1500, Basis.MEASURED)[0])


def test_an_item_of_a_lot_holds_its_piece() -> None:
    one = flows(([entry("a", 100)], [entry("lot", 50, "")]), lots={b"item": ((b"lot", 0.02),)})
    assert one.used_for({b"lot": 0.02}) == {b"a": kilos(2)}
    assert one.contained([b"a"]) == {b"lot": kilos(100, Basis.MEASURED), b"item": kilos(2)}


def test_items_of_a_lot_carry_its_ingredients_on() -> None:
    lots = dict.fromkeys((b"i", b"j"), ((b"lot", 0.5),))
    way = flows(
        ([entry("a", 100)], [entry("lot", 2, "")]), ([entry("i", 1, "", 1)], [entry("set", 1, "", 1)]), lots=lots
    )
    assert way.contained([b"a"])[b"set"] == kilos(50)
    assert way.used_for({b"set": 1})[b"a"] == kilos(50)


def test_rework_in_a_circle_ends() -> None:
    circle = flows(
        ([entry("a", 10)], [entry("x", 10)]),
        ([entry("x", 10)], [entry("y", 10)]),
        ([entry("y", 10)], [entry("x", 10)]),
    )
    assert circle.contained([b"a"])[b"y"][0].quantity <= 10
    assert circle.used_for({b"y": 1})[b"a"][0].quantity <= 10


def test_what_came_out_later_is_in_nothing_made_before() -> None:
    way = flows(
        ([entry("a", 10, hour=5)], [entry("x", 10, hour=5)]), ([entry("x", 5, hour=1)], [entry("p", 5, hour=1)])
    )
    assert b"p" not in way.contained([b"a"])


_AMOUNT = st.one_of(st.none(), st.integers(0, 1000).map(float))
_UNIT = st.sampled_from(["KGM", "KGM", "GRM", "LTR", ""])
_NAMES = [f"{level}{number}" for level in range(4) for number in range(3)]


@st.composite
def worlds(draw: st.DrawFn) -> list[tuple[list[Entry], list[Entry]]]:
    """Goods of four levels; a transformation makes goods of the next level out of some of one level."""
    told = []
    for _ in range(draw(st.integers(1, 8))):
        level = draw(st.integers(0, 2))
        sides = []
        for side in (level, level + 1):
            names = draw(st.lists(st.integers(0, 2), min_size=1, max_size=3, unique=True))
            sides.append([entry(f"{side}{n}", draw(_AMOUNT), draw(_UNIT), side + level) for n in names])
        told.append((sides[0], sides[1]))
    return told


def final(told: list[tuple[list[Entry], list[Entry]]]) -> set[bytes]:
    used = {one.key for ins, _ in told for one in ins}
    return {one.key for _, outs in told for one in outs} - used


@given(worlds())
def test_the_parts_of_an_input_never_exceed_it(told: list[tuple[list[Entry], list[Entry]]]) -> None:
    world = flows(*told)
    for name in (one.encode() for one in _NAMES):
        limit = world_total(told, name)
        for found in (
            [world.contained([name]).get(goods, ()) for goods in sorted(final(told))],
            [world.used_for({goods: 1}).get(name, ()) for goods in sorted(final(told))],
        ):
            total: dict[str, float] = defaultdict(float)
            for amounts in found:
                for amount in amounts:
                    total[amount.uom] += amount.quantity * (1000 if amount.uom == "KGM" else 1)
            kilo = total.pop("KGM", 0.0)
            total["GRM"] += kilo
            for uom, quantity in total.items():
                assert quantity <= limit[uom] * SLACK + 1e-6


def world_total(told: list[tuple[list[Entry], list[Entry]]], name: bytes) -> dict[str, float]:
    total: dict[str, float] = defaultdict(float)
    for ins, _ in told:
        for one in ins:
            if one.key == name and one.quantity is not None:
                uom = "GRM" if one.uom == "KGM" else one.uom
                total[uom] += one.quantity * (1000 if one.uom == "KGM" else 1)
    return total


@given(worlds(), st.randoms(use_true_random=False))
def test_shares_do_not_depend_on_the_order(
    told: list[tuple[list[Entry], list[Entry]]], shuffler: random.Random
) -> None:
    one = flows(*told)
    keys = sorted(one.transformations)
    shuffler.shuffle(keys)
    other = Flows({key: one.transformations[key] for key in keys})
    for name in (each.encode() for each in _NAMES):
        assert one.contained([name]) == other.contained([name])
        assert one.used_for({name: 1}) == other.used_for({name: 1})


@given(worlds())
def test_both_directions_say_the_same(told: list[tuple[list[Entry], list[Entry]]]) -> None:
    world = flows(*told)
    sources = {one.key for ins, _ in told for one in ins} - {one.key for _, outs in told for one in outs}
    for source in sorted(sources):
        for goods, amounts in world.contained([source]).items():
            if goods in final(told):
                back = world.used_for({goods: 1}).get(source, ())
                assert [one.uom for one in back] == [one.uom for one in amounts]
                for there, here in zip(amounts, back, strict=True):
                    assert here.quantity == pytest.approx(there.quantity, rel=1e-6)
