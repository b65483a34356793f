"""Fixtures that several folders share: real databases, a real broker, the conformance data."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg2
import pytest
from hypothesis import settings

from tests.services import Broker, Postgres, start_mosquitto, start_postgres

if TYPE_CHECKING:
    from trace_server.db import Database

settings.register_profile("short", max_examples=60)
settings.register_profile("long", max_examples=500)
settings.load_profile("long" if os.environ.get("SUYUAN_SOAK") else "short")

MEMORY = Path("/dev/shm")
ROOM = 4 << 30
"""Bytes that a test run's databases may come to."""
ENGINES = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    # Not in pytest's folder: run as root, pytest closes that to the account that PostgreSQL runs under.
    where = MEMORY if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM else None
    with (
        tempfile.TemporaryDirectory(prefix="suyuan-postgres-", dir=where) as folder,
        start_postgres(Path(folder)) as server,
    ):
        yield server


@pytest.fixture(scope="session")
def postgres_url(postgres: Postgres) -> str:
    return postgres.url()


@pytest.fixture(scope="session")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with start_mosquitto(tmp_path_factory.mktemp("mosquitto")) as broker:
        yield broker


@pytest.fixture
def fresh_postgres_url(postgres: Postgres) -> Iterator[str]:
    with _TemporaryDatabase(postgres) as url:
        yield url


@pytest.fixture(params=ENGINES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a new, empty database; the test runs once on each engine."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'suyuan.sqlite'}"
        return
    with _TemporaryDatabase(request.getfixturevalue("postgres")) as url:
        yield url


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy: migrating once is 50 times cheaper than once a test."""
    from trace_server.db.migrate import upgrade

    path = tmp_path_factory.mktemp("template") / "suyuan.sqlite"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_template(postgres: Postgres) -> str:
    """Name of a migrated PostgreSQL database to use as a template."""
    from trace_server.db.migrate import upgrade

    name = "migrated_template"
    _admin(postgres, f"CREATE DATABASE {name}")
    upgrade(postgres.url(name))
    return name


@pytest.fixture(params=ENGINES)
def migrated_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a new, migrated database; the test runs once on each engine."""
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("migrated_sqlite")
        path = tmp_path / "suyuan.sqlite"
        shutil.copy(template, path)
        yield f"sqlite:///{path}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    with _TemporaryDatabase(server, template=request.getfixturevalue("migrated_template")) as url:
        yield url


@pytest.fixture
def database(migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """A new, migrated, opened database; the test runs once on each engine."""
    from trace_server.db import open_database

    monkeypatch.setenv("SUYUAN_ALLOW_UNSAFE_DATABASE", "1")  # the tests' PostgreSQL runs without fsync
    opened = open_database(migrated_url)
    yield opened
    opened.dispose()


@pytest.fixture(scope="session")
def conformance() -> Path:
    """Folder with other people's EPCIS documents (`SUYUAN_CONFORMANCE`)."""
    folder = os.environ.get("SUYUAN_CONFORMANCE", "")
    if not folder:  # the data belongs to others and is not in the repository; .ci/run names it where it is present
        pytest.skip("SUYUAN_CONFORMANCE does not name the conformance folder")
    return Path(folder)


class _TemporaryDatabase:
    """A database of its own on `server`, dropped at the end."""

    def __init__(self, server: Postgres, template: str = "template0") -> None:
        self._server = server
        self._template = template
        self._name = f"t_{uuid.uuid4().hex}"

    def __enter__(self) -> str:
        # Without fsync, copying the files of 120 tables takes half as long as writing them to the log.
        _admin(self._server, f"CREATE DATABASE {self._name} TEMPLATE {self._template} STRATEGY FILE_COPY")
        return self._server.url(self._name)

    def __exit__(self, *_: object) -> None:
        _admin(self._server, f"DROP DATABASE {self._name} WITH (FORCE)")


def _admin(server: Postgres, statement: str) -> None:
    connection = psycopg2.connect(server.url().replace("+psycopg2", ""))
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
    finally:
        connection.close()
