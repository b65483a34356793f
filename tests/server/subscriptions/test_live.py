"""WebSockets with the real web server, and the real worker killed between a delivery and its note of it."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from simple_websocket import Client, ConnectionClosed
from sqlalchemy import update

from tests.running import RunningServer, running, running_server
from tests.server.callers import company_of
from tests.server.ingest.make import NOW, body, seen
from tests.server.subscriptions.conftest import QUERY, World
from tests.server.subscriptions.receiver import results
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Role
from trace_server.db import Database
from trace_server.ingest.operations import number_captures
from trace_server.subscriptions.delivery import KILL_AT
from trace_server.subscriptions.tables import subscription

PATIENCE_S = 60.0


class Live:
    """A served database and its clients."""

    def __init__(self, server: RunningServer, database: Database) -> None:
        self.server, self.db = server, database
        self.producer, self.regulator = self._bearer(Role.PRODUCER), self._bearer(Role.REGULATOR)
        self.post("/queries", QUERY, self.regulator)

    def _bearer(self, role: Role) -> dict[str, str]:
        _, token = accounts.add_client(self.db, NOW, "test", name=role.value, role=role, subject=company_of(role))
        return {"Authorization": f"Bearer {token}"}

    def post(self, path: str, value: Any, who: dict[str, str]) -> Any:
        answer = requests.post(
            f"{self.server.url}/api/v1{path}",
            data=value if isinstance(value, bytes) else json.dumps(value),
            headers={**who, "Content-Type": "application/json"},
            timeout=PATIENCE_S,
        )
        assert answer.status_code == 201, answer.text
        return answer

    def tell(self, *numbers: int) -> None:
        for number in numbers:
            self.post("/events", body(seen(number)), self.producer)
            number_captures(self.db)

    def watch(self, controls: str) -> Client:
        address = self.server.url.replace("http", "ws") + f"/api/v1/queries/received/events?{controls}"
        return Client(address, headers=self.regulator)

    def handshake(self, controls: str, who: dict[str, str]) -> int:
        """Status that the server answers; the connection is left at once."""
        key = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13"}
        address = f"{self.server.url}/api/v1/queries/received/events?{controls}"
        headers = {**who, **key, "Connection": "Upgrade", "Upgrade": "websocket"}
        with requests.get(address, headers=headers, timeout=PATIENCE_S, stream=True) as answer:
            return answer.status_code


@pytest.fixture
def live(migrated_url: str, database: Database, tmp_path: Path) -> Iterator[Live]:
    with running_server(migrated_url, tmp_path) as server:
        yield Live(server, database)


def serials(talk: Client, count: int) -> list[str]:
    found: list[str] = []
    limit = time.monotonic() + PATIENCE_S
    while len(found) < count and time.monotonic() < limit:
        message = talk.receive(timeout=5)
        if message is not None:
            events = results(json.loads(message))["resultsBody"]["eventList"]
            found += [event["epcList"][0].rpartition("/")[2] for event in events]
    return found


def test_a_websocket_gets_what_matches_from_then_on(live: Live) -> None:
    live.tell(1)
    talk = live.watch("stream=true")
    early = live.watch("stream=true&initialRecordTime=2020-01-01T00:00:00Z")
    assert serials(early, 1) == ["1"]
    live.tell(2, 3)
    assert serials(talk, 2) == ["2", "3"]
    assert serials(early, 2) == ["2", "3"]
    early.close()
    scheduled = live.watch("second=[0-59]&reportIfEmpty=true")
    assert json.loads(scheduled.receive(timeout=PATIENCE_S))["type"] == "EPCISQueryDocument"
    scheduled.send("hello")
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            scheduled.receive(timeout=PATIENCE_S)
    assert closed.value.reason == 1003
    talk.close()


def test_handshakes_that_may_not_be_are_refused(live: Live) -> None:
    for controls, who, status in (
        ("stream=true", {"Authorization": "Bearer nobody"}, 401),
        ("stream=true", live.producer, 403),
        ("", live.regulator, 400),
        ("stream=true&hour=1", live.regulator, 400),
        ("stream=true&colour=red", live.regulator, 400),
    ):
        assert live.handshake(controls, who) == status, controls
    plain = requests.get(
        f"{live.server.url}/api/v1/queries/received/events", headers=live.regulator, timeout=PATIENCE_S
    )
    assert plain.status_code == 200


def test_sockets_are_bounded_and_end_with_the_server(migrated_url: str, database: Database, tmp_path: Path) -> None:
    with running_server(migrated_url, tmp_path) as server:
        live = Live(server, database)
        talks = [live.watch("stream=true") for _ in range(4)]
        assert live.handshake("stream=true", live.regulator) == 503
        talks.pop().close()
        limit = time.monotonic() + PATIENCE_S
        # Its place is free once the server has seen it leave.
        while live.handshake("stream=true", live.regulator) == 503:
            assert time.monotonic() < limit
            time.sleep(0.1)
        live.tell(1)
    # SIGTERM at the end of the block: within the 20 s that `running` waits, far below the drain limit
    for talk in talks:
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                talk.receive(timeout=PATIENCE_S)
        assert closed.value.reason == 1001


def test_a_worker_killed_after_a_delivery_delivers_again_and_skips_nothing(
    world: World, migrated_url: str, tmp_path: Path
) -> None:
    environment = {
        "SUYUAN_DATABASE_URL": migrated_url,
        "SUYUAN_ALLOW_UNSAFE_DATABASE": "1",
        "SUYUAN_CODE_SECRET": "t" * 32,
        "SUYUAN_WEBHOOK_HOSTS": "127.0.0.1",
    }
    world.subscribe()
    world.tell(1, 2)
    killed = {**environment, KILL_AT: "subscription-sent"}
    with running(["trace_server", "worker"], killed, tmp_path / "killed.log") as process:
        assert process.wait(PATIENCE_S) == -signal.SIGKILL, (tmp_path / "killed.log").read_text()
    assert world.receiver.serials() == [["1", "2"]]
    world.tell(3)
    _let_lease_end(world.db)
    with running(["trace_server", "worker"], environment, tmp_path / "worker.log") as process:
        world.receiver.wait_for(2)
        world.tell(4)
        world.receiver.wait_for(3)
        process.terminate()
        assert process.wait(PATIENCE_S) == 0
    assert world.receiver.serials() == [["1", "2"], ["1", "2", "3"], ["4"]]


def _let_lease_end(database: Database) -> None:
    """As if `operations.LEASE` had passed."""
    with database.begin() as conn:
        conn.execute(update(subscription).values(lease_until=NOW))
