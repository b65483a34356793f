"""The web application with the public pages on a fresh database, at a time that the test sets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.server.portal import make
from trace_server.app import create_app
from trace_server.config import Settings
from trace_server.db import Database
from trace_server.portal.pages import PORTAL, Portal, blueprint
from trace_server.services import EXTENSION


@dataclass
class Clock:
    """A clock that a test sets."""

    now: datetime = make.NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(database: Database, clock: Clock) -> Iterator[Flask]:
    made = create_app(Settings(code_secret=make.SECRET, public_url="https://trace.example"), database)
    if "portal" not in made.blueprints:
        made.register_blueprint(blueprint)
    made.extensions[EXTENSION] = replace(made.extensions[EXTENSION], clock=clock)
    yield made
    made.extensions[PORTAL].close()


@pytest.fixture
def portal(app: Flask) -> Portal:
    found: Portal = app.extensions[PORTAL]
    return found


@pytest.fixture
def http(app: Flask) -> FlaskClient:
    return app.test_client()
