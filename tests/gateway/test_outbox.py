"""The outbox keeps what it committed, in order, once, whatever happens to the process or the file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway_agent.outbox import Commit, DeviceRow, OutboxFull, open_outbox
from gateway_agent.outbox_schema import Level, Quota
from gateway_agent.outbox_view import OutboxView
from gateway_agent.quarantining import MAX_ROWS, BadData
from gateway_agent.renumbering import RUN_ROWS
from tests.gateway.make import BOOT, QUOTA, WALL, append, body, later, new_outbox, number_of, presence
from trace_core.uplink import ZERO_DIGEST, chain


def view(folder: Path) -> OutboxView:
    return OutboxView(folder / "outbox.sqlite")


def unsent(folder: Path) -> list[int]:
    with closing(view(folder)) as look:
        run = look.next_run(10_000, 1 << 30)
    return [number_of(b) for b in run.bodies] if run else []


def test_committed_events_are_there_after_a_restart_in_order(tmp_path: Path) -> None:
    with closing(new_outbox(tmp_path)) as outbox:
        append(outbox, [7, 8])
        append(outbox, [9])
        epoch = outbox.epoch
    with closing(new_outbox(tmp_path)) as outbox:
        assert (outbox.epoch, outbox.last_seq) == (epoch, 3)
        assert unsent(tmp_path) == [7, 8, 9]


def test_every_new_outbox_has_an_epoch_of_its_own(tmp_path: Path) -> None:
    epochs = set()
    for name in "abc":
        with closing(new_outbox(tmp_path / name)) as outbox:
            epochs.add(outbox.epoch)
    assert len(epochs) == 3
    assert all(len(e) == 16 and int(e, 16) >= 0 for e in epochs)


def test_a_run_names_the_digest_before_and_after_it(tmp_path: Path) -> None:
    with closing(new_outbox(tmp_path)) as outbox, closing(view(tmp_path)) as look:
        append(outbox, range(1, 6))
        first = look.next_run(2, 1 << 20)
        assert first is not None
        assert first.previous_digest == ZERO_DIGEST
        outbox.settle(1, 2, 2)  # the rows are deleted: the digest before the next run comes from the floor
        second = look.next_run(2, 1 << 20)
        assert second is not None
        assert (second.first_seq, second.previous_digest) == (3, first.digest)
        assert chain(second.previous_digest, second.bodies) == second.digest


def test_a_run_stops_at_the_byte_limit_but_always_moves(tmp_path: Path) -> None:
    with closing(new_outbox(tmp_path)) as outbox, closing(view(tmp_path)) as look:
        append(outbox, range(10))
        size = len(body(1, outbox.epoch, 1))
        limited = look.next_run(500, size * 3 + 10)
        tiny = look.next_run(500, 1)
    assert limited is not None
    assert len(limited.bodies) == 3
    assert tiny is not None
    assert len(tiny.bodies) == 1


def test_settled_rows_stay_until_the_server_has_a_backup_of_them(tmp_path: Path) -> None:
    with closing(new_outbox(tmp_path)) as outbox:
        append(outbox, range(1, 6))
        outbox.settle(1, 5, 2)
        assert unsent(tmp_path) == []
        assert outbox.rewind(2)
        assert unsent(tmp_path) == [3, 4, 5]
        assert not outbox.rewind(1)


def test_an_acknowledgement_never_settles_what_was_not_made(tmp_path: Path) -> None:
    with closing(new_outbox(tmp_path)) as outbox:
        append(outbox, [1, 2])
        outbox.settle(1, 99, 99)
        assert outbox.acked == 2
        append(outbox, [3])
        assert unsent(tmp_path) == [3]


def test_an_acknowledgement_from_before_a_rewind_moves_nothing(tmp_path: Path) -> None:
    with closing(new_outbox(tmp_path)) as outbox:
        append(outbox, range(1, 7))
        outbox.settle(1, 3, 0)
        outbox.rewind(0)
        outbox.settle(4, 6, 0)
        assert unsent(tmp_path) == [1, 2, 3, 4, 5, 6]


def test_a_new_epoch_renumbers_the_unsettled_rows_and_their_presences(tmp_path: Path) -> None:
    with closing(new_outbox(tmp_path)) as outbox, closing(view(tmp_path)) as look:
        append(outbox, [1, 2, 3])
        shown = presence(3).shown
        assert shown is not None
        mine = presence(1, shown=type(shown)("allow", "", None, "urn:x:3", outbox.epoch, 3))
        outbox.commit(Commit(wall=WALL, boot_id=BOOT, presences=[mine]))
        old = outbox.epoch
        new = outbox.begin_epoch(1)
        run = look.next_run(10, 1 << 20)
        assert run is not None
        assert new != old
        assert (run.epoch, run.first_seq, run.previous_digest) == (new, 1, ZERO_DIGEST)
        assert [number_of(b) for b in run.bodies] == [2, 3]
        assert list(run.bodies) == [body(2, new, 1), body(3, new, 2)]
        assert chain(ZERO_DIGEST, run.bodies) == run.digest
        moved = outbox.presences(BOOT, 0.0, WALL)[0].shown
        assert moved is not None
        assert (moved.epoch, moved.seq) == (new, 2)
        append(outbox, [4])
        assert unsent(tmp_path) == [2, 3, 4]


def test_a_new_epoch_after_nothing_keeps_every_row(tmp_path: Path) -> None:
    with closing(new_outbox(tmp_path)) as outbox:
        append(outbox, range(1200))
        outbox.begin_epoch(0)
        while outbox.move_on():
            pass
        assert unsent(tmp_path) == list(range(1200))


def test_a_long_backlog_gets_its_new_epoch_in_short_runs_between_which_rows_are_taken(tmp_path: Path) -> None:
    backlog = 4 * RUN_ROWS
    with closing(new_outbox(tmp_path)) as outbox:
        append(outbox, range(backlog))
        outbox.settle(1, 10, 0)
        old, new = outbox.epoch, outbox.begin_epoch(10)
        taken = backlog
        while outbox.is_moving:
            assert unsent(tmp_path) == []
            assert outbox.epoch == old
            append(outbox, [taken])
            taken += 1
            assert outbox.settle(1, 5, 5) == 0
            assert outbox.rewind(0)
            assert outbox.begin_epoch(0) == new
            outbox.move_on()
        assert outbox.epoch == new
        assert taken - backlog >= 3
        assert unsent(tmp_path) == list(range(10, taken))
        append(outbox, [taken])
        assert unsent(tmp_path) == list(range(10, taken + 1))


def test_a_new_epoch_that_a_power_cut_interrupts_goes_on_where_it_was(tmp_path: Path) -> None:
    with closing(new_outbox(tmp_path)) as outbox:
        append(outbox, range(3 * RUN_ROWS))
        new = outbox.begin_epoch(5)
    with closing(new_outbox(tmp_path)) as outbox:
        assert outbox.is_moving
        while outbox.move_on():
            pass
        assert outbox.epoch == new
        assert unsent(tmp_path) == list(range(5, 3 * RUN_ROWS))


def test_a_full_outbox_gives_up_no_row_that_is_on_its_way_into_a_new_epoch(tmp_path: Path) -> None:
    with closing(new_outbox(tmp_path, Quota(64, 64))) as outbox:
        with pytest.raises(OutboxFull):
            for first in range(0, 100_000, 100):
                append(outbox, range(first, first + 100))
        rows = outbox.last_seq
        outbox.begin_epoch(0)
        outbox.level()
        while outbox.move_on():
            outbox.level()
        assert unsent(tmp_path) == list(range(rows))


def test_a_row_whose_body_was_damaged_goes_to_quarantine_and_the_others_go_on(tmp_path: Path) -> None:
    with closing(new_outbox(tmp_path)) as outbox:
        append(outbox, [1, 2, 3])
    with closing(sqlite3.connect(tmp_path / "outbox.sqlite")) as other:
        other.execute("UPDATE event SET body = ? WHERE seq = 2", (b"{not json",))
        other.commit()
    with closing(new_outbox(tmp_path)) as outbox, closing(view(tmp_path)) as look:
        outbox.begin_epoch(0)
        assert unsent(tmp_path) == [1, 3]
        assert [(q.reader, q.reason) for q in look.quarantine(9)] == [("outbox", "damaged")]


@pytest.mark.parametrize("damage", ["garbage", "truncated"])
def test_a_damaged_file_is_kept_aside_and_a_new_epoch_begins(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "outbox.sqlite"
    with closing(new_outbox(tmp_path)) as outbox:
        append(outbox, range(100))
        epoch = outbox.epoch
    data = path.read_bytes()
    damaged = {"garbage": b"\x00\xff" * 5000, "truncated": data[: len(data) // 2]}[damage]
    path.write_bytes(damaged)
    with closing(new_outbox(tmp_path)) as outbox:
        assert outbox.epoch != epoch
        assert outbox.last_seq == 0
        append(outbox, [1])
    kept = [p for p in tmp_path.iterdir() if ".corrupt-" in p.name and not p.name.endswith(("-wal", "-shm"))]
    assert [p.read_bytes() for p in kept] == [damaged]


def test_a_file_that_was_never_finished_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "outbox.sqlite").write_bytes(b"")
    with closing(new_outbox(tmp_path)) as outbox:
        append(outbox, [1])
    assert unsent(tmp_path) == [1]


def test_a_locked_file_is_not_taken_for_a_damaged_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway_agent.outbox_schema.BUSY_MS", 10)
    with closing(new_outbox(tmp_path)):
        pass
    with closing(sqlite3.connect(tmp_path / "outbox.sqlite", isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            new_outbox(tmp_path)
    assert not [p for p in tmp_path.iterdir() if ".corrupt-" in p.name]


def test_the_level_rises_before_the_quota_is_reached_and_a_gap_fits_into_the_reserve(tmp_path: Path) -> None:
    quota = Quota(pages=100, reserve_pages=64)
    with closing(new_outbox(tmp_path, quota)) as outbox:
        levels = [outbox.level()]
        while outbox.level() is not Level.FULL:
            append(outbox, range(20))
            if outbox.level() is not levels[-1]:
                levels.append(outbox.level())
        assert levels == [Level.FREE, Level.WARN, Level.COARSE, Level.FULL]
        gap = outbox.gaps.open(WALL, "outbox full")
        outbox.gaps.extend(gap, later(5), 42)
        with closing(view(tmp_path)) as look:
            assert [(g.count, g.reason, (g.to_at - g.from_at).seconds) for g in look.gaps()] == [(42, "outbox full", 5)]
        stored = outbox.last_seq
        outbox.settle(1, stored, stored)
        assert outbox.level() is Level.FREE


def test_past_the_reserve_a_commit_is_refused_whole_and_nothing_is_lost(tmp_path: Path) -> None:
    with closing(new_outbox(tmp_path, Quota(pages=64, reserve_pages=16))) as outbox:
        with pytest.raises(OutboxFull):
            while True:
                append(outbox, range(50))
        stored = outbox.last_seq
        assert stored % 50 == 0
        assert unsent(tmp_path) == list(range(50)) * (stored // 50)
        outbox.settle(1, stored, stored)
        append(outbox, [1])
        assert unsent(tmp_path) == [1]


def test_settled_rows_give_way_before_reads_are_refused(tmp_path: Path) -> None:
    with closing(new_outbox(tmp_path, Quota(pages=100, reserve_pages=64))) as outbox:
        while outbox._level() is not Level.FULL:
            append(outbox, range(20))
        outbox.settle(1, outbox.last_seq - 5, 0)  # acknowledged, but in no backup yet
        assert outbox.level() is Level.FREE
        assert len(unsent(tmp_path)) == 5


def test_a_nearly_full_disk_counts_as_a_full_outbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(new_outbox(tmp_path)) as outbox:
        monkeypatch.setattr(outbox, "_free_bytes", lambda _folder: 100_000)
        assert outbox.level() is Level.FULL


def test_quarantine_counts_repeats_and_is_bounded(tmp_path: Path) -> None:
    noise = [BadData("door", "bad-check", n.to_bytes(3, "big"), WALL) for n in range(MAX_ROWS + 10)]
    with closing(new_outbox(tmp_path)) as outbox, closing(view(tmp_path)) as look:
        outbox.commit(Commit(wall=WALL, boot_id=BOOT, bad=noise))
        outbox.commit(Commit(wall=WALL, boot_id=BOOT, bad=[BadData("door", "bad-check", b"\0\0\0", later(9))]))
        rows = list(look.quarantine(10_000))
        assert len(rows) == MAX_ROWS
        assert (rows[0].data_hex, rows[0].times, (rows[0].last_at - rows[0].first_at).seconds) == ("000000", 2, 9)
        assert outbox.quarantine_overflow == 10


def test_presences_come_back_on_the_clock_of_this_boot(tmp_path: Path) -> None:
    with closing(new_outbox(tmp_path)) as outbox:
        stored = presence(1, last_seen=100.0)
        outbox.commit(Commit(wall=WALL, boot_id=BOOT, presences=[stored, presence(2)]))
        moved = presence(1, last_seen=104.0)
        outbox.commit(Commit(wall=WALL, boot_id=BOOT, moved=[moved], forgotten=[2]))
        same_boot = outbox.presences(BOOT, 105.0, later(1))
        after_reboot = outbox.presences("boot-b", 20.0, later(30))
    assert [(p.number, p.first_seen, p.last_seen, p.shown) for p in same_boot] == [(1, 103.0, 104.0, stored.shown)]
    assert [p.last_seen for p in after_reboot] == [-10.0]  # 30 s ago by the wall clock, 20 s after boot


def test_status_tables_hold_the_last_word(tmp_path: Path) -> None:
    with closing(new_outbox(tmp_path)) as outbox, closing(view(tmp_path)) as look:
        for state in ("silent", "online"):
            row = DeviceRow("door", state, "", WALL)
            outbox.commit(Commit(wall=WALL, boot_id=BOOT, devices=[row], state={"level": state}))
        assert [(d.reader, d.state) for d in look.devices()] == [("door", "online")]
        assert look.state() == {"level": "online"}


def test_a_view_reads_a_file_that_no_process_has_open(tmp_path: Path) -> None:
    with closing(open_outbox(tmp_path / "outbox.sqlite", QUOTA)) as outbox:
        append(outbox, [1, 2])
    with closing(view(tmp_path)) as look:
        summary = look.summary()
    assert (summary.last_seq, summary.acked, summary.unsent, summary.oldest_unsent) == (2, 0, 2, WALL)
