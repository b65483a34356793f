"""A filling station decides by itself with the cable cut: rules D50 to D53, and what was done in spite of a refusal."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from gateway_agent import clock
from gateway_agent.answering import Answer, Policy, Question, answer, identify
from gateway_agent.blocklist import BlockListFile, Verdict, parse_block_list
from gateway_agent.checkpoints import Role
from gateway_agent.cli import known_protocols
from gateway_agent.clock import ClockJudge, Moment
from gateway_agent.config import Config, parse_config
from gateway_agent.eventing import Origin
from gateway_agent.ledger import Ledger
from gateway_agent.outbox_view import OutboxView
from gateway_agent.outputs._base import Display
from gateway_agent.reading import Reading
from gateway_agent.requests import REQUESTS, Inbox, Kind, Request, leave, new_number
from gateway_agent.supervise import Supervisor
from gateway_agent.writing import Stop, Writer
from tests.gateway.make import LIST_KEY, epc, sealed
from tests.gateway.process import until
from trace_core.errors import ConfigError
from trace_core.readers._base import TagRead

ISSUED = datetime(2026, 11, 1, tzinfo=UTC)
STATION = "91350100M000100Y43"
TID = bytes.fromhex("E280113020000A1B2C3D4E5F")
SCALE, CHECKS, EXIT = (f"urn:epc:id:sgln:6901234.0000{n}.0" for n in (1, 2, 3))
GOOD = {"medium": "lpg", "owner": STATION, "inspection_due": "2027-05-31", "tid": TID.hex()}


def asset(number: int, **facts: str) -> dict[str, str]:
    return {"match": "asset", "value": f"urn:epc:id:sgtin:0614141.812345.{number}", **GOOD, **facts}


def listing(*entries: dict[str, str], issued: datetime = ISSUED) -> bytes:
    return json.dumps({"version": 1, "issued_at": issued.isoformat(), "entries": entries}).encode()


def asked(number: int, *entries: dict[str, str], wall: datetime = ISSUED, **question: Any) -> str:
    fields: dict[str, Any] = {"role": Role.FILLING, "medium": "lpg", "check": True, "tid": TID}
    found = answer(
        Question(identify(epc(number)), wall, **fields | question),
        parse_block_list(listing(*entries)),
        Policy(owner=STATION),
    )
    return f"{found.verdict} {found.reason}"


def test_a_good_cylinder_with_a_passed_check_may_be_filled() -> None:
    assert asked(1, asset(1)) == "allow not-listed"


@pytest.mark.parametrize(
    ("entry", "question", "reason"),
    [
        (asset(2), {}, "unknown-cylinder"),
        ({"match": "asset", "value": "urn:epc:id:sgtin:0614141.812345.1", "tid": TID.hex()}, {}, "unknown-cylinder"),
        (asset(1, scrap_on="2026-11-01"), {}, "scrapped"),
        (asset(1, inspection_due="2026-10-31"), {}, "overdue"),
        (asset(1, owner="91350100M000100Y50"), {}, "foreign"),
        (asset(1, owner=""), {}, "foreign"),
        (asset(1, medium="acetylene"), {}, "wrong-medium"),
        (asset(1), {"medium": "acetylene"}, "wrong-medium"),
        (asset(1), {"check": None}, "no-pre-check"),
        (asset(1), {"check": False}, "pre-check-failed"),
        (asset(1), {"tid": TID[:-1] + b"\x00"}, "tid-mismatch"),
    ],
)
def test_what_may_not_be_filled_is_refused_with_its_reason(
    entry: dict[str, str], question: dict[str, Any], reason: str
) -> None:
    assert asked(1, entry, **question) == f"refuse {reason}"


def test_the_inspection_falls_due_by_the_date_on_the_box_weeks_after_the_cable_was_cut() -> None:
    """Due on 20 November, list of 1 November. The day ends at midnight in Shanghai, 16:00 UTC."""
    entry = asset(1, inspection_due="2026-11-20")
    assert asked(1, entry, wall=datetime(2026, 11, 20, 15, 59, tzinfo=UTC)) == "allow not-listed"
    assert asked(1, entry, wall=datetime(2026, 11, 20, 16, 0, tzinfo=UTC)) == "refuse overdue"


def test_a_clock_that_fell_back_forgives_no_due_date() -> None:
    entry = asset(1, inspection_due="2026-10-31")
    assert asked(1, entry, wall=datetime(1970, 1, 1, tzinfo=UTC)) == "refuse overdue"


def test_overdue_scrapped_and_cloned_things_are_refused_at_every_gate() -> None:
    gate = {"role": Role.GATE, "medium": "", "check": None}
    assert asked(1, asset(1, inspection_due="2026-10-31"), **gate) == "refuse overdue"
    assert asked(1, asset(1), **gate, tid=TID[::-1]) == "refuse tid-mismatch"
    assert asked(1, asset(1, owner=""), **gate) == "allow not-listed"
    assert asked(5, asset(1), **gate) == "allow not-listed"


def test_a_short_or_missing_tid_proves_nothing() -> None:
    for tid in (None, b"", b"\x00" * 7, TID[:8]):
        assert asked(1, asset(1), tid=tid) == "allow not-listed"


def test_without_a_list_nothing_is_filled() -> None:
    question = Question(identify(epc(1)), ISSUED, role=Role.FILLING, medium="lpg", check=True)
    assert answer(question, None, Policy()) == Answer(Verdict.REFUSE, "no-list", None)


def test_a_tag_that_means_nothing_is_not_filled() -> None:
    question = Question(identify(bytes(12)), ISSUED, role=Role.FILLING, medium="lpg", check=True)
    assert answer(question, parse_block_list(listing()), Policy()).reason == "unknown-tag"


def test_a_check_is_good_for_a_while_and_for_one_filling_also_over_a_restart() -> None:
    ledger = Ledger("boot-a")
    at = Moment(ISSUED, 100.0)
    ledger.record_check("x", at, passed=True)
    ledger.refuse("p", "x", at, reason="overdue", epoch="0" * 16, seq=3)
    assert ledger.take_request("n")
    again = Ledger.from_state(json.loads(json.dumps(ledger.as_state())), "boot-b")
    rebooted = Moment(ISSUED + timedelta(seconds=50), 5.0)
    for book, now in ((ledger, Moment(ISSUED, 150.0)), (again, rebooted)):
        assert book.check("x", now, 60.0) is True
        assert book.check("x", now, 40.0) is None
        refusal = book.refusal("p", "x", now)
        assert refusal is not None
        assert refusal.seq == 3
        assert not book.take_request("n")
        book.use_check("x")
        assert book.check("x", now, 60.0) is None


def test_the_ledger_does_not_grow_without_bound() -> None:
    ledger = Ledger("boot-a")
    for number in range(5_000):
        ledger.record_check(str(number), Moment(ISSUED, float(number)), passed=True)
    assert len(ledger.checks) == 2_000
    assert ledger.check("4999", Moment(ISSUED, 5_000.0), 60.0) is True


def station(folder: Path, **answers: object) -> Config:
    data = {
        "server": {"url": "http://localhost"},
        "gateway": {"state_dir": str(folder)},
        "reader": [{"name": "scale", "protocol": "magicrf", "url": "serial:///dev/null"}],
        "read_point": [
            {"reader": "scale", "antenna": 1, "id": SCALE, "checkpoint": "filling_station", "medium": "lpg"}
            | {"min_reads": 1, "report": "arrive", "fill_limit_kg": 14.9},
            {"reader": "scale", "antenna": 2, "id": CHECKS, "role": "pre_check", "medium": "lpg"},
            {"reader": "scale", "antenna": 3, "id": EXIT, "role": "act", "act_of": SCALE},
        ],
        "answer": {"owner": STATION, **answers},
    }
    return parse_config(data, folder / "gateway.toml", known_protocols())


class Station:
    """A writer with its inbox, no server anywhere."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        block_list = BlockListFile(folder / "block_list.json", LIST_KEY)
        if block_list.current is None:
            now = clock.now().wall
            block_list.replace(
                sealed(
                    listing(asset(1, inspection_due="2999-01-01"), asset(2, inspection_due="2020-01-01"), issued=now)
                )
            )
        self.shown: list[Display] = []
        self.writer = Writer(
            station(folder),
            Origin("gate-1", "boot-a", timezone(timedelta(hours=8))),
            judge=ClockJudge(lambda: True),
            block_list=block_list,
            outputs=[self],
            snapshot=dict,
        )
        self.inbox = Inbox(folder / REQUESTS, self.writer.queue.put)

    def show(self, displays: Any) -> None:
        self.shown += displays

    def see(self, number: int, antenna: int) -> None:
        read = TagRead(epc=epc(number), antenna=antenna, tid=TID, rssi_dbm=-40.0)
        self.writer.queue.put(Reading("scale", read, clock.now()))

    def say(
        self,
        number: int,
        kind: Kind,
        *,
        passed: bool = True,
        point: str = SCALE,
        name: str = "",
        weight_kg: float | None = None,
    ) -> Path:
        request = Request(name or new_number(), kind, epc(number).hex(), point, passed, weight_kg, clock.now().wall)
        path = leave(self.folder / REQUESTS, request)
        self.inbox.look()
        return path

    def answers(self, count: int) -> list[str]:
        until(lambda: len(self.shown) >= count, f"{count} answers, not {[d.shown.reason for d in self.shown]}")
        return [f"{d.shown.answer} {d.shown.reason}" for d in self.shown]

    def events(self) -> list[dict[str, Any]]:
        with closing(OutboxView(self.folder / "outbox.sqlite")) as view:
            return [json.loads(row.body) for row in view.events(100)][::-1]


