"""A web application with the exchange on a fresh database, and clients of three roles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.server.callers import company_of
from tests.server.credit.make import Clock
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Role
from trace_server.app import create_app
from trace_server.config import Settings
from trace_server.db import Database
from trace_server.exchange.api import blueprint
from trace_server.services import EXTENSION, Services


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(database: Database, clock: Clock) -> Iterator[Flask]:
    made = create_app(Settings(code_secret="t" * 32), database)
    if "exchange" not in made.blueprints:
        made.register_blueprint(blueprint)
    made.extensions[EXTENSION] = replace(made.extensions[EXTENSION], clock=clock)
    yield made


@pytest.fixture
def outside(app: Flask) -> Services:
    found: Services = app.extensions[EXTENSION]
    return found


@pytest.fixture
def http(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def bearer(outside: Services) -> Callable[[str], dict[str, str]]:
    def headers(role: str) -> dict[str, str]:
        who = Role(role)
        _, token = accounts.add_client(
            outside.db, outside.clock(), "tester", name=f"a {role}", role=who, subject=company_of(who)
        )
        return {"Authorization": f"Bearer {token}"}

    return headers
