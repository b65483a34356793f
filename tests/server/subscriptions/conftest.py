"""A regulator with a named query, a producer who captures, a receiver, and a clock that a test sets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.server.callers import company_of
from tests.server.ingest.make import NOW, body, seen
from tests.server.subscriptions.receiver import Receiver, receiving
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Role
from trace_server.app import create_app
from trace_server.config import Settings
from trace_server.db import Database
from trace_server.ingest.operations import number_captures
from trace_server.services import EXTENSION, Services
from trace_server.subscriptions import delivery

TOKEN = "a token of the client, long enough"
QUERY = {"name": "received", "query": {"EQ_bizStep": ["receiving"]}}


class World:
    """Everything a subscription meets, on one database."""

    def __init__(self, database: Database, receiver: Receiver) -> None:
        self.db, self.receiver, self.now = database, receiver, NOW
        settings = Settings(code_secret="t" * 32, webhook_hosts="127.0.0.1")
        self.services = Services(database, settings, lambda: self.now)
        app = create_app(settings, database)
        app.extensions[EXTENSION] = self.services
        self.http = app.test_client()
        self.producer, self.regulator = self.bearer("producer", Role.PRODUCER), self.bearer("regulator")
        assert self.post("/queries", QUERY).status_code == 201

    def bearer(self, name: str, role: Role = Role.REGULATOR) -> dict[str, str]:
        _, token = accounts.add_client(self.db, NOW, "test", name=name, role=role, subject=company_of(role))
        return {"Authorization": f"Bearer {token}"}

    def post(self, path: str, json: Any, who: dict[str, str] | None = None) -> Any:
        return self.http.post(f"/api/v1{path}", json=json, headers=who or self.regulator)

    def get(self, path: str, who: dict[str, str] | None = None) -> Any:
        return self.http.get(f"/api/v1{path}", headers=who or self.regulator)

    def subscribe(self, path: str = "/hook", **controls: Any) -> dict[str, Any]:
        wanted = {"dest": self.receiver.url + path, "signatureToken": TOKEN} | controls
        if "schedule" not in wanted:
            wanted["stream"] = True
        answer = self.post("/queries/received/subscriptions", wanted)
        assert answer.status_code == 201, answer.json
        return dict(answer.json)

    def show(self, subscription: dict[str, Any]) -> dict[str, Any]:
        answer = self.get(f"/queries/received/subscriptions/{subscription['subscriptionID']}")
        assert answer.status_code == 200
        return dict(answer.json)

    def tell(self, *numbers: int, **changes: Any) -> None:
        """One capture an event; after each the worker's sequencer runs."""
        headers = {**self.producer, "Content-Type": "application/json"}
        for number in numbers:
            answer = self.http.post("/api/v1/events", data=body(seen(number, **changes)), headers=headers)
            assert answer.status_code == 201, answer.json
            # One by one: captures of the same moment are numbered in any order.
            number_captures(self.db)

    def deliver(self) -> int:
        """Turns taken until nothing was due."""
        return delivery.run_due(self.services)

    def wait(self, span: timedelta) -> datetime:
        self.now += span
        return self.now


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


@pytest.fixture
def world(database: Database, receiver: Receiver) -> World:
    return World(database, receiver)