@contextmanager
def running(folder: Path) -> Iterator[Station]:
    place = Station(folder)
    thread = Supervisor().start("writer", place.writer.run, threading.Event())
    assert place.writer.ready.wait(10)
    try:
        yield place
    finally:
        place.writer.queue.put(Stop())
        thread.join(10)
        assert not thread.is_alive()


def test_a_check_at_the_box_lets_the_waiting_cylinder_be_filled(tmp_path: Path) -> None:
    with running(tmp_path) as place:
        place.see(1, 1)
        assert place.answers(1) == ["refuse no-pre-check"]
        place.see(1, 1)
        path = place.say(1, Kind.PRE_CHECK)
        until(lambda: not path.exists(), "the request is settled")
        place.see(1, 1)
        assert place.answers(3) == ["refuse no-pre-check", "allow not-listed", "allow not-listed"]
        events = place.events()
        assert [event.get("suyuan:check") for event in events] == [None, "passed", None]
        assert events[1]["bizStep"].endswith("inspecting")
        assert "suyuan:rawEpc" not in events[1]


def test_a_failed_check_refuses_and_a_read_at_the_check_point_passes(tmp_path: Path) -> None:
    with running(tmp_path) as place:
        place.say(1, Kind.PRE_CHECK, passed=False)
        assert place.answers(1) == ["refuse pre-check-failed"]
        place.see(1, 1)
        assert place.answers(2)[1] == "refuse pre-check-failed"
        place.see(1, 2)
        assert place.answers(3)[2] == "allow not-listed"
        place.see(1, 1)
        assert place.answers(4)[3] == "allow not-listed"


