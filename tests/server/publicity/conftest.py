"""The public credit pages on a fresh database."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.server.credit.make import Clock
from trace_server.app import create_app
from trace_server.config import Settings
from trace_server.db import Database
from trace_server.publicity.pages import blueprint
from trace_server.services import EXTENSION, Services


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(database: Database, clock: Clock) -> Flask:
    made = create_app(Settings(code_secret="t" * 32), database)
    if "publicity" not in made.blueprints:
        made.register_blueprint(blueprint)
    made.extensions[EXTENSION] = replace(made.extensions[EXTENSION], clock=clock)
    return made


@pytest.fixture
def outside(app: Flask) -> Services:
    found: Services = app.extensions[EXTENSION]
    return found


@pytest.fixture
def http(app: Flask) -> FlaskClient:
    return app.test_client()
