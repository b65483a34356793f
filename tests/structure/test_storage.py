"""Promises of the schema: it can be sharded, and its migration gives exactly what the code expects."""

from __future__ import annotations

from trace_server.db import metadata
from trace_server.db.distribute import REFERENCE, SHARDED
from trace_server.db.metadata import load_tables


def test_every_table_has_a_primary_key() -> None:
    load_tables()
    assert not [name for name, table in metadata.tables.items() if not table.primary_key.columns]


def test_primary_keys_and_unique_indexes_of_sharded_tables_hold_the_shard_key() -> None:
    load_tables()
    for name, shard_key in SHARDED.items():
        table = metadata.tables[name]
        assert next(iter(table.primary_key.columns)).name == shard_key, name
        for index in table.indexes:
            assert not index.unique or shard_key in index.columns, index.name


def test_sharded_tables_have_no_foreign_keys() -> None:
    load_tables()
    for name in SHARDED:
        assert not metadata.tables[name].foreign_keys, name


def test_reference_tables_refer_to_reference_tables_only() -> None:
    load_tables()
    assert set(metadata.tables) >= REFERENCE | set(SHARDED)
    for name in REFERENCE:
        assert {key.column.table.name for key in metadata.tables[name].foreign_keys} <= REFERENCE, name


def test_no_table_refers_to_a_sharded_one() -> None:
    load_tables()
    referred = {key.column.table.name for table in metadata.tables.values() for key in table.foreign_keys}
    assert not referred & set(SHARDED)