def test_what_was_filled_in_spite_of_a_refusal_is_an_event_of_its_own(tmp_path: Path) -> None:
    with running(tmp_path) as place:
        place.see(2, 1)
        assert place.answers(1) == ["refuse overdue"]
        place.see(2, 3)
        assert place.answers(2)[1] == "refuse refused-act"
        said, act = place.events()
        assert (act["suyuan:refusedAct"], act["suyuan:refusedSeq"]) == ("overdue", said["suyuan:seq"])
        assert act["suyuan:refusedEpoch"] == said["suyuan:epoch"]
        assert act["readPoint"]["id"] == EXIT


def test_an_allowed_act_is_no_alarm_and_uses_up_its_check(tmp_path: Path) -> None:
    with running(tmp_path) as place:
        place.say(1, Kind.PRE_CHECK)
        place.answers(1)
        place.see(1, 1)
        assert place.answers(2)[1] == "allow not-listed"
        place.say(1, Kind.ACT)
        assert place.answers(3)[2] == "allow not-listed"
        assert "suyuan:refusedAct" not in place.events()[2]
        told = [(event.get("suyuan:act"), event.get("suyuan:medium")) for event in place.events()]
        assert told == [(None, None), (None, None), ("filling", "lpg")]
        assert place.writer._decider.ledger.checks == {}


