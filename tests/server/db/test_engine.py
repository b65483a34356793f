"""A commit survives a power cut, an absent database is said to be absent."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from trace_core.errors import ConfigError
from trace_server.db import DatabaseAway, open_database


def test_sqlite_is_opened_to_survive_a_power_cut(tmp_path: Path) -> None:
    db = open_database(f"sqlite:///{tmp_path / 'a.sqlite'}")
    with db.begin() as conn:
        pragmas = {
            name: conn.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    db.dispose()
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}


def test_a_writer_holds_the_lock_from_its_first_moment(tmp_path: Path) -> None:
    db = open_database(f"sqlite:///{tmp_path / 'a.sqlite'}", busy_timeout_s=0.05)
    with db.begin(), pytest.raises(DatabaseAway), db.begin():
        pytest.fail("two writers at once")
    db.dispose()


def test_all_connections_in_use_is_an_absent_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trace_server.db.engine.POOL_WAIT_S", 0.05)
    db = open_database(f"sqlite:///{tmp_path / 'a.sqlite'}", pool_size=1)
    with db.read(), db.read(), db.read(), pytest.raises(DatabaseAway, match="in use"), db.read():
        pytest.fail("a fourth connection")
    db.dispose()


def test_a_damaged_folder_is_an_absent_database(tmp_path: Path) -> None:
    db = open_database(f"sqlite:///{tmp_path / 'no' / 'a.sqlite'}")
    with pytest.raises(DatabaseAway), db.begin():
        pytest.fail("opened")


def test_postgresql_that_does_not_answer_is_an_absent_database() -> None:
    db = open_database("postgresql://nobody:secret-word@127.0.0.1:1/none")
    with pytest.raises(DatabaseAway) as caught, db.read():
        pytest.fail("connected")
    assert "secret-word" not in str(caught.value)


def test_a_cut_connection_is_an_absent_database_and_the_next_one_works(fresh_postgres_url: str) -> None:
    db = open_database(fresh_postgres_url)
    with pytest.raises(DatabaseAway), db.begin() as conn:
        own = conn.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with db.begin() as other:
            other.execute(text("SELECT pg_terminate_backend(:own)"), {"own": own})
        conn.execute(text("SELECT 1"))
    with db.read() as conn:
        assert conn.execute(text("SELECT 1")).scalar_one() == 1
    db.dispose()


def test_a_statement_that_takes_too_long_is_ended(fresh_postgres_url: str) -> None:
    db = open_database(fresh_postgres_url, statement_timeout_s=0.1)
    with pytest.raises(DatabaseAway), db.read() as conn:
        conn.execute(text("SELECT pg_sleep(5)"))
    db.dispose()


def test_a_postgresql_that_may_lose_commits_is_refused(fresh_postgres_url: str) -> None:
    db = open_database(fresh_postgres_url)
    with db.read() as conn:
        is_unsafe = "off" in [conn.execute(text(f"SHOW {name}")).scalar() for name in ("fsync", "synchronous_commit")]
    assert is_unsafe, "the tests' server runs without fsync"
    with pytest.raises(ConfigError, match="power cut"):
        db.require_durable()
    db.dispose()


def test_sqlite_is_always_durable_enough(tmp_path: Path) -> None:
    open_database(f"sqlite:///{tmp_path / 'a.sqlite'}").require_durable()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://x/y", "no url", ""])
def test_urls_that_cannot_keep_data_are_refused(url: str) -> None:
    with pytest.raises(ConfigError):
        open_database(url)


def test_postgres_urls_need_not_name_the_driver() -> None:
    assert open_database("postgresql://a@b/c").engine.dialect.driver == "psycopg2"


def test_other_programs_may_read_the_file_meanwhile(tmp_path: Path) -> None:
    db = open_database(f"sqlite:///{tmp_path / 'a.sqlite'}")
    with db.begin() as conn:
        conn.exec_driver_sql("CREATE TABLE t (n INTEGER)")
    seen: list[object] = []

    def read() -> None:
        other = sqlite3.connect(tmp_path / "a.sqlite")
        seen.append(other.execute("SELECT count(*) FROM t").fetchone())
        other.close()

    with db.begin() as conn:
        conn.exec_driver_sql("INSERT INTO t VALUES (1)")
        thread = threading.Thread(target=read)
        thread.start()
        thread.join()
    db.dispose()
    assert seen == [(0,)]
