"""The writer shows nothing before its commit, keeps what it could not write, and counts what it could not take."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import timedelta, timezone
from pathlib import Path

import pytest

from gateway_agent import clock
from gateway_agent.blocklist import BlockListFile
from gateway_agent.cli import known_protocols
from gateway_agent.clock import ClockJudge
from gateway_agent.config import Config, parse_config
from gateway_agent.eventing import Origin
from gateway_agent.observing import Shown
from gateway_agent.outbox import Outbox, OutboxFull
from gateway_agent.outbox_schema import Level
from gateway_agent.outbox_view import OutboxView
from gateway_agent.outputs._base import Display
from gateway_agent.reading import BadReading, Delivered, Reading
from gateway_agent.supervise import Supervisor
from gateway_agent.writing import Stop, Writer
from tests.gateway.make import POINT, append, epc
from tests.gateway.process import until
from trace_core.readers._base import BadBytes, TagRead


class Screen:
    """Remembers what was shown, and how many events were committed then."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seen: list[tuple[Display, int]] = []
        self.broken = False

    def show(self, displays: Sequence[Display]) -> None:
        if self.broken:
            raise OSError("the lamp is broken")
        self.seen += [(display, stored(self.folder)) for display in displays]


def stored(folder: Path) -> int:
    with closing(OutboxView(folder / "outbox.sqlite")) as view:
        return view.summary().last_seq


def settings(folder: Path, **gateway: object) -> Config:
    data: dict[str, object] = {
        "server": {"url": "http://localhost"},
        "gateway": {"state_dir": str(folder), **gateway},
        "reader": [{"name": "door", "protocol": "magicrf", "url": "serial:///dev/null"}],
        "read_point": [{"reader": "door", "id": POINT}],
    }
    return parse_config(data, folder / "gateway.toml", known_protocols())


@contextmanager
def writing(folder: Path, **gateway: object) -> Iterator[tuple[Writer, Screen, Supervisor]]:
    screen = Screen(folder)
    writer = Writer(
        settings(folder, **gateway),
        Origin("gate-1", "boot-a", timezone(timedelta(hours=8))),
        judge=ClockJudge(lambda: True),
        block_list=BlockListFile(folder / "none"),
        outputs=[screen],
        snapshot=dict,
    )
    supervisor = Supervisor()
    thread = supervisor.start("writer", writer.run, threading.Event())
    assert writer.ready.wait(10)
    try:
        yield writer, screen, supervisor
    finally:
        writer.queue.put(Stop())
        thread.join(10)
        assert not thread.is_alive()


def read(number: int, *, kept_elsewhere: bool = False) -> Reading:
    return Reading("door", TagRead(epc=epc(number)), clock.now(), kept_elsewhere)


def test_an_answer_appears_only_after_its_event_is_committed(tmp_path: Path) -> None:
    with writing(tmp_path) as (writer, screen, _):
        for number in range(1, 31):
            writer.queue.put(read(number))
        until(lambda: len(screen.seen) == 30, "all answers")
    assert all(display.shown.seq <= committed for display, committed in screen.seen)
    assert [display.shown.seq for display, _ in screen.seen] == list(range(1, 31))


def test_a_broker_is_told_only_after_the_commit_of_what_it_delivered(tmp_path: Path) -> None:
    told: list[int] = []
    with writing(tmp_path) as (writer, _, _s):
        for number in range(1, 11):
            writer.queue.put(read(number))
            writer.queue.put(Delivered(lambda: told.append(stored(tmp_path))))
        until(lambda: len(told) == 10, "all told")
    assert all(count >= number for number, count in enumerate(told, 1))


def test_a_broken_output_does_not_stop_the_gate(tmp_path: Path) -> None:
    with writing(tmp_path) as (writer, screen, _):
        screen.broken = True
        writer.queue.put(read(1))
        until(lambda: stored(tmp_path) == 1, "stored though not shown")
        screen.broken = False
        writer.queue.put(read(2))
        until(lambda: len(screen.seen) == 1, "shown again")


def test_a_group_whose_commit_failed_is_written_after_the_thread_came_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit: Callable[..., None] = Outbox.commit
    failures = iter([True, True])

    def fail_twice(outbox: Outbox, work: object) -> None:
        if getattr(work, "bodies", ()) and next(failures, False):
            raise sqlite3.OperationalError("disk I/O error")
        commit(outbox, work)

    monkeypatch.setattr(Outbox, "commit", fail_twice)
    with writing(tmp_path) as (writer, screen, supervisor):
        writer.queue.put(read(1))
        until(lambda: len(screen.seen) == 1, "written at last")
        assert supervisor.crashes["writer"] == 2
    assert stored(tmp_path) == 1


def test_a_file_that_becomes_unreadable_is_set_aside_and_reading_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit: Callable[..., None] = Outbox.commit
    path = tmp_path / "outbox.sqlite"
    failures = iter([True])

    def damage(outbox: Outbox, work: object) -> None:
        if getattr(work, "bodies", ()) and next(failures, False):
            outbox.close()
            path.write_bytes(b"\x00" * 20_000)
            raise sqlite3.DatabaseError("database disk image is malformed")
        commit(outbox, work)

    monkeypatch.setattr(Outbox, "commit", damage)
    with writing(tmp_path) as (writer, screen, _):
        writer.queue.put(read(1))
        until(lambda: len(screen.seen) == 1, "the same read, in a new epoch")
    assert [p for p in tmp_path.iterdir() if ".corrupt-" in p.name]


