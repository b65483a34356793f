"""SQL of the vocabularies."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select

from trace_core.ids.canonical import object_key
from trace_server.db import Connection, Dialect
from trace_server.masterdata.model import VocabularyElement
from trace_server.masterdata.tables import vocabulary_element

PAGE = 500


def add(conn: Connection, dialect: Dialect, elements: Iterable[VocabularyElement], actor: str, now: datetime) -> int:
    """New versions; the last of one document wins. Returns how many rows are new."""
    rows = {
        (object_key(element.uri), element.vocabulary): {
            "object_key": object_key(element.uri),
            "vocabulary": element.vocabulary,
            "recorded_at": now,
            "uri": element.uri,
            "attributes": [list(pair) for pair in element.attributes],
            "children": list(element.children),
            "recorded_by": actor,
        }
        for element in elements
    }
    return dialect.bulk_insert(conn, vocabulary_element, list(rows.values()), ignore_conflicts=True)


def current(conn: Connection, dialect: Dialect, keys: Collection[bytes]) -> list[VocabularyElement]:
    """Newest versions of these objects, in every vocabulary that has them."""
    table = vocabulary_element
    rows = dialect.select_any(
        conn, lambda part: select(table).where(dialect.in_values(table.c.object_key, part)), sorted(keys)
    )
    newest: dict[tuple[bytes, str], Row[Any]] = {}
    for row in rows:
        place = (bytes(row.object_key), row.vocabulary)
        if place not in newest or newest[place].recorded_at < row.recorded_at:
            newest[place] = row
    return [_element(newest[place]) for place in sorted(newest)]


def everything(conn: Connection) -> Iterator[VocabularyElement]:
    """Newest version of every element, by vocabulary."""
    table = vocabulary_element
    latest = (
        select(table.c.object_key, table.c.vocabulary, func.max(table.c.recorded_at).label("recorded_at"))
        .group_by(table.c.object_key, table.c.vocabulary)
        .subquery()
    )
    same = (
        (table.c.object_key == latest.c.object_key)
        & (table.c.vocabulary == latest.c.vocabulary)
        & (table.c.recorded_at == latest.c.recorded_at)
    )
    query = select(table).join(latest, same).order_by(table.c.vocabulary, table.c.uri)
    for row in conn.execution_options(yield_per=PAGE).execute(query):
        yield _element(row)


def _element(row: Row[Any]) -> VocabularyElement:
    attributes = tuple((name, value) for name, value in row.attributes)
    return VocabularyElement(row.vocabulary, row.uri, attributes, tuple(row.children), row.recorded_at)
