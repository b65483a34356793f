"""Promises of the schema: it can be sharded, and its migration gives exactly what the code expects."""

from __future__ import annotations

from trace_server.db import metadata
from trace_server.db.metadata import load_tables

SHARD_KEYS = {
    # table → column by which a cluster distributes it; every other table is a reference table
    "event": "event_key",
    "link": "object_key",
    "object": "object_key",
    "gateway_event": "gateway_id",
    "gateway_cursor": "gateway_id",
}


def test_every_table_has_a_primary_key() -> None:
    load_tables()
    assert not [name for name, table in metadata.tables.items() if not table.primary_key.columns]


def test_primary_keys_and_unique_indexes_of_sharded_tables_hold_the_shard_key() -> None:
    load_tables()
    for name, shard_key in SHARD_KEYS.items():
        table = metadata.tables[name]
        assert next(iter(table.primary_key.columns)).name == shard_key, name
        for index in table.indexes:
            assert not index.unique or shard_key in index.columns, index.name


def test_sharded_tables_have_no_foreign_keys() -> None:
    load_tables()
    for name in SHARD_KEYS:
        assert not metadata.tables[name].foreign_keys, name