def test_a_full_outbox_counts_what_it_cannot_take_and_goes_on_by_itself(tmp_path: Path) -> None:
    told: list[int] = []
    with writing(tmp_path, outbox_max_mb=1) as (writer, screen, _):
        writer.call(fill)
        until(lambda: writer.level is Level.FULL, "full")
        assert not writer.accepting.is_set()
        before = stored(tmp_path)
        for number in range(1, 8):
            writer.queue.put(read(number))
        writer.queue.put(read(8, kept_elsewhere=True))
        writer.queue.put(Delivered(lambda: told.append(8)))
        until(writer.queue.empty, "taken off the line")
        time.sleep(0.2)
        assert (stored(tmp_path), screen.seen, told) == (before, [], [])
        writer.call(lambda outbox: outbox.settle(1, before, before))
        until(lambda: writer.level is Level.FREE, "room again")
        assert writer.accepting.is_set()
        writer.queue.put(read(1))
        until(lambda: len(screen.seen) == 1, "the tag that is still there is taken now")
    with closing(OutboxView(tmp_path / "outbox.sqlite")) as view:
        (gap,) = view.gaps()
    assert (gap.count, gap.reason) == (7, "outbox full")
    assert gap.to_at >= gap.from_at


def fill(outbox: Outbox) -> None:
    while outbox._level() is not Level.FULL:
        append(outbox, range(100))


def test_a_disk_without_a_byte_refuses_reads_and_loses_none_that_was_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit: Callable[..., None] = Outbox.commit
    full = threading.Event()

    def refuse(outbox: Outbox, work: object) -> None:
        if full.is_set():
            raise OutboxFull("database or disk is full")
        commit(outbox, work)

    monkeypatch.setattr(Outbox, "commit", refuse)
    monkeypatch.setattr(Outbox, "_level", lambda _outbox: Level.FULL if full.is_set() else Level.FREE)
    with writing(tmp_path) as (writer, screen, supervisor):
        full.set()
        writer.queue.put(read(1))
        until(lambda: writer.level is Level.FULL, "full")
        assert screen.seen == []
        full.clear()
        until(lambda: writer.level is Level.FREE, "room again")
        writer.queue.put(read(1))
        until(lambda: len(screen.seen) == 1, "observed anew: nothing had remembered the failed commit")
        assert not supervisor.crashes


def test_bad_bytes_and_reads_without_a_place_are_in_quarantine(tmp_path: Path) -> None:
    with writing(tmp_path) as (writer, _, _s):
        writer.queue.put(BadReading("door", BadBytes("bad-check", b"\x01\x02"), clock.now()))
        writer.queue.put(Reading("window", TagRead(epc=epc(1)), clock.now()))

        def rows() -> list[tuple[str, str]]:
            with closing(OutboxView(tmp_path / "outbox.sqlite")) as view:
                return sorted((row.reader, row.reason) for row in view.quarantine(10))

        until(lambda: rows() == [("door", "bad-check"), ("window", "no-read-point")], "both there")


def test_the_ends_of_presences_reach_the_disk_within_a_second(tmp_path: Path) -> None:
    def last_seen() -> float:
        with closing(sqlite3.connect(tmp_path / "outbox.sqlite")) as db:
            return float((db.execute("SELECT last_seen FROM presence").fetchone() or (0.0,))[0])

    with writing(tmp_path) as (writer, screen, _):
        writer.queue.put(read(1))
        until(lambda: len(screen.seen) == 1, "observed")
        again = read(1)
        writer.queue.put(again)
        until(lambda: last_seen() == again.received.monotonic, "flushed", limit_s=1.2)


def test_commands_report_their_errors_to_the_caller(tmp_path: Path) -> None:
    with writing(tmp_path) as (writer, _, _s):
        assert writer.call(lambda outbox: outbox.last_seq) == 0

        def fail(_outbox: Outbox) -> None:
            raise OutboxFull("no")

        with pytest.raises(OutboxFull):
            writer.call(fail)


def test_a_full_queue_makes_the_reader_wait_and_drops_nothing(tmp_path: Path) -> None:
    with writing(tmp_path, queue_size=5) as (writer, screen, _):
        for number in range(1, 301):
            writer.queue.put(read(number))
        until(lambda: len(screen.seen) == 300, "all")


def test_the_answers_file_has_the_fields_that_screens_rely_on() -> None:
    display = Display(clock.now().wall, POINT, epc(1), Shown("allow", "not-listed", 5.0, "urn:x", "0" * 16, 3))
    assert json.loads(json.dumps(display.fields())).keys() == {
        "shown_at", "read_point", "epc", "uri", "answer", "reason", "list_age_s", "seq", "epoch",
    }  # fmt: skip
