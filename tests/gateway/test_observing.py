"""One presence, one observation: however often, however late and in whatever order a tag is read."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from gateway_agent.clock import Moment
from gateway_agent.observing import MAX_READER_AGE_S, Again, Observation, Observer, Presence, Shown, Unplaced
from tests.gateway.make import POINT, WALL, epc, later, presence, read_point
from trace_core.readers._base import TagRead

WINDOW_S = 10.0


def at(seconds: float) -> Moment:
    return Moment(later(seconds), 1000.0 + seconds)


def observed(observer: Observer, tag: int, seconds: float, **read: object) -> bool:
    outcome = observer.observe("door", TagRead(epc=epc(tag), **read), at(seconds))  # type: ignore[arg-type]
    if isinstance(outcome, Observation):
        observer.answered(outcome, Shown("allow", "", None, "urn:x", "0" * 16, 1))
        return True
    return False


def observer(**point: object) -> Observer:
    return Observer([read_point(presence_window_s=WINDOW_S, **point)])


def test_a_tag_that_stays_is_observed_once_and_again_after_it_was_away() -> None:
    door = observer()
    assert [observed(door, 1, t) for t in (0, 5, 14, 24, 34.1, 40)] == [True, False, False, False, True, False]
    assert (door.counts.observed, door.counts.suppressed) == (2, 4)


def test_two_tags_and_two_read_points_do_not_mix() -> None:
    points = [read_point(antenna=1), read_point(antenna=2, id="urn:epc:id:sgln:6901234.00002.0")]
    door = Observer(points)
    assert observed(door, 1, 0, antenna=1)
    assert observed(door, 2, 0, antenna=1)
    assert observed(door, 1, 1, antenna=2)
    assert not observed(door, 1, 2, antenna=2)


def test_an_antenna_without_a_read_point_of_its_own_takes_the_readers() -> None:
    door = Observer([read_point(antenna=1), read_point(antenna=None, id="urn:epc:id:sgln:6901234.00009.0")])
    outcome = door.observe("door", TagRead(epc=epc(1), antenna=7), at(0))
    assert isinstance(outcome, Observation)
    assert outcome.point.id.endswith("00009.0")


def test_a_read_that_has_no_place_is_handed_back_not_dropped() -> None:
    door = Observer([read_point(antenna=1)])
    read = TagRead(epc=epc(1), antenna=2)
    assert door.observe("door", read, at(0)) == Unplaced("door", read)
    assert door.counts.unplaced == 1


def test_stray_reads_below_the_minimum_are_counted_as_ghosts() -> None:
    door = observer(min_reads=3)
    assert [observed(door, 1, t) for t in (0, 1)] == [False, False]
    assert [observed(door, 1, t) for t in (50, 51, 52, 53)] == [False, False, True, False]
    assert door.counts.ghosts == 1
    assert observed(door, 2, 60, count=3)


def test_an_observation_carries_when_the_tag_was_first_there() -> None:
    door = observer(min_reads=2)
    door.observe("door", TagRead(epc=epc(1)), at(3))
    outcome = door.observe("door", TagRead(epc=epc(1)), at(4))
    assert isinstance(outcome, Observation)
    assert (outcome.seen, outcome.received, outcome.reads) == (at(3), at(4), 2)


def test_weak_reads_are_ignored_and_reads_without_a_level_are_not() -> None:
    door = observer(rssi_min_dbm=-60.0)
    assert not observed(door, 1, 0, rssi_dbm=-60.5)
    assert observed(door, 1, 1, rssi_dbm=-60.0)
    assert observed(door, 2, 1)
    assert door.counts.weak == 1


def test_a_backlog_is_placed_by_the_readers_clock() -> None:
    """Read at 0 and 30 s by the reader's clock, delivered together a minute later: two presences, not one."""
    door = observer()
    assert observed(door, 1, 60, reader_time=later(0))
    assert observed(door, 1, 60.1, reader_time=later(30))
    # Delivered once more after a crash: nothing new.
    assert not observed(door, 1, 90, reader_time=later(0))
    assert not observed(door, 1, 90, reader_time=later(30))
    # And the tag is there now: that is the third.
    assert observed(door, 1, 91)


def test_a_reader_whose_clock_is_wrong_is_not_believed_and_counted() -> None:
    door = observer()
    assert observed(door, 1, 0, reader_time=later(-MAX_READER_AGE_S - 1))
    assert not observed(door, 1, 1, reader_time=later(-86_400))
    assert door.counts.reader_clock_off == 2


