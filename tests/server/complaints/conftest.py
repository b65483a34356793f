"""The application with a key for sealed data, a clock that a test sets, and people at their desks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.server.users.conftest import NOW, Browser, Clock, clock
from trace_server.accounts.model import Role
from trace_server.app import create_app
from trace_server.config import Settings
from trace_server.db import Database
from trace_server.portal.pages import PORTAL
from trace_server.services import EXTENSION, Services
from trace_server.users import operations as users
from trace_server.users.model import Scope

__all__ = ["clock"]

SEALED_KEY = "s" * 32
OFFICE = "举报办"
BUREAU = "亭湖区市场监督管理局"


@pytest.fixture
def app(database: Database, clock: Clock) -> Iterator[Flask]:
    made = create_app(Settings(code_secret="t" * 32, sealed_key=SEALED_KEY), database)
    made.extensions[EXTENSION] = replace(made.extensions[EXTENSION], clock=clock)
    yield made
    made.extensions[PORTAL].close()


@pytest.fixture
def services(app: Flask) -> Services:
    found: Services = app.extensions[EXTENSION]
    return found


@pytest.fixture
def http(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def log_in(app: Flask, clock: Clock, database: Database) -> Callable[..., Browser]:
    def enter(name: str, role: Role = Role.REPORT_DESK, department: str = OFFICE) -> Browser:
        _, code = users.add_user(
            database, NOW, "cli:admin", name=name, display_name=name, role=role, department=department, scope=Scope()
        )
        found = Browser(app.test_client(), clock)
        found.join(code)
        found.enrol(name)
        return found

    return enter
