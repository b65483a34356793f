"""A small farm with milk to sell, its person logged in for real, and a neighbour with a desk of its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from tests.server.console.conftest import log_in
from tests.server.desk import make as stock
from tests.server.portal import make
from tests.server.users.conftest import Browser, Clock, app, browser, clock, invite
from trace_server.accounts.model import Role
from trace_server.db import Database
from trace_server.users.model import Scope

__all__ = ["app", "browser", "clock", "invite", "log_in"]


@pytest.fixture
def farm(app: Flask, clock: Clock, database: Database, log_in: Callable[..., Browser]) -> Browser:
    """The person of `make.PRODUCER`."""
    make.load(database, batches=[make.batch(inspection=None), make.batch(lot="L2612", recall=make.recall())])
    return log_in("farmer-1", Role.PRODUCER, Scope(subject=make.PRODUCER), "")


@pytest.fixture
def neighbour(farm: Browser, log_in: Callable[..., Browser]) -> Browser:
    """The person of another company."""
    return log_in("neighbour-1", Role.PRODUCER, Scope(subject=make.HAULIER), "")


@pytest.fixture
def stocked(database: Database, log_in: Callable[..., Browser]) -> Browser:
    """The person of a farm with something on every page."""
    stock.stock(database)
    return log_in("farmer-2", Role.PRODUCER, Scope(subject=stock.FARM), "")