def test_a_filling_above_the_limit_is_refused_as_overfilled_wherever_it_was_weighed(tmp_path: Path) -> None:
    with running(tmp_path) as place:
        for number, (weight_kg, point) in enumerate([(14.9, SCALE), (15.0, SCALE), (16.5, EXIT)], 1):
            place.say(1, Kind.ACT, weight_kg=weight_kg, point=point)
            place.answers(number)
        place.see(2, 1)
        place.say(2, Kind.ACT, weight_kg=20.0)
        assert place.answers(5) == [
            "allow not-listed",
            "refuse overfilled",
            "refuse overfilled",
            "refuse overdue",
            "refuse refused-act",
        ]
        events = place.events()
        assert [event.get("suyuan:weightKg") for event in events] == [14.9, 15.0, 16.5, None, 20.0]
        assert [event.get("suyuan:fillLimitKg") for event in events] == [None, 14.9, 14.9, None, 14.9]


def test_a_refusal_and_a_check_survive_a_restart(tmp_path: Path) -> None:
    with running(tmp_path) as place:
        place.see(2, 1)
        place.say(1, Kind.PRE_CHECK)
        place.answers(2)
    with running(tmp_path) as place:
        place.see(1, 1)
        place.say(2, Kind.ACT)
        assert place.answers(2) == ["allow not-listed", "refuse refused-act"]


def test_a_request_that_comes_twice_is_one_event(tmp_path: Path) -> None:
    with running(tmp_path) as place:
        place.say(1, Kind.PRE_CHECK, name="00000000000001-aa")
        place.answers(1)
    with running(tmp_path) as place:
        path = place.say(1, Kind.PRE_CHECK, name="00000000000001-aa")
        until(lambda: not path.exists(), "the second is settled")
        assert len(place.events()) == 1


def test_a_request_that_cannot_be_placed_is_kept_in_quarantine(tmp_path: Path) -> None:
    with running(tmp_path) as place:
        path = place.say(1, Kind.PRE_CHECK, point="urn:epc:id:sgln:6901234.00099.0")
        until(lambda: not path.exists(), "settled")
        with closing(OutboxView(tmp_path / "outbox.sqlite")) as view:
            assert [row.reason for row in view.quarantine(10)] == ["bad-config"]


def test_a_file_that_is_no_request_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "x.request").write_bytes(b"{")
    Inbox(tmp_path, lambda asked: None).look()
    assert [path.name for path in tmp_path.iterdir()] == ["x.refused"]


@pytest.mark.parametrize(
    ("point", "why"),
    [
        ({"role": "filling"}, "medium"),
        ({"role": "act"}, "act_of"),
        ({"act_of": SCALE}, "act_of"),
        ({"role": "act", "act_of": "urn:epc:id:sgln:6901234.00099.0"}, "no read point"),
        ({"checkpoint": "filling"}, "checkpoint"),
        ({"fill_limit_kg": 15}, "fill_limit_kg"),
        ({"role": "fill"}, "role"),
    ],
)
def test_a_station_that_cannot_decide_does_not_start(tmp_path: Path, point: dict[str, object], why: str) -> None:
    data = {
        "server": {"url": "http://localhost"},
        "gateway": {"state_dir": str(tmp_path)},
        "reader": [{"name": "scale", "protocol": "magicrf", "url": "serial:///dev/null"}],
        "read_point": [{"reader": "scale", "id": SCALE, **point}],
    }
    with pytest.raises(ConfigError, match=why):
        parse_config(data, tmp_path / "gateway.toml", known_protocols())
