"""The judge sees each kind of wrong, and only that."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.world import Commission, GatePassage, World, build_world
from suyuan.demo.answers import AnswerScreen
from suyuan.demo.documents import event_of
from suyuan.demo.judge import Mark, compare, document_mark, marks_held, passage_mark

START = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
MARKS = st.sampled_from([("passage", "gate", thing) for thing in "abcdef"])


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(1, START)


@given(st.lists(MARKS))
def test_the_same_on_both_sides_is_clean(marks: list[Mark]) -> None:
    assert compare(Counter(marks), Counter(reversed(marks))).clean


@given(st.lists(MARKS, min_size=1))
def test_one_that_is_missing_is_lost(marks: list[Mark]) -> None:
    verdict = compare(Counter(marks), Counter(marks[1:]))
    assert (verdict.lost, verdict.duplicates, verdict.unexpected) == (1, 0, 0)


@given(st.lists(MARKS, min_size=1))
def test_one_that_is_held_once_more_is_a_duplicate(marks: list[Mark]) -> None:
    verdict = compare(Counter(marks), Counter([*marks, marks[0]]))
    assert (verdict.lost, verdict.duplicates, verdict.unexpected) == (0, 1, 0)


@given(st.lists(MARKS))
def test_one_that_was_never_emitted_is_unexpected(marks: list[Mark]) -> None:
    verdict = compare(Counter(marks), Counter([*marks, ("passage", "gate", "stranger")]))
    assert (verdict.lost, verdict.duplicates, verdict.unexpected) == (0, 0, 1)


def test_a_document_that_lost_one_of_its_things_is_not_the_same(world: World) -> None:
    step = next(step for step in world.steps if isinstance(step, Commission) and len(step.items) > 1)
    mark = document_mark(event_of(step))
    row = {"source": "client:c", "event_id": mark[1], "type": mark[2], "epcs": list(mark[3:])}
    assert compare(Counter([mark]), marks_held([row])).clean
    assert not compare(Counter([mark]), marks_held([row | {"epcs": row["epcs"][:-1]}])).clean


def test_a_read_at_another_place_is_not_the_same(world: World) -> None:
    passage = next(step for step in world.steps if isinstance(step, GatePassage))
    mark = passage_mark(passage.read_point, passage.tags[0])
    row = {"source": "gateway:g", "read_point": passage.read_point, "epcs": [mark[2]]}
    assert compare(Counter([mark]), marks_held([row])).clean
    assert not compare(Counter([mark]), marks_held([row | {"read_point": passage.place.uri}])).clean


def test_an_operator_reads_no_half_line(tmp_path: Path) -> None:
    screen = AnswerScreen(tmp_path / "answers.jsonl")
    whole = '{"read_point": "gate", "epc": "30AA", "answer": "refuse"}'
    screen.path.write_text(whole[:20])
    screen.look()
    assert screen.answer("gate", bytes.fromhex("30AA")) is None
    screen.path.write_text(whole + "\n")
    screen.look()
    assert screen.answer("gate", bytes.fromhex("30AA")) == "refuse"
    assert screen.counts == {"refuse": 1}
