"""Spread the tables over a Citus cluster; the same program then runs on it unchanged.

Three kinds of table. *Sharded*: rows lie with the node that owns their key (`SHARDED`, column by column of
architecture.md §3.5). *Reference*: small master data that every node keeps whole, because chains join with it
(`REFERENCE`). All others stay on the coordinator: they are ordered, counted or locked in one place, and are small.

Source: Citus 12 documentation, "Citus Utility Functions".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, text

from trace_core.errors import ConfigError
from trace_server.db.engine import Database
from trace_server.db.metadata import load_tables

SHARDED: Mapping[str, str] = {
    "link": "object_key",
    "object": "object_key",
    "issued_code": "object_key",
    "code_query": "object_key",
    "resolver_link": "object_key",
    "event": "event_key",
    "gateway_cursor": "gateway_id",
    "gateway_event": "gateway_id",
}
"""Table → column that a cluster distributes it by. Tables of one column lie together: their joins stay on a node."""
REFERENCE = frozenset({"subject", "licence", "product", "batch", "place", "event_value"})
DEFAULT_SHARDS = 64
"""Pieces of each sharded table; some for each core that the cluster will ever have, as splitting later is work."""
MAX_SHARDS = 1024
_EXTENSION = "SELECT count(*) FROM pg_extension WHERE extname = 'citus'"
_DONE = "SELECT logicalrelid::text FROM pg_dist_partition"


@dataclass(frozen=True, slots=True)
class Step:
    """One statement, and the table that it moves."""

    table: str
    statement: str


def plan(done: Iterable[str] = (), *, shards: int = DEFAULT_SHARDS) -> list[Step]:
    """Statements that are still to run, in their order, when the tables `done` are distributed already.

    Raises `ConfigError` for a number of shards that no cluster has.
    """
    if not 1 <= shards <= MAX_SHARDS:
        raise ConfigError(f"{shards} shards", where="--shards", remedy=f"1 to {MAX_SHARDS}")
    finished = set(done)
    return [step for step in _steps(shards) if step.table not in finished]


def distribute(db: Database, *, shards: int = DEFAULT_SHARDS) -> Iterator[Step]:
    """Run what is still to run, each statement in a transaction of its own; yields each step when it is done.

    Interrupted, the same command goes on where it stopped. Raises `ConfigError` when the database is no Citus
    coordinator.
    """
    for step in plan(_done(db), shards=shards):
        with db.begin() as conn:
            conn.execute(text("SET LOCAL statement_timeout = 0"))
            conn.execute(text(step.statement))
        yield step


def require_citus(db: Database) -> None:
    """Raises `ConfigError` unless the database is PostgreSQL with the extension."""
    if not db.dialect.has_concurrent_writers:
        raise ConfigError("SQLite is one file on one host", where="database_url", remedy="name a Citus coordinator")
    with db.read() as conn:
        if not _scalar(conn, _EXTENSION):
            raise ConfigError(
                "this PostgreSQL has no Citus extension",
                where="database_url",
                remedy="shared_preload_libraries='citus' on all nodes, CREATE EXTENSION citus, add the workers",
            )


def _steps(shards: int) -> Iterator[Step]:
    tables = load_tables().sorted_tables  # referenced tables first, as the cluster demands
    for table in tables:
        if table.name in REFERENCE:
            yield Step(table.name, f"SELECT create_reference_table('{table.name}')")
    leaders: dict[str, str] = {}
    for name, column in SHARDED.items():
        beside = leaders.setdefault(column, name)
        # The first of a column makes the group, the others lie with it.
        where = (
            f"shard_count => {shards}, colocate_with => 'none'" if beside == name else f"colocate_with => '{beside}'"
        )
        yield Step(name, f"SELECT create_distributed_table('{name}', '{column}', {where})")


def _done(db: Database) -> set[str]:
    require_citus(db)
    with db.read() as conn:
        return {str(row[0]).strip('"') for row in conn.execute(text(_DONE))}


def _scalar(conn: Connection, statement: str) -> int:
    return int(conn.execute(text(statement)).scalar_one())
