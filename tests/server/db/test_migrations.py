"""Upgrading gives exactly the schema that the code expects, however often and from wherever it is run."""

from __future__ import annotations

import runpy
import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from trace_core.errors import ConfigError
from trace_server.db import load_tables, migrate, open_database


def test_an_empty_database_becomes_exactly_the_metadata(database_url: str) -> None:
    assert migrate.upgrade(database_url).is_current
    expected = load_tables()
    db = open_database(database_url)
    with db.read() as conn:
        assert compare_metadata(MigrationContext.configure(conn), expected) == []
        assert set(inspect(conn).get_table_names()) == {*expected.tables, "alembic_version"}
    db.dispose()


def test_upgrading_twice_changes_nothing(database_url: str) -> None:
    first = migrate.upgrade(database_url)
    assert migrate.upgrade(database_url) == first


def test_two_processes_may_upgrade_at_once(database_url: str) -> None:
    failures: list[Exception] = []

    def run() -> None:
        try:
            migrate.upgrade(database_url)
        except Exception as error:  # noqa: BLE001 – carried to the main thread
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_an_old_schema_is_named_with_its_remedy(database_url: str) -> None:
    db = open_database(database_url)
    with pytest.raises(ConfigError, match="db upgrade"):
        migrate.require_current(db)
    db.dispose()


def test_a_newer_schema_is_neither_used_nor_touched(database_url: str) -> None:
    migrate.upgrade(database_url)
    db = open_database(database_url)
    with db.begin() as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigError, match="newer"):
        migrate.require_current(db)
    with pytest.raises(ConfigError, match="newer"):
        migrate.upgrade(database_url)
    db.dispose()


def test_a_scripts_file_name_begins_with_its_revision_and_they_form_one_line() -> None:
    scripts = sorted((migrate.SCRIPTS / "versions").glob("[0-9]*.py"))
    previous = None
    for script in scripts:
        module = runpy.run_path(str(script))
        assert (module["revision"], module["down_revision"]) == (script.stem.partition("_")[0], previous)
        previous = module["revision"]
    assert previous is not None
