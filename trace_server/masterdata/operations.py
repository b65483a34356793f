"""Use cases of the master data: take a document, answer a query, and say what events' queries ask."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from trace_core.errors import TooLarge
from trace_core.ids.canonical import canonical_uri, object_key
from trace_server import audit
from trace_server.db import Connection, Database, Dialect
from trace_server.masterdata import rules, store
from trace_server.masterdata.model import MasterDataQuery, VocabularyElement

MAX_ANSWER = 5_000
"""Elements of one answer; more are a question that is too wide."""
MAX_LEVELS = 64
MAX_REMEMBERED = 10_000
"""Elements that one query remembers: events name the same few places again and again."""


def capture(db: Database, now: datetime, actor: str, raw: bytes, *, is_xml: bool) -> int:
    """Keep the elements of a document as new versions; returns how many. Raises `EventError`, `TooLarge`."""
    elements = rules.read_document(raw, is_xml=is_xml)
    with db.begin() as conn:
        kept = store.add(conn, db.dialect, elements, actor, now)
        audit.record(conn, now, actor, "masterdata.capture", "vocabularies", {"elements": kept})
    return kept


def find(db: Database, query: MasterDataQuery) -> list[VocabularyElement]:
    """Elements that a query wants, by vocabulary. Raises `TooLarge` beyond the query's limit or ours."""
    limit = MAX_ANSWER if query.max_elements is None else min(query.max_elements, MAX_ANSWER)
    with db.read() as conn:
        known = StoredMasterData(conn, db.dialect)
        below = (
            frozenset().union(*(known.descendants(uri) | {uri} for uri in query.below)) if query.below else frozenset()
        )
        wanted = query.names or below
        keys = {object_key(uri) for uri in wanted}
        candidates = store.current(conn, db.dialect, keys) if wanted else store.everything(conn)
        found = []
        for element in candidates:
            if rules.matches(element, query, below):
                found.append(element)
                if len(found) > limit:
                    raise TooLarge(
                        f"the answer has more than {limit} elements", where="maxElementCount", remedy="narrow the query"
                    )
    return found


class StoredMasterData:
    """What queries of events ask (`query.model.MasterData`): places below a place, attributes of an element."""

    def __init__(self, conn: Connection, dialect: Dialect) -> None:
        self._conn = conn
        self._dialect = dialect
        self._told: dict[str, Mapping[str, frozenset[str]]] = {}

    def descendants(self, uri: str) -> frozenset[str]:
        """Canonical URIs of all below `uri`, without itself; a ring of children ends where it began."""
        found: set[str] = set()
        frontier = {canonical_uri(uri)}
        for _ in range(MAX_LEVELS):
            children = {
                canonical_uri(child)
                for element in store.current(self._conn, self._dialect, {object_key(one) for one in frontier})
                for child in element.children
            }
            frontier = children - found
            if not frontier:
                break
            found |= frontier
        return frozenset(found - {canonical_uri(uri)})

    def attributes(self, uri: str) -> Mapping[str, frozenset[str]]:
        """Attribute name → values, of all vocabularies that have the element."""
        if uri in self._told:
            return self._told[uri]
        found: dict[str, set[str]] = {}
        for element in store.current(self._conn, self._dialect, {object_key(uri)}):
            for name, value in element.attributes:
                found.setdefault(name, set()).add(value)
        if len(self._told) == MAX_REMEMBERED:
            self._told.clear()
        self._told[uri] = {name: frozenset(values) for name, values in found.items()}
        return self._told[uri]
