"""The world is believable: valid keys, sums that close, causes before effects, and the same for the same seed."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest

from firmware_sim.world import (
    Commission,
    GatePassage,
    Pack,
    PlaceKind,
    Ship,
    Transform,
    World,
    build_world,
)
from trace_core.ids import gs1, uscc
from trace_core.ids.epc import decode

START = datetime(2026, 11, 24, 8, tzinfo=UTC)
SEEDS = range(8)


@pytest.fixture(scope="module", params=SEEDS)
def world(request: pytest.FixtureRequest) -> World:
    return build_world(request.param, START)


def test_the_same_seed_gives_the_same_world_and_another_seed_another() -> None:
    assert build_world(1, START) == build_world(1, START)
    assert build_world(1, START).steps != build_world(2, START).steps


def test_a_start_without_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        build_world(1, START.replace(tzinfo=None))


def test_there_are_six_producers_and_forty_batches_of_several_categories(world: World) -> None:
    assert len(world.producers) == 6
    assert len(world.batches) == 40
    assert len({(b.gtin, b.lot) for b in world.batches}) == 40
    assert {p.category for p in world.products} == {"agricultural", "food", "drug"}
    assert {p.kind for p in world.places} == set(PlaceKind)


def test_every_key_passes_its_check_and_says_that_it_is_a_sample(world: World) -> None:
    for subject in (*world.producers, *world.dealers):
        code = uscc.parse(subject.uscc)
        assert code.check_ok
        assert code.subject_check_ok
        assert code.region.startswith("3209")
        assert "示例" in subject.name
        assert "Sample" in subject.name_en
    for product in world.products:
        assert gs1.gtin(product.gtin) == product.gtin
        assert product.gtin.startswith("0952")
        assert product.name_en
    for place in world.places:
        assert gs1.gln(place.gln) == place.gln
        assert place.gln.startswith("952")
    for batch in world.batches:
        assert gs1.lot(batch.lot) == batch.lot


def test_tags_decode_to_the_identifiers_that_the_world_says(world: World) -> None:
    for step in world.passages():
        assert decode(step.case.epc).uri == step.case.uri
        assert gs1.sscc(step.case.sscc) == step.case.sscc
        for item in step.items:
            epc = decode(item.epc)
            assert epc.uri == item.uri
            assert epc.digital_link == f"https://id.gs1.org/01/{item.batch.gtin}/21/{item.serial}"


def test_every_tag_passes_one_gate_once(world: World) -> None:
    passed = Counter(epc for step in world.passages() for epc in step.tags)
    assert set(passed.values()) == {1}
    commissioned = {i.epc for s in world.steps if isinstance(s, Commission) for i in s.items}
    assert commissioned == {i.epc for s in world.passages() for i in s.items}


def test_serials_cannot_be_counted_up(world: World) -> None:
    serials = [i.serial for s in world.steps if isinstance(s, Commission) for i in s.items]
    assert min(abs(a - b) for a in serials for b in serials if a != b) > 1_000


def test_causes_come_before_effects(world: World) -> None:
    assert [s.at for s in world.steps] == sorted(s.at for s in world.steps)
    known: set[str] = set()
    packed: set[str] = set()
    shipped: set[str] = set()
    for step in world.steps:
        match step:
            case Commission():
                known.add(step.batch.class_uri)
                assert step.at < START
            case Transform():
                assert {i.batch.class_uri for i in step.inputs} <= known
            case Pack():
                assert {i.batch.class_uri for i in step.items} <= known
                packed.add(step.case.uri)
            case Ship():
                assert {c.uri for c in step.cases} <= packed
                assert step.place != step.destination
                shipped |= {c.uri for c in step.cases}
            case GatePassage():
                assert step.case.uri in shipped
                assert step.at >= START
                assert step.read_point == step.place.read_point


def test_no_batch_is_used_up_more_than_once(world: World) -> None:
    used: Counter[str] = Counter()
    for step in world.steps:
        if isinstance(step, Transform):
            for part in step.inputs:
                assert float(part.quantity) > 0
                used[part.batch.class_uri] += round(float(part.quantity) * 10)
            assert all(int(part.quantity) > 0 for part in step.outputs)
    for batch in world.batches:
        assert used[batch.class_uri] <= float(batch.quantity) * 10


def test_exactly_one_batch_that_reaches_a_gate_is_past_its_date(world: World) -> None:
    at_gates = {item.batch.class_uri: item.batch for step in world.passages() for item in step.items}
    assert sum(batch.is_expired(START.date()) for batch in at_gates.values()) == 1


def test_goods_can_be_followed_through_two_transformations(world: World) -> None:
    made = {t.outputs[0].batch.class_uri: t for t in world.steps if isinstance(t, Transform)}
    depths = [any(i.batch.class_uri in made for i in t.inputs) for t in made.values()]
    assert any(depths)
    assert not all(depths)


def test_the_number_of_tags_can_be_chosen() -> None:
    world = build_world(3, START, items_per_batch=(20, 20))
    assert {len(step.items) for step in world.passages()} == {20}