def test_after_a_restart_the_tag_is_the_same_presence_and_its_answer_is_shown_once_more() -> None:
    door = observer()
    stored = presence(4, last_seen=at(0).monotonic)
    door.restore([stored])
    outcomes = [door.observe("door", TagRead(epc=epc(4)), at(t)) for t in (2, 3)]
    assert outcomes == [Again(POINT, epc(4), stored.shown or Shown("", "", None, "", "", 0)), None]
    assert observed(door, 5, 4)
    assert observed(door, 4, 60)


def test_numbers_of_presences_go_on_after_a_restart() -> None:
    door = observer()
    door.restore([presence(41)])
    outcome = door.observe("door", TagRead(epc=epc(1)), at(0))
    assert isinstance(outcome, Observation)
    assert outcome.presence == 42


def test_with_a_nearly_full_outbox_a_presence_lasts_longer() -> None:
    door = observer()
    door.coarse = True
    assert [observed(door, 1, t) for t in (0, 39, 80)] == [True, False, True]


def test_the_ends_of_presences_are_handed_out_once_for_flushing() -> None:
    door = observer()
    observed(door, 1, 0)
    observed(door, 1, 5)
    observed(door, 1, 7)
    assert [p.last_seen for p in door.take_moved()] == [at(7).monotonic]
    assert door.take_moved() == []


def test_what_no_read_can_belong_to_any_more_is_forgotten() -> None:
    door = observer(min_reads=2)
    observed(door, 2, 0)
    for seconds in (0, 1):
        observed(door, 1, seconds)
    assert door.sweep(at(100).monotonic) == []
    assert door.sweep(at(1000).monotonic) == [1]
    assert door.counts.ghosts == 1
    assert door.take_moved() == []
    assert [observed(door, 1, t) for t in (1001, 1002)] == [False, True]


times = st.lists(st.integers(0, 2000).map(lambda n: n / 8), min_size=1, max_size=60)


@given(times)
def test_the_number_of_observations_is_the_number_of_runs_without_a_longer_pause(seconds: list[float]) -> None:
    door = observer()
    seconds = sorted(seconds)
    count = sum(observed(door, 1, t) for t in seconds)
    pauses = [b - a for a, b in itertools.pairwise(seconds)]
    assert count == 1 + sum(pause > WINDOW_S for pause in pauses)


@given(times, st.randoms(use_true_random=False))
def test_redelivering_any_reads_in_any_order_adds_no_observation(seconds: list[float], dice: object) -> None:
    door = observer()
    for t in sorted(seconds):
        observed(door, 1, t, reader_time=later(t))
    again = list(seconds)
    dice.shuffle(again)  # type: ignore[attr-defined]
    received = max(seconds) + 20
    assert not any(observed(door, 1, received, reader_time=later(t)) for t in again)


@given(st.lists(st.tuples(st.integers(0, 900).map(lambda n: n / 8), st.integers(1, 3)), max_size=50), st.data())
def test_a_restart_at_any_moment_changes_no_decision(reads: list[tuple[float, int]], data: st.DataObject) -> None:
    """Whatever was committed and flushed is all that the next run needs."""
    reads.sort()
    cut = data.draw(st.integers(0, len(reads)))
    whole, first, second = observer(), observer(), observer()
    expected = [observed(whole, tag, t) for t, tag in reads]
    found = [observed(first, tag, t) for t, tag in reads[:cut]]
    second.restore([p for kept in first._presences.values() for p in kept])
    found += [observed(second, tag, t) for t, tag in reads[cut:]]
    assert found == expected


@given(times)
def test_presences_of_a_tag_never_overlap_in_time_order(seconds: list[float]) -> None:
    door = observer()
    for t in sorted(seconds):
        observed(door, 1, t)
    intervals: list[Presence] = sorted(door._presences[POINT, epc(1)], key=lambda p: p.first_seen)
    assert all(p.first_seen <= p.last_seen for p in intervals)
    assert all(b.first_seen - a.last_seen > WINDOW_S for a, b in itertools.pairwise(intervals))


def test_the_wall_clock_does_not_matter_for_windows() -> None:
    door = observer()
    assert observed(door, 1, 0)
    jumped = replace(at(5), wall=WALL - timedelta(days=20_000))
    assert door.observe("door", TagRead(epc=epc(1)), jumped) is None
