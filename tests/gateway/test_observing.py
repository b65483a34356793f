"""One presence, one observation: however often, however late and in whatever order a tag is read."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_agent.checkpoints import BY_NAME, Report
from gateway_agent.cli import known_protocols
from gateway_agent.clock import Moment
from gateway_agent.config import parse_config
from gateway_agent.leaving import MARK, Departure
from gateway_agent.observing import MAX_READER_AGE_S, Again, Observation, Observer, Presence, Shown, Unplaced
from gateway_agent.points import ReadPoint
from tests.gateway.make import POINT, WALL, epc, later, presence, read_point
from trace_core.errors import ConfigError
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


def both(**point: object) -> Observer:
    fields: dict[str, object] = {"antennas": (1, 2), "report": Report.BOTH, "presence_window_s": WINDOW_S}
    return Observer([read_point(**fields | point)])


IN_AND_OUT = {(1, 2): "in", (2, 1): "out"}


def gone(observer: Observer, seconds: float) -> list[Departure]:
    found = observer.departures(at(seconds).monotonic)
    for departure in found:
        observer.departed(departure, Shown("allow", "", None, "urn:x", "0" * 16, 2))
    return found


def test_a_tag_that_is_not_read_for_longer_than_its_window_has_departed_once() -> None:
    door = both()
    observed(door, 1, 0, antenna=1)
    observed(door, 1, 7, antenna=2)
    assert gone(door, 17) == []
    (departure,) = gone(door, 17.1)
    assert (departure.arrived, departure.left, departure.left_wall) == (at(0).monotonic, at(7).monotonic, later(7))
    assert departure.reads == 2
    assert gone(door, 100) == []
    assert observed(door, 1, 101, antenna=1)
    assert len(gone(door, 200)) == 1
    assert door.counts.at(POINT).departed == 2


def test_a_read_point_that_reports_arrivals_only_reports_no_departure() -> None:
    door = observer()
    observed(door, 1, 0)
    assert gone(door, 1000) == []


def test_one_tag_at_two_antennas_of_a_read_point_is_one_presence() -> None:
    door = both()
    reads = [(0.0, 1), (0.1, 2), (0.2, 1), (9.0, 2), (18.0, 1)]
    assert [observed(door, 1, t, antenna=a) for t, a in reads] == [True, False, False, False, False]


@pytest.mark.parametrize(
    ("reads", "direction"),
    [
        ([(0, 1), (1, 1), (2, 2), (3, 2)], "in"),
        ([(0, 2), (1, 2), (2, 1)], "out"),
        ([(0, 1), (1, 1), (2, 2), (2.1, 2), (9, 2), (9.5, 1)], "in"),
        ([(0, 1), (1, 1)], ""),
        ([(0, 1), (0, 2)], ""),
    ],
)
def test_the_way_follows_from_which_antenna_saw_the_tag_earlier(reads: list[tuple[float, int]], direction: str) -> None:
    door = both(directions=IN_AND_OUT)
    for seconds, antenna in reads:
        observed(door, 1, seconds, antenna=antenna)
    assert [d.direction for d in gone(door, 100)] == [direction]


def test_a_departure_is_reported_once_over_a_restart_and_an_open_one_is_not_forgotten() -> None:
    door = both()
    observed(door, 1, 0, antenna=1)
    observed(door, 2, 0, antenna=1)
    observed(door, 2, 9, antenna=1)
    (departure,) = door.departures(at(11).monotonic)
    mark = door.departed(departure, Shown("allow", "", None, "urn:x", "0" * 16, 3))
    kept = [p for presences in door._presences.values() for p in presences]
    again = both()
    again.restore([*kept, mark])
    (open_one,) = gone(again, 30)
    assert open_one.epc == epc(2)
    first, second = (p.number for p in kept)
    assert sorted(again.sweep(at(2000).monotonic)) == [first, second, mark.number, mark.number + 1]


def test_a_mark_whose_presence_is_gone_is_forgotten() -> None:
    door = both()
    door.restore([presence(7, read_point=POINT + MARK)])
    assert door.sweep(at(0).monotonic) == [7]
    assert gone(door, 1000) == []


def test_every_read_is_accounted_for_by_its_read_point() -> None:
    door = both(min_reads=2, rssi_min_dbm=-60.0)
    observed(door, 1, 0, antenna=1, rssi_dbm=-70.0, count=4)
    observed(door, 1, 1, antenna=1)
    observed(door, 1, 2, antenna=2, count=2)
    observed(door, 1, 3, antenna=2, count=5)
    observed(door, 2, 3, antenna=1)
    door.sweep(at(2000).monotonic)
    counts = door.counts.at(POINT)
    assert (counts.reads, counts.weak, counts.began, counts.suppressed, counts.ghost_reads) == (13, 4, 3, 5, 1)
    assert counts.reads == counts.weak + counts.began + counts.suppressed + counts.ghost_reads
    assert door.counts.as_fields()["points"]


def test_an_observation_says_what_was_not_made_an_event_since_the_last() -> None:
    door = both(rssi_min_dbm=-60.0)
    observed(door, 1, 0, antenna=1)
    observed(door, 1, 1, antenna=1, count=6)
    observed(door, 3, 1, antenna=1, rssi_dbm=-70.0)
    outcomes = [door.observe("door", TagRead(epc=epc(2), antenna=1), at(t)) for t in (2, 30)]
    assert [o.untold for o in outcomes if isinstance(o, Observation)] == [(6, 1, 0), (0, 0, 0)]


@given(
    st.lists(st.tuples(st.integers(0, 900).map(lambda n: n / 8), st.integers(1, 3), st.integers(1, 4)), max_size=40),
    st.integers(1, 4),
    st.data(),
)
def test_however_reads_are_split_over_messages_and_antennas_the_observations_are_the_same(
    reads: list[tuple[float, int, int]], min_reads: int, data: st.DataObject
) -> None:
    """Each read (time, tag, count) as one message, or as `count` messages, on any antenna of the read point."""
    reads.sort()

    def outcome(splits: list[int], antennas: list[int]) -> tuple[list[tuple[int, float]], list[tuple[bytes, float]]]:
        door = both(min_reads=min_reads)
        begun: list[tuple[int, float]] = []
        left: list[tuple[bytes, float]] = []
        for (seconds, tag, count), split, antenna in zip(reads, splits, antennas, strict=True):
            left += [(d.epc, d.left) for d in gone(door, seconds)]
            for part in [count] if split == 0 else [1] * count:
                if observed(door, tag, seconds, antenna=antenna, count=part):
                    begun.append((tag, seconds))
        left += [(d.epc, d.left) for d in gone(door, 10_000)]
        return begun, sorted(left)

    many = len(reads)
    whole = outcome([0] * many, [1] * many)
    splits = data.draw(st.lists(st.integers(0, 1), min_size=many, max_size=many))
    antennas = data.draw(st.lists(st.integers(1, 2), min_size=many, max_size=many))
    assert outcome(splits, antennas) == whole
    assert len(whole[0]) == len(whole[1])


@given(st.lists(st.tuples(st.integers(0, 900).map(lambda n: n / 8), st.integers(1, 3)), max_size=50), st.data())
def test_a_restart_at_any_moment_reports_every_departure_once(
    reads: list[tuple[float, int]], data: st.DataObject
) -> None:
    reads.sort()
    cut = data.draw(st.integers(0, len(reads)))
    whole, first, second = both(), both(), both()

    def left(door: Observer, part: list[tuple[float, int]], marks: list[Presence]) -> list[tuple[bytes, float]]:
        found = []
        for seconds, tag in part:
            for departure in door.departures(at(seconds).monotonic):
                found.append((departure.epc, departure.left))
                marks.append(door.departed(departure, Shown("allow", "", None, "urn:x", "0" * 16, 1)))
            observed(door, tag, seconds, antenna=1)
        return found

    end = [(10_000.0, 9)]
    expected = left(whole, reads + end, [])
    marks: list[Presence] = []
    found = left(first, reads[:cut], marks)
    second.restore([p for kept in first._presences.values() for p in kept] + marks)
    found += left(second, reads[cut:] + end, [])
    assert sorted(found) == sorted(expected)


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_every_kind_of_checkpoint_presets_settings_that_exist_and_can_be_overridden(tmp_path: Path, name: str) -> None:
    def parsed(**point: object) -> ReadPoint:
        data = {
            "server": {"url": "http://localhost"},
            "gateway": {"state_dir": str(tmp_path)},
            "reader": [{"name": "door", "protocol": "magicrf", "url": "serial:///dev/null"}],
            "read_point": [{"reader": "door", "id": POINT, "checkpoint": name, "medium": "lpg", **point}],
        }
        return parse_config(data, tmp_path / "gateway.toml", known_protocols()).read_points[0]

    point = parsed()
    assert point.checkpoint == name
    assert point.presence_window_s == BY_NAME[name].presets["presence_window_s"]
    assert parsed(presence_window_s=7, min_reads=9).min_reads == 9


@pytest.mark.parametrize(
    ("point", "why"),
    [
        ({"antennas": [1, 1]}, "antennas"),
        ({"antennas": [1, "2"]}, "antennas"),
        ({"antennas": [1, 70_000]}, "out of range"),
        ({"antennas": [1, 2], "antenna": 1}, "antennas"),
        ({"report": "leave"}, "report"),
        ({"antennas": [1, 2], "direction": {"in": [1, 2]}}, "direction"),
        ({"antennas": [1, 2], "report": "both", "direction": {"in": [1, 3]}}, "direction.in"),
        ({"antennas": [1, 2], "report": "both", "direction": {"in": [1, 2], "out": [1, 2]}}, "two names"),
        ({"role": "pre_check", "report": "both"}, "report"),
        ({"checkpoint": "filling_station", "medium": "lpg", "report": "depart"}, "report"),
    ],
)
def test_a_filter_that_cannot_work_is_refused(tmp_path: Path, point: dict[str, object], why: str) -> None:
    data = {
        "server": {"url": "http://localhost"},
        "gateway": {"state_dir": str(tmp_path)},
        "reader": [{"name": "door", "protocol": "magicrf", "url": "serial:///dev/null"}],
        "read_point": [{"reader": "door", "id": POINT, **point}],
    }
    with pytest.raises(ConfigError, match=why):
        parse_config(data, tmp_path / "gateway.toml", known_protocols())
