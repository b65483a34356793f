"""An outbox that was set aside gives up what it still holds: each unsent event once, with a word on what is lost."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway_agent.cli import main
from gateway_agent.outbox import Commit, Outbox, OutboxFull, set_aside
from gateway_agent.outbox_schema import PAGE_BYTES, Quota
from gateway_agent.outbox_view import OutboxView
from gateway_agent.salvage import Report, salvage
from gateway_agent.service import single_instance
from tests.gateway.make import BOOT, WALL, append, new_outbox, number_of
from tests.gateway.process import GatewayProcess, serial_reader
from trace_core.errors import Conflict, NotFound
from trace_core.uplink import chain


def take(outbox: Outbox, file: Path) -> Report:
    return salvage(outbox, file, boot_id=BOOT, wall=WALL)


def aside(folder: Path, count: int, acked: int = 0) -> Path:
    """A set-aside outbox with events 1 to `count`."""
    with closing(new_outbox(folder)) as outbox:
        for first in range(1, count + 1, 100):
            append(outbox, range(first, min(first + 100, count + 1)))
        outbox.settle(1, acked, 0)
    with closing(sqlite3.connect(folder / "outbox.sqlite")) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return set_aside(folder / "outbox.sqlite")


def unsent(folder: Path) -> list[int]:
    """Numbers of the unsent events of the present outbox, whose chain must hold."""
    with closing(OutboxView(folder / "outbox.sqlite")) as view:
        run = view.next_run(100_000, 1 << 30)
    if run is None:
        return []
    assert chain(run.previous_digest, run.bodies) == run.digest
    for seq, body in enumerate(run.bodies, run.first_seq):
        fields = json.loads(body)
        assert (fields["suyuan:epoch"], fields["suyuan:seq"]) == (run.epoch, seq)
    return [number_of(body) for body in run.bodies]


def test_only_what_was_never_sent_is_taken_over_and_only_once(tmp_path: Path) -> None:
    file = aside(tmp_path, 1_300, acked=300)
    with closing(new_outbox(tmp_path)) as outbox:
        append(outbox, [9_001])
        first, second = take(outbox, file), take(outbox, file)
        append(outbox, [9_002])
    assert (first.appended, first.already, first.damaged, first.unreadable) == (1_000, 0, 0, [])
    assert (second.appended, second.already) == (0, 1_000)
    assert unsent(tmp_path) == [9_001, *range(301, 1_301), 9_002]


def test_a_full_outbox_stops_it_and_the_next_run_goes_on(tmp_path: Path) -> None:
    file = aside(tmp_path, 2_000)
    with closing(new_outbox(tmp_path, Quota(64, 64))) as outbox, pytest.raises(OutboxFull, match="no room after"):
        take(outbox, file)
    begun = len(unsent(tmp_path))
    assert 0 < begun < 2_000
    with closing(new_outbox(tmp_path)) as outbox:
        report = take(outbox, file)
    assert (report.already, report.appended) == (begun, 2_000 - begun)
    assert unsent(tmp_path) == list(range(1, 2_001))


def test_a_row_that_does_not_fit_its_digest_goes_to_quarantine(tmp_path: Path) -> None:
    file = aside(tmp_path, 20)
    with closing(sqlite3.connect(file)) as db:
        db.execute("UPDATE event SET body = ? WHERE seq = 7", (b'{"half',))
        db.commit()
    with closing(new_outbox(tmp_path)) as outbox:
        report = take(outbox, file)
        assert take(outbox, file).already == 20
    assert (report.appended, report.damaged) == (19, 1)
    assert unsent(tmp_path) == [n for n in range(1, 21) if n != 7]
    with closing(OutboxView(tmp_path / "outbox.sqlite")) as view:
        assert [(row.reader, row.reason, row.times) for row in view.quarantine(9)] == [("outbox", "damaged", 1)]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_pages_are_lost_no_event_is_invented_or_taken_twice(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("salvage")
    file = aside(folder, 600)
    pages = file.stat().st_size // PAGE_BYTES
    lost = data.draw(st.sets(st.integers(1, pages - 1), max_size=4))
    filler = data.draw(st.sampled_from([b"\x00", b"\xff", b"\x0d"]))
    with file.open("r+b") as raw:
        for page in lost:
            raw.seek(page * PAGE_BYTES)
            raw.write(filler * PAGE_BYTES)
    with closing(new_outbox(folder)) as outbox:
        try:
            report = take(outbox, file)
        except Conflict:
            return
        assert take(outbox, file).appended == 0
    found = unsent(folder)
    assert len(found) == report.appended
    assert found == sorted(set(found))
    assert set(found) <= set(range(1, 601))
    missing = set(range(1, 601)) - set(found)
    assert lost or not missing
    assert all(any(first <= n <= last for first, last in report.unreadable) for n in missing) or report.damaged


def test_a_lost_leaf_costs_its_rows_alone(tmp_path: Path) -> None:
    file = aside(tmp_path, 600)
    with closing(sqlite3.connect(file)) as db:
        root = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'event'").fetchone()[0]
    with file.open("r+b") as raw:
        raw.seek((root - 1) * PAGE_BYTES + 12 + 2 * 3)  # the fourth child of the root (SQLite file format §1.6)
        cell = int.from_bytes(raw.read(2), "big")
        raw.seek((root - 1) * PAGE_BYTES + cell)
        leaf = int.from_bytes(raw.read(4), "big")
        raw.seek((leaf - 1) * PAGE_BYTES)
        raw.write(b"\xff" * PAGE_BYTES)
    with closing(new_outbox(tmp_path)) as outbox:
        report = take(outbox, file)
    ((first, last),) = report.unreadable
    assert 5 < last - first < 60
    assert unsent(tmp_path) == [n for n in range(1, 601) if not first <= n <= last]


def test_a_file_without_its_cursor_gives_every_row(tmp_path: Path) -> None:
    file = aside(tmp_path, 30, acked=10)
    with closing(sqlite3.connect(file)) as db:
        db.execute("DELETE FROM meta")
        db.commit()
    with closing(new_outbox(tmp_path)) as outbox:
        report = take(outbox, file)
    assert report.remarks == ["it no longer says what was sent: every row is taken"]
    assert unsent(tmp_path) == list(range(1, 31))


def test_what_is_no_outbox_or_is_the_present_one_is_refused(tmp_path: Path) -> None:
    garbage = tmp_path / "outbox.sqlite.corrupt-1"
    garbage.write_bytes(b"\x00\xff" * 5_000)
    with closing(new_outbox(tmp_path)) as outbox:
        append(outbox, [1])
        with pytest.raises(Conflict, match="any event can be read"):
            take(outbox, garbage)
        with pytest.raises(Conflict, match="present outbox"):
            take(outbox, tmp_path / "outbox.sqlite")
        with pytest.raises(NotFound):
            take(outbox, tmp_path / "none")
        outbox.commit(Commit(wall=WALL, boot_id=BOOT))
    assert unsent(tmp_path) == [1]


def test_the_command_reports_in_json_and_refuses_beside_a_running_gateway(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway = GatewayProcess(tmp_path, "http://127.0.0.1:9", serial_reader("/dev/null"))
    file = aside(gateway.state, 10)
    words = ["outbox", "salvage", str(file), "--config", str(gateway.config), "--json"]
    assert main(words) == 1
    assert "start the gateway once" in capsys.readouterr().err
    with closing(new_outbox(gateway.state)):
        pass
    with single_instance(gateway.state):
        assert main(words) == 1
        assert "stop it first" in capsys.readouterr().err
    assert main(words) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["appended"], report["damaged"], report["unreadable"]) == (10, 0, [])
    assert main(words[:-1]) == 0
    assert "0 events taken over, 10 were before" in capsys.readouterr().out
