"""The whole web application on a fresh database with the milk trade of the portal's tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.server.portal import make
from trace_server.app import create_app
from trace_server.config import Settings
from trace_server.db import Database
from trace_server.portal.pages import PORTAL
from trace_server.services import EXTENSION

BASE = "https://trace.example"


@pytest.fixture
def app(database: Database) -> Iterator[Flask]:
    made = create_app(Settings(code_secret=make.SECRET, public_url=BASE), database)
    made.extensions[EXTENSION] = replace(made.extensions[EXTENSION], clock=lambda: make.NOW)
    make.load(database)
    yield made
    made.extensions[PORTAL].close()


@pytest.fixture
def http(app: Flask) -> FlaskClient:
    return app.test_client()
