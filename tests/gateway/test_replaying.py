"""Quarantine tried again: a read that had no read point becomes one event at its own time, once; so do bad bytes."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_agent import clock, quarantining
from gateway_agent.blocklist import BlockListFile
from gateway_agent.cli import known_protocols, main
from gateway_agent.clock import ClockJudge, Moment
from gateway_agent.config import Config, parse_config
from gateway_agent.eventing import Origin
from gateway_agent.outbox import Commit, Outbox
from gateway_agent.outbox_schema import connect_read_only
from gateway_agent.outbox_view import OutboxView
from gateway_agent.quarantining import BadData, Outcome
from gateway_agent.reading import Reading
from gateway_agent.replaying import EPISODE_S, Episodes, Replayer, decode
from gateway_agent.supervise import Supervisor
from gateway_agent.writing import Stop, Writer
from tests.gateway.cursor_server import cursor_server
from tests.gateway.make import BOOT, POINT, WALL, epc, later, new_outbox
from tests.gateway.process import GatewayProcess, ended, serial_reader, until
from tests.gateway.test_writing import Screen
from trace_core.readers._base import TagRead
from trace_core.readers.magicrf.frames import TagNotice

SEEN = Moment(WALL, 5_000.0)
TID = bytes.fromhex("E2801160600002054CC2096F")


def settings(folder: Path, *antennas: int, **point: object) -> Config:
    """Without antennas: one read point for all."""
    points = [{"reader": "door", "antenna": n, "id": f"{POINT[:-1]}{n}", **point} for n in antennas]
    data: dict[str, object] = {
        "server": {"url": "http://localhost"},
        "gateway": {"state_dir": str(folder)},
        "reader": [{"name": "door", "protocol": "magicrf", "url": "serial:///dev/null"}],
        "read_point": points or [{"reader": "door", "id": POINT}],
    }
    return parse_config(data, folder / "gateway.toml", known_protocols())


class Gateway:
    """A writer with its replayer, without readers and server."""

    def __init__(self, config: Config, boot_id: str) -> None:
        self.folder = config.gateway.state_dir
        self.screen = Screen(self.folder)
        self.writer = Writer(
            config,
            Origin("gate-1", boot_id, timezone(timedelta(hours=8))),
            judge=ClockJudge(lambda: True),
            block_list=BlockListFile(self.folder / "none"),
            outputs=[self.screen],
            snapshot=dict,
        )
        self.replayer = Replayer(self.folder / "outbox.sqlite", config.readers, boot_id, self.writer.queue.put)
        self.supervisor = Supervisor()

    def replay(self, *numbers: int) -> dict[int, Outcome | None]:
        asked = self.writer.call(lambda outbox: outbox.ask_replay(numbers or None))
        self.replayer.look()
        until(lambda: None not in outcomes(self.folder, asked).values(), "an answer to every request")
        return outcomes(self.folder, asked)


def outcomes(folder: Path, numbers: list[int]) -> dict[int, Outcome | None]:
    with closing(connect_read_only(folder / "outbox.sqlite")) as db:
        return quarantining.outcomes(db, numbers)


@contextmanager
def running(config: Config, boot_id: str = "boot-a") -> Iterator[Gateway]:
    gateway = Gateway(config, boot_id)
    thread = gateway.supervisor.start("writer", gateway.writer.run, threading.Event())
    assert gateway.writer.ready.wait(10)
    try:
        yield gateway
    finally:
        gateway.writer.queue.put(Stop())
        thread.join(10)
        assert not thread.is_alive()


def events(folder: Path) -> list[dict[str, Any]]:
    with closing(OutboxView(folder / "outbox.sqlite")) as view:
        return [json.loads(row.body) for row in reversed(list(view.events(100)))]


def quarantined(folder: Path) -> list[tuple[str, bytes, int]]:
    with closing(OutboxView(folder / "outbox.sqlite")) as view:
        return [(row.reason, bytes.fromhex(row.data_hex), row.times) for row in view.quarantine(100)]


def keep(folder: Path, *bad: BadData) -> None:
    with closing(new_outbox(folder)) as outbox:
        outbox.commit(Commit(wall=WALL, boot_id=BOOT, bad=bad))


def test_a_read_without_a_read_point_is_kept_with_all_that_was_known_of_it(tmp_path: Path) -> None:
    read = TagRead(epc(1), antenna=2, rssi_dbm=-51.5, tid=TID, count=3, reader="R-7")
    with running(settings(tmp_path, 1)) as gateway:
        gateway.writer.queue.put(Reading("door", read, SEEN))
        until(lambda: quarantined(tmp_path), "kept")
    ((reason, data, times),) = quarantined(tmp_path)
    kept, received, stamp = decode(data)
    assert (reason, times, kept, received) == ("no-read-point", 1, read, SEEN)
    assert (stamp.boot_id, stamp.monotonic) == ("boot-a", SEEN.monotonic)


def test_it_becomes_one_event_at_its_own_time_once_the_settings_are_mended(tmp_path: Path) -> None:
    with running(settings(tmp_path, 1)) as gateway:
        for repeat in range(5):
            at = Moment(later(repeat * 0.2), SEEN.monotonic + repeat * 0.2)
            gateway.writer.queue.put(Reading("door", TagRead(epc(1), antenna=2, tid=TID), at))
        until(lambda: [times for _, _, times in quarantined(tmp_path)] == [5], "five reads, one row")
        assert gateway.replay() == {1: Outcome.NO_READ_POINT}
        assert len(quarantined(tmp_path)) == 1
    with running(settings(tmp_path, 1, 2, min_reads=4), "boot-b") as gateway:
        assert gateway.replay(1) == {1: Outcome.EVENT}
        assert gateway.replay() == {}
        assert gateway.screen.seen == []
    (event,) = events(tmp_path)
    assert event["eventTime"].startswith("2026-03-01T08:00:00")
    assert event["readPoint"]["id"] == f"{POINT[:-1]}2"
    fields = {name: event[f"suyuan:{name}"] for name in ("replayed", "bootId", "monotonic", "tid", "readPointAntenna")}
    assert fields == {
        "replayed": True,
        "bootId": "boot-a",
        "monotonic": 5000.0,
        "tid": TID.hex().upper(),
        "readPointAntenna": 2,
    }
    assert quarantined(tmp_path) == []


def test_what_the_read_point_would_not_have_taken_stays(tmp_path: Path) -> None:
    keep(tmp_path, Episodes("boot-x").keep("door", TagRead(epc(1), antenna=1, rssi_dbm=-80.0), SEEN))
    with running(settings(tmp_path, 1, rssi_min_dbm=-60.0)) as gateway:
        assert gateway.replay() == {1: Outcome.WEAK}
    assert (len(quarantined(tmp_path)), events(tmp_path)) == (1, [])


def test_a_read_of_a_presence_that_has_its_event_makes_no_second_one(tmp_path: Path) -> None:
    now = clock.now()
    keep(tmp_path, Episodes("boot-a").keep("door", TagRead(epc(1), antenna=1), now))
    with running(settings(tmp_path, 1)) as gateway:
        gateway.writer.queue.put(Reading("door", TagRead(epc(1), antenna=1), now))
        until(lambda: len(events(tmp_path)) == 1, "the live read")
        assert gateway.replay() == {1: Outcome.KNOWN}
    assert (quarantined(tmp_path), len(events(tmp_path))) == ([], 1)


def test_a_replay_whose_commit_failed_is_done_once_and_only_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit: Callable[..., None] = Outbox.commit
    failures = iter([True, True])

    def fail_twice(outbox: Outbox, work: Commit) -> None:
        if len(work.settled) and next(failures, False):
            raise sqlite3.OperationalError("disk I/O error")
        commit(outbox, work)

    keep(tmp_path, Episodes("boot-x").keep("door", TagRead(epc(1), antenna=1), SEEN))
    monkeypatch.setattr(Outbox, "commit", fail_twice)
    with running(settings(tmp_path, 1)) as gateway:
        assert gateway.replay() == {1: Outcome.EVENT}
        assert gateway.supervisor.crashes["writer"] == 2
    assert (len(events(tmp_path)), quarantined(tmp_path)) == (1, [])


def test_a_request_that_is_handed_over_twice_is_carried_out_once(tmp_path: Path) -> None:
    keep(tmp_path, Episodes("boot-x").keep("door", TagRead(epc(1), antenna=1), SEEN))
    with running(settings(tmp_path, 1)) as gateway:
        twin = Replayer(tmp_path / "outbox.sqlite", (), "boot-a", gateway.writer.queue.put)
        gateway.writer.call(lambda outbox: outbox.ask_replay([1]))
        twin.look()
        gateway.replayer.look()
        until(lambda: outcomes(tmp_path, [1])[1] is not None, "an answer")
    assert len(events(tmp_path)) == 1


def test_bytes_are_read_by_a_fresh_session_and_only_what_is_no_frame_stays(tmp_path: Path) -> None:
    noise = b"\x01\x02\x03"
    data = TagNotice.of(epc(1), -50).to_bytes() + noise + TagNotice.of(epc(2), -50).to_bytes()
    keep(tmp_path, BadData("door", "checksum", data, WALL))
    with running(settings(tmp_path)) as gateway:
        assert gateway.replay() == {1: Outcome.EVENT}
    made = events(tmp_path)
    assert [event["suyuan:rawEpc"] for event in made] == [epc(n).hex().upper() for n in (1, 2)]
    assert {event["eventTime"][:19] for event in made} == {"2026-03-01T08:00:00"}
    assert not [event for event in made if "suyuan:monotonic" in event or not event["suyuan:replayed"]]
    assert b"".join(data for _, data, _ in quarantined(tmp_path)) == noise


@pytest.mark.parametrize(
    ("row", "outcome"),
    [
        (BadData("door", "checksum", b"\x01\x02", WALL), Outcome.UNREADABLE),
        (BadData("window", "checksum", TagNotice.of(epc(1), -50).to_bytes(), WALL), Outcome.NO_READER),
        (BadData("door", "no-read-point", b"antenna=1 epc=00", WALL), Outcome.UNREADABLE),
    ],
)
def test_what_still_cannot_be_read_stays_with_its_reason(tmp_path: Path, row: BadData, outcome: Outcome) -> None:
    keep(tmp_path, row)
    with running(settings(tmp_path, 1)) as gateway:
        assert gateway.replay() == {1: outcome}
    assert quarantined(tmp_path) == [(row.reason, row.data, 1)]


def test_a_full_outbox_lets_a_replay_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = threading.Event()
    full.set()
    used: Callable[..., float] = Outbox.used
    monkeypatch.setattr(Outbox, "used", lambda outbox: 1.0 if full.is_set() else used(outbox))
    keep(tmp_path, Episodes("boot-x").keep("door", TagRead(epc(1), antenna=1), SEEN))
    with running(settings(tmp_path, 1)) as gateway:
        gateway.writer.call(lambda outbox: outbox.ask_replay(None))
        gateway.replayer.look()
        until(gateway.writer.queue.empty, "taken off the line")
        gateway.writer.call(lambda _outbox: None)
        assert outcomes(tmp_path, [1]) == {1: None}
        full.clear()
        until(gateway.writer.accepting.is_set, "room again")
        assert gateway.replay() == {1: Outcome.EVENT}


@given(st.lists(st.floats(0.0, 3 * EPISODE_S), min_size=1, max_size=20))
def test_reads_of_one_tag_share_a_row_while_they_follow_each_other(gaps: list[float]) -> None:
    episodes, at, rows = Episodes("boot-a"), 0.0, 1
    data = [episodes.keep("door", TagRead(epc(1)), Moment(WALL, at)).data]
    for gap in gaps:
        before, at = at, at + gap
        rows += at - before > EPISODE_S
        data.append(episodes.keep("door", TagRead(epc(1)), Moment(WALL, at)).data)
    assert len(set(data)) == rows


def test_the_command_leaves_the_work_to_the_running_gateway(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with cursor_server() as server:
        gateway = GatewayProcess(tmp_path, server.url, serial_reader("/dev/null"))
        gateway.enrol()
        keep(gateway.state, Episodes("boot-x").keep("door", TagRead(epc(1), antenna=1), SEEN))
        words = ["outbox", "quarantine", "--config", str(gateway.config), "--json"]
        assert main(words) == 0
        assert json.loads(capsys.readouterr().out)[0]["read"]["epc"] == epc(1).hex()
        assert main([*words, "--replay", "1"]) == 0
        assert json.loads(capsys.readouterr().out) == {"running": False, "rows": [{"id": 1, "outcome": "waiting"}]}
        with ended(gateway):
            gateway.start_and_wait()
            until(lambda: len(server.events) == 1, "the request from before the start is carried out")
            assert main([*words, "--replay", "--all"]) == 0
            assert json.loads(capsys.readouterr().out) == {"running": True, "rows": []}
            assert main([*words, "--replay", "7"]) == 1
            assert "no such rows: [7]" in capsys.readouterr().err
    for wrong in (["--replay"], ["--all"], ["--replay", "1", "--all"]):
        with pytest.raises(SystemExit) as end:
            main([*words, *wrong])
        assert end.value.code == 2
