"""What a request or a job needs from outside: the database, the settings, the time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from flask import current_app

from trace_server.config import Settings
from trace_server.db import Database

EXTENSION = "suyuan"


def utc_now() -> datetime:
    """The aware UTC time of this host."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Services:
    """Made once per process by `create_app` or the worker."""

    db: Database
    settings: Settings
    clock: Callable[[], datetime] = utc_now


def services() -> Services:
    """The services of the application that handles this request."""
    found: Services = current_app.extensions[EXTENSION]
    return found
