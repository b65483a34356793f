"""`trace-server db distribute`: the statements as text, their run on a stand-in for Citus, and on the real thing.

The stand-in is a real PostgreSQL with functions and a catalog of Citus' names, so that the statements are parsed and
run, and what is done is remembered. `SUYUAN_CITUS_URL` names a coordinator for the real run.
"""

from __future__ import annotations

import json
import os

import psycopg2
import pytest
from click.testing import CliRunner

from trace_core.errors import ConfigError
from trace_server.cli import cli
from trace_server.db import migrate, open_database
from trace_server.db.distribute import distribute, plan

STAND_IN = """
CREATE SCHEMA citus_stand_in;
CREATE TABLE public.pg_dist_partition (logicalrelid regclass PRIMARY KEY, column_name text, shards int, beside text);
CREATE FUNCTION public.create_reference_table(name regclass) RETURNS void LANGUAGE sql
  AS $$ INSERT INTO public.pg_dist_partition VALUES (name, NULL, NULL, NULL) $$;
CREATE FUNCTION public.create_distributed_table(name regclass, col text, colocate_with text, shard_count int DEFAULT 0)
  RETURNS void LANGUAGE sql
  AS $$ INSERT INTO public.pg_dist_partition VALUES (name, col, shard_count, colocate_with) $$;
INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
  SELECT 1, 'citus', 10, oid, false, '12' FROM pg_namespace WHERE nspname = 'citus_stand_in';
"""


def plain(url: str) -> str:
    """libpq's spelling of SQLAlchemy's URL."""
    return url.replace("postgresql+psycopg2:", "postgresql:")


@pytest.fixture
def stand_in(fresh_postgres_url: str) -> str:
    migrate.upgrade(fresh_postgres_url)
    with psycopg2.connect(plain(fresh_postgres_url)) as conn, conn.cursor() as cursor:
        cursor.execute("SET allow_system_table_mods = on")
        cursor.execute(STAND_IN)
    conn.close()
    return fresh_postgres_url


def test_the_statements_are_these_and_in_this_order() -> None:
    assert [step.statement for step in plan(shards=32)] == [
        "SELECT create_reference_table('event_value')",
        "SELECT create_reference_table('place')",
        "SELECT create_reference_table('subject')",
        "SELECT create_reference_table('licence')",
        "SELECT create_reference_table('product')",
        "SELECT create_reference_table('batch')",
        "SELECT create_distributed_table('link', 'object_key', shard_count => 32, colocate_with => 'none')",
        "SELECT create_distributed_table('object', 'object_key', colocate_with => 'link')",
        "SELECT create_distributed_table('issued_code', 'object_key', colocate_with => 'link')",
        "SELECT create_distributed_table('code_query', 'object_key', colocate_with => 'link')",
        "SELECT create_distributed_table('resolver_link', 'object_key', colocate_with => 'link')",
        "SELECT create_distributed_table('event', 'event_key', shard_count => 32, colocate_with => 'none')",
        "SELECT create_distributed_table('gateway_cursor', 'gateway_id', shard_count => 32, colocate_with => 'none')",
        "SELECT create_distributed_table('gateway_event', 'gateway_id', colocate_with => 'gateway_cursor')",
    ]


def test_an_interrupted_run_goes_on_where_it_stopped(stand_in: str) -> None:
    db = open_database(stand_in)
    steps = distribute(db)
    first = [next(steps).table, next(steps).table]
    steps.close()  # type: ignore[attr-defined]
    rest = [step.table for step in distribute(db)]
    assert first + rest == [step.table for step in plan()]
    assert list(distribute(db)) == []
    db.dispose()


def test_the_command_runs_the_plan_and_prints_each_statement(stand_in: str) -> None:
    outcome = CliRunner().invoke(
        cli, ["db", "distribute", "--shards", "8", "--json"], env={"SUYUAN_DATABASE_URL": stand_in}
    )
    assert outcome.exit_code == 0, outcome.output
    assert [json.loads(line)["table"] for line in outcome.stdout.splitlines()] == [step.table for step in plan()]
    with psycopg2.connect(plain(stand_in)) as conn, conn.cursor() as cursor:
        cursor.execute("SELECT column_name, shards FROM public.pg_dist_partition WHERE logicalrelid = 'link'::regclass")
        assert cursor.fetchone() == ("object_key", 8)
    conn.close()


def test_a_dry_run_needs_no_cluster(tmp_path: os.PathLike[str]) -> None:
    env = {"SUYUAN_DATABASE_URL": f"sqlite:///{tmp_path}/none.sqlite"}
    outcome = CliRunner().invoke(cli, ["db", "distribute", "--dry-run"], env=env)
    assert outcome.exit_code == 0, outcome.output
    assert outcome.stdout.count("SELECT create_") == len(plan())


def test_a_database_that_is_no_cluster_is_told_what_to_do(migrated_url: str) -> None:
    db = open_database(migrated_url)
    with pytest.raises(ConfigError, match=r"Citus|SQLite"):
        list(distribute(db))
    db.dispose()


@pytest.mark.parametrize("shards", [0, -1, 5000])
def test_no_cluster_has_so_many_shards(shards: int) -> None:
    with pytest.raises(ConfigError, match="shards"):
        plan(shards=shards)


def test_a_real_coordinator_takes_the_plan() -> None:
    url = os.environ.get("SUYUAN_CITUS_URL", "")
    if not url:  # Debian has no Citus: the plan itself always runs, on the stand-in above
        pytest.skip("SUYUAN_CITUS_URL names no Citus coordinator")
    migrate.upgrade(url)
    db = open_database(url)
    list(distribute(db))
    assert list(distribute(db)) == []
    db.dispose()
