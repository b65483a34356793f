"""The sender settles only what the server acknowledged, whatever answer it gets (architecture §3.2)."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import TypeVar

import pytest

from gateway_agent.blocklist import BlockListFile
from gateway_agent.clock import ClockJudge
from gateway_agent.config import ServerConfig
from gateway_agent.identity import enrol, make_or_load_key
from gateway_agent.links.http import HttpLink
from gateway_agent.outbox import Outbox
from gateway_agent.outbox_view import OutboxView
from gateway_agent.server_link import ServerLink
from gateway_agent.uplink import Sender
from tests.gateway.cursor_server import (
    Answer,
    CursorServer,
    captive_portal,
    commit_then_cut,
    cursor_server,
    slow,
    status,
)
from tests.gateway.make import LIST_KEY, append, new_outbox, number_of

T = TypeVar("T")


@dataclass
class Rig:
    """A sender and its outbox on one thread, and the server it talks to."""

    folder: Path
    server: CursorServer
    outbox: Outbox
    sender: Sender
    block_list: BlockListFile

    def unsent(self) -> list[int]:
        with closing(OutboxView(self.folder / "outbox.sqlite")) as view:
            run = view.next_run(100_000, 1 << 30)
        return [number_of(body) for body in run.bodies] if run else []

    def held(self) -> list[int]:
        return sorted(number_of(body) for body in self.server.events.values())

    def drain(self, steps: int = 60) -> None:
        """Send until all is settled, without sleeping the pauses."""
        for _ in range(steps):
            if self.sender.step() is None:
                return
        raise AssertionError(f"still unsent: {self.unsent()[:10]}")


def make_sender(folder: Path, outbox: Outbox, url: str, block_list: BlockListFile) -> Sender:
    config = ServerConfig(url, "", timeout_s=0.4, first_connect_spread_s=0.0, slow_retry_s=30.0)

    def call(run: Callable[[Outbox], T]) -> T:
        return run(outbox)

    return Sender(
        folder / "outbox.sqlite",
        call,
        link=HttpLink(ServerLink(config)),
        signer=make_or_load_key(folder),
        config=config,
        judge=ClockJudge(lambda: True),
        block_list=block_list,
        boot_id="boot-a",
    )


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with cursor_server() as server, closing(new_outbox(tmp_path)) as outbox:
        block_list = BlockListFile(tmp_path / "block_list.json", LIST_KEY)
        sender = make_sender(tmp_path, outbox, server.url, block_list)
        signer = make_or_load_key(tmp_path)
        server.public_keys[signer.key_id] = signer.public_key
        yield Rig(tmp_path, server, outbox, sender, block_list)
        sender.drain(0)


def test_a_backlog_goes_out_in_order_in_batches_of_500_over_one_connection(rig: Rig) -> None:
    append(rig.outbox, range(1200))
    rig.drain()
    assert [len(b.events) for b in rig.server.batches] == [500, 500, 200]
    assert [number_of(body) for body in rig.server.events.values()] == list(range(1200))
    assert rig.server.signatures_checked == 4  # three batches, and the question for a block list
    assert rig.unsent() == []


WITHOUT_EFFECT: dict[str, Answer] = {
    "401": status(401),
    "403": status(403),
    "400": status(400),
    "404": status(404),
    "500": status(500),
    "502 with HTML": status(502, b"<html>"),
    "302 to a log-in page": status(302, b"", Location="http://portal.example/"),
    "captive portal": captive_portal,
    "an empty 200": status(200, b""),
    "200 with a list": status(200, b"[]"),
    "409 without a cursor": status(409),
    "409 with HTML": status(409, b"<html>"),
    "an endless answer": status(200, b"x" * 1_100_000),
    "204": status(204, b""),
}


@pytest.mark.parametrize("name", WITHOUT_EFFECT)
def test_an_answer_that_is_no_acknowledgement_settles_nothing_and_waits(rig: Rig, name: str) -> None:
    append(rig.outbox, range(3))
    rig.server.script.append(WITHOUT_EFFECT[name])
    pause_s = rig.sender.step()
    assert pause_s is not None
    assert pause_s > 0
    assert rig.unsent() == [0, 1, 2]
    assert rig.sender.state.last_error
    rig.drain()
    assert rig.held() == [0, 1, 2]
    assert rig.sender.state.last_error == ""


@pytest.mark.parametrize("code", [401, 403])
def test_a_refused_gateway_keeps_its_events_raises_an_alarm_and_asks_again_slowly(rig: Rig, code: int) -> None:
    append(rig.outbox, [1])
    rig.server.script.append(status(code, b'{"title":"revoked","detail":"key 1 was revoked"}'))
    assert rig.sender.step() == 30.0
    assert rig.sender.state.state == "refused"
    assert "key 1 was revoked" in rig.sender.state.alarms[-1]


@pytest.mark.parametrize("answer", [commit_then_cut, slow(1.0)], ids=["cut in the reply", "too slow"])
def test_a_lost_acknowledgement_makes_the_batch_go_again_and_count_once(rig: Rig, answer: Answer) -> None:
    append(rig.outbox, range(5))
    rig.server.script.append(answer)
    assert (rig.sender.step() or 0) > 0
    assert rig.unsent() == list(range(5))
    rig.drain()
    assert rig.held() == list(range(5))
    assert len(rig.server.batches) == 2


def test_413_halves_the_batch_until_it_fits(rig: Rig) -> None:
    append(rig.outbox, range(400))
    rig.server.script.extend([status(413), status(413)])
    rig.drain()
    assert [len(b.events) for b in rig.server.batches] == [100, 200, 100]
    assert rig.held() == list(range(400))


def test_413_for_a_single_event_is_an_alarm_and_keeps_it(rig: Rig) -> None:
    append(rig.outbox, [1])
    rig.server.script.append(status(413))
    assert rig.sender.step() == 30.0
    assert "too large" in rig.sender.state.alarms[-1]
    assert rig.unsent() == [1]


@pytest.mark.parametrize("code", [429, 503])
def test_retry_after_is_obeyed(rig: Rig, code: int) -> None:
    append(rig.outbox, [1])
    rig.server.script.append(status(code, Retry_After="7"))
    assert rig.sender.step() == 7.0
    at = format_datetime(datetime.fromtimestamp(time.time() + 20, UTC), usegmt=True)
    rig.server.script.append(status(code, Retry_After=at))
    assert 17 < (rig.sender.step() or 0) <= 20
    rig.server.script.append(status(code, Retry_After="nonsense"))
    assert 0 < (rig.sender.step() or 0) <= 60
    rig.server.script.append(status(code, Retry_After="999999999"))
    assert rig.sender.step() == 3600.0


def test_the_pause_that_an_acknowledgement_asks_for_is_kept(rig: Rig) -> None:
    append(rig.outbox, [1])
    rig.server.retry_after_s = 2.5
    assert rig.sender.step() == 2.5


def test_back_off_has_full_jitter_between_nothing_and_a_minute(rig: Rig) -> None:
    append(rig.outbox, [1])
    rig.server.script.extend([status(500)] * 60)
    pauses = [rig.sender.step() or 0 for _ in range(60)]
    assert pauses[0] <= 0.5
    assert 30 < max(pauses) <= 60
    assert min(pauses[10:]) < 15  # jitter, not a ladder
    assert min(pauses) > 0


def test_a_server_restored_from_its_backup_asks_again_and_gets_what_it_lost(rig: Rig) -> None:
    rig.server.backed_up = False
    append(rig.outbox, range(1, 11))
    rig.drain()
    rig.server.restore_to(rig.outbox.epoch, 4)
    append(rig.outbox, [11])
    rig.drain()
    assert rig.held() == list(range(1, 12))
    assert len(rig.server.cursors) == 1


def test_a_server_that_lost_what_it_said_was_backed_up_raises_an_alarm_and_gets_the_rest(rig: Rig) -> None:
    append(rig.outbox, range(1, 6))
    rig.drain()
    rig.server.restore_to(rig.outbox.epoch, 2)
    append(rig.outbox, [6, 7])
    rig.drain()
    assert rig.held() == [1, 2, 6, 7]
    assert "lost events after 2" in rig.sender.state.alarms[0]


def test_an_old_copy_of_the_outbox_goes_on_in_a_new_epoch_and_nothing_counts_twice(rig: Rig) -> None:
    """The box was restored: the server has events 1–8 of this epoch, the copy 1–5, and 9 new ones follow."""
    append(rig.outbox, range(1, 6))
    epoch = rig.outbox.epoch
    ahead = new_outbox(rig.folder / "ahead")
    ahead._db.execute("UPDATE meta SET epoch = ?", (epoch,))
    ahead._load()
    append(ahead, range(1, 9))
    sender = make_sender(rig.folder / "ahead", ahead, rig.server.url, rig.block_list)
    signer = make_or_load_key(rig.folder / "ahead")
    rig.server.public_keys[signer.key_id] = signer.public_key
    assert sender.step() == 0
    sender.drain(0)
    ahead.close()
    append(rig.outbox, range(101, 110))
    rig.drain()
    assert rig.held() == [*range(1, 9), *range(101, 110)]
    assert rig.outbox.epoch != epoch
    assert "new epoch" in rig.sender.state.alarms[-1]


def test_a_copy_that_is_only_behind_takes_a_new_epoch_before_its_next_event(rig: Rig) -> None:
    rig.server.backed_up = False
    append(rig.outbox, [1, 2])
    rig.drain()
    rig.server.cursors[rig.outbox.epoch] = 9
    rig.outbox.rewind(0)
    old = rig.outbox.epoch
    rig.drain()
    assert rig.outbox.epoch != old
    append(rig.outbox, [3])
    rig.drain()
    assert rig.held() == [1, 2, 3]


def test_a_server_that_never_heard_of_this_epoch_gets_all_that_is_kept(rig: Rig) -> None:
    rig.server.backed_up = False
    append(rig.outbox, range(5))
    rig.drain()
    rig.server.events.clear()
    rig.server.digests.clear()
    rig.server.cursors.clear()
    append(rig.outbox, [5])
    rig.drain()
    assert rig.held() == list(range(6))


def test_an_acknowledgement_for_another_epoch_settles_nothing(rig: Rig) -> None:
    append(rig.outbox, [1])
    ack = {"epoch": "0" * 16, "ack": 1, "backed_up_to": 1, "server_time": datetime.now(UTC).isoformat(), "window": 8}
    ack |= {"block_list_version": 0, "config_version": 0}
    rig.server.script.append(status(200, json.dumps(ack).encode()))
    assert (rig.sender.step() or 0) > 0
    assert rig.unsent() == [1]


def test_a_newer_block_list_is_fetched_after_the_acknowledgement_and_never_rolled_back(rig: Rig) -> None:
    rig.server.block_list = {"version": 3, "issued_at": "2026-03-01T00:00:00+00:00", "entries": []}
    append(rig.outbox, [1])
    rig.drain()
    assert rig.block_list.version == 3
    assert BlockListFile(rig.folder / "block_list.json", LIST_KEY).version == 3
    rig.server.block_list = {"version": 2, "issued_at": "2026-02-01T00:00:00+00:00", "entries": []}
    append(rig.outbox, [2])
    rig.drain()
    assert rig.block_list.version == 3
    rig.server.block_list = {"version": 4, "issued_at": "no time", "entries": []}
    append(rig.outbox, [3])
    rig.drain()
    assert rig.block_list.version == 3
    assert "block list not taken" in rig.sender.state.alarms[-1]


def test_a_quiet_gate_asks_for_the_list_by_itself_but_not_all_the_time(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rig.sender.step() is None  # none is published
    rig.server.block_list = {"version": 1, "issued_at": "2026-03-01T00:00:00+00:00", "entries": []}
    assert rig.sender.step() is None
    assert (rig.block_list.version, len(rig.server.requests)) == (0, 1)
    monkeypatch.setattr("gateway_agent.uplink.LIST_MISSING_S", 0.0)
    assert rig.sender.step() is None
    assert (rig.block_list.version, len(rig.server.requests)) == (1, 2)
    assert rig.sender.step() is None
    assert len(rig.server.requests) == 2
    assert rig.sender.state.alarms == []


def test_the_first_connection_is_spread_and_the_thread_ends_when_told(rig: Rig) -> None:
    stop, stored = threading.Event(), threading.Event()
    append(rig.outbox, [1])
    thread = threading.Thread(target=rig.sender.run, args=(stop, stored))
    thread.start()
    limit = time.monotonic() + 5
    while rig.held() != [1] and time.monotonic() < limit:
        time.sleep(0.01)
    stop.set()
    stored.set()
    thread.join(5)
    assert not thread.is_alive()
    assert rig.held() == [1]


def test_a_server_that_is_not_there_is_said_in_words(tmp_path: Path) -> None:
    with closing(new_outbox(tmp_path)) as outbox:
        append(outbox, [1])
        sender = make_sender(tmp_path, outbox, "http://127.0.0.1:9", BlockListFile(tmp_path / "none"))
        assert (sender.step() or 0) > 0
        assert "refused" in sender.state.last_error


def test_enrolment_gives_an_identity_once_and_keeps_the_key_private(tmp_path: Path) -> None:
    with cursor_server() as server:
        link = ServerLink(ServerConfig(server.url, "", 2.0, 0.0, 1.0))
        with closing(link):
            me = enrol(tmp_path, link, "code-1")
            assert me.gateway_id == "gate-1"
            assert (tmp_path / "key.pem").stat().st_mode & 0o777 == 0o600
            with pytest.raises(Exception, match="already enrolled as gate-1"):
                enrol(tmp_path, link, "code-1")
            with pytest.raises(Exception, match="403: unknown or used code"):
                enrol(tmp_path / "other", link, "code-1")
