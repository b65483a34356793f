"""What a request or a job needs from outside: the database, the settings, the time, a place for log lines."""

from __future__ import annotations

import gc
import getpass
import logging
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from flask import current_app

from trace_server.config import Settings
from trace_server.db import Database, open_database

EXTENSION = "suyuan"


COLLECT_AFTER = (20_000, 20, 20)
"""Allocations and rounds between two runs of the garbage collector, instead of Python's (700, 10, 10)."""


def collect_less_often() -> None:
    """A recall makes a million small tuples, none of them in a circle: by default the collector looks at them again
    and again, for a fifth of the time that the whole recall takes.
    """
    gc.set_threshold(*COLLECT_AFTER)


def utc_now() -> datetime:
    """The aware UTC time of this host."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Services:
    """Made once per process: by `create_app`, the worker or a command."""

    db: Database
    settings: Settings
    clock: Callable[[], datetime] = utc_now


@dataclass(frozen=True, slots=True)
class Job:
    """A periodic step of the worker: `run` does all that is due and returns soon."""

    name: str
    interval_s: float
    run: Callable[[Services], object]


def services() -> Services:
    """The services of the application that handles this request."""
    found: Services = current_app.extensions[EXTENSION]
    return found


def operator_name() -> str:
    """Who runs a command, for the audit log: the account on this host, there is no other on a command line."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):  # a container whose user has no name
        return f"cli:uid-{os.getuid()}"


def open_services(settings: Settings) -> Services:
    """Services on the database that `settings` name; nothing connects yet."""
    db = open_database(
        settings.database_url,
        pool_size=settings.threads,
        statement_timeout_s=settings.statement_timeout_s,
        busy_timeout_s=settings.busy_timeout_s,
    )
    return Services(db, settings)


def configure_logs(level: str) -> None:
    """One JSON object a line on stderr, for our own log calls and those of libraries alike.

    JSON escapes line breaks, so no input can forge a line. What callers may log: ids, counts, times; never
    secrets, codes, names or addresses of people.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    ]
    structlog.configure(
        # First of all: a line that nobody will see must cost nothing.
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    logging.getLogger("alembic").setLevel("WARNING")  # it tells its dialect on every look at the schema
