"""Use cases of the master data: import a document, post a batch, issue a code, find what a code belongs to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from urllib.parse import quote
from zoneinfo import ZoneInfo

from trace_core.errors import InputError, NotAllowed
from trace_core.ids import canonical, gs1
from trace_server import audit
from trace_server.catalog import rules, store
from trace_server.catalog.model import (
    Batch,
    CatalogDocument,
    ImportResult,
    IssuedCode,
    Licence,
    Place,
    Product,
    RowError,
    Subject,
)
from trace_server.catalog.profiles import load_profiles
from trace_server.db import Connection, Database, Dialect

_Row = TypeVar("_Row")
SHANGHAI = ZoneInfo("Asia/Shanghai")
"""Time of law and of all dates that people read."""
MAX_CODES = 10_000
"""Codes issued in one call; a label run of a small line, one transaction under a second."""


@dataclass(frozen=True, slots=True)
class Goods:
    """All that the master data says of one batch. `licences` are the producer's, newest first."""

    product: Product
    batch: Batch | None
    producer: Subject | None
    licences: tuple[Licence, ...]


def import_document(db: Database, value: object, *, actor: str, now: datetime) -> ImportResult:
    """Take the good rows of one document in one transaction; the others come back with pointer and reason.

    Importing the same document again changes nothing. Raises `InputError` when it is no such document at all.
    """
    with db.begin() as conn:
        return import_within(conn, db, value, actor=actor, now=now)


def import_within(conn: Connection, db: Database, value: object, *, actor: str, now: datetime) -> ImportResult:
    """As `import_document`, in the caller's transaction."""
    result = _save(conn, db, rules.document(value, frozenset(load_profiles())))
    if result.changed:
        detail = {"changed": result.changed, "unchanged": result.unchanged, "refused": len(result.errors)}
        audit.record(conn, now, actor, "catalog.import", "catalog", detail)
    return result


@dataclass(frozen=True, slots=True)
class PostedBatch:
    """A batch as a client sent it. `owner`: USCC that the client acts for, None when it may act for anybody."""

    document: Mapping[str, object]
    owner: str | None
    actor: str


def post_batch(db: Database, posted: PostedBatch, now: datetime) -> tuple[Batch, bool]:
    """Register or update one batch; returns it and whether anything changed.

    What the producer sends is its own statement: an inspection by it is `declared`, and a recall or an official
    inspection that is stored stays as it is. Raises `InputError` with a JSON pointer, `NotAllowed` for another
    producer's batch.
    """
    row = rules.declared_batch(posted.document, now.astimezone(SHANGHAI).date())
    if posted.owner is not None and row.producer_uscc != posted.owner:
        raise NotAllowed("the batch names another producer", where="/producer_uscc", remedy=f"write {posted.owner}")
    with db.begin() as conn:
        errors = _batch_errors(conn, db, [("", row)])
        if errors:
            raise InputError(errors[0].message, where=errors[0].pointer)
        before = store.batch(conn, row.gtin, row.lot)
        if before is not None and before.producer_uscc != row.producer_uscc:
            raise NotAllowed("another producer registered this batch", where="/lot", remedy="use a lot of your own")
        row = rules.merged(before, row)
        changed = store.save_batches(conn, db.dialect, [row]) > 0
        if changed:
            about = f"{row.gtin}/{row.lot}"
            audit.record(conn, now, posted.actor, "catalog.batch", about, {"producer": row.producer_uscc})
    return row, changed


def issue_within(conn: Connection, dialect: Dialect, codes: Sequence[IssuedCode], *, actor: str, now: datetime) -> int:
    """Register printed codes within the caller's transaction; returns how many are new. Whether they may be issued
    is the ranges' business (`registers.operations.issue_codes`). Raises `InputError` for an unknown batch.
    """
    rows = [(item_key(code.gtin, code.serial), _epc_key(code.epc), code) for code in codes]
    for gtin, lot in sorted({(code.gtin, code.lot) for code in codes}):
        if store.batch(conn, gtin, lot) is None:
            raise InputError(f"batch {lot} of {gtin} is not registered", remedy="import the batch first")
    new = store.issue(conn, dialect, rows)
    if new:
        audit.record(conn, now, actor, "catalog.issue", codes[0].gtin, {"codes": new, "lot": codes[0].lot})
    return new


def item_uri(gtin: str, serial: str) -> str:
    """Canonical Digital Link of one item: what its tag's EPC says too, so it names no lot."""
    return canonical.canonical_uri(f"https://id.gs1.org/01/{gtin}/21/{quote(serial, safe='')}")


def item_key(gtin: str, serial: str) -> bytes:
    """Object key of one item; the same for the printed code and for the SGTIN in its tag."""
    return canonical.object_key(item_uri(gtin, serial))


def lot_uri(gtin: str, lot: str) -> str:
    """Canonical Digital Link of a lot; `lot` as it is written on the pack, e.g. `A/1%2`."""
    return canonical.canonical_uri(f"https://id.gs1.org/01/{gtin}/10/{quote(lot, safe='')}")


def lot_key(gtin: str, lot: str) -> bytes:
    """Object key of a whole lot (class-level identifier)."""
    return canonical.object_key(lot_uri(gtin, lot))


def goods(conn: Connection, gtin: str, lot: str) -> Goods | None:
    """Product, batch, producer and licences; None when the product is not known."""
    product = store.product(conn, gs1.gtin(gtin))
    if product is None:
        return None
    batch = store.batch(conn, product.gtin, lot)
    uscc = batch.producer_uscc if batch else product.producer_uscc
    return Goods(product, batch, store.subject(conn, uscc), tuple(store.licences(conn, uscc)))


def places_of(conn: Connection, dialect: Dialect, uris: Collection[str]) -> dict[str, Place]:
    """URI as given (any spelling) → place, for those that are registered."""
    spelled = {uri: canonical.canonical_uri(uri) for uri in uris}
    known = store.places(conn, dialect, spelled.values())
    return {uri: known[name] for uri, name in spelled.items() if name in known}


def subjects_of(conn: Connection, dialect: Dialect, usccs: Collection[str]) -> dict[str, Subject]:
    """USCC → subject, for those that are registered."""
    return store.subjects(conn, dialect, usccs)


def licences_of(conn: Connection, dialect: Dialect, usccs: Collection[str]) -> dict[str, tuple[Licence, ...]]:
    """USCC → its licences, newest first, for those that have any."""
    found: dict[str, tuple[Licence, ...]] = {}
    for licence in store.licences_of(conn, dialect, usccs):
        found[licence.uscc] = (*found.get(licence.uscc, ()), licence)
    return found


def _epc_key(epc: str) -> bytes | None:
    return canonical.object_key(epc) if epc else None


def _save(conn: Connection, db: Database, parsed: CatalogDocument) -> ImportResult:
    errors = list(parsed.errors)
    dialect = db.dialect
    subjects = _unique(parsed.subjects, lambda row: row.uscc, errors)
    changed = store.save_subjects(conn, dialect, subjects)
    known = store.known_subjects(conn, dialect, _subjects_named(parsed))
    licences = _unique(_referring(parsed.licences, "uscc", known, errors), lambda row: (row.uscc, row.number), errors)
    changed += store.save_licences(conn, dialect, licences)
    products = _unique(_referring(parsed.products, "producer_uscc", known, errors), lambda row: row.gtin, errors)
    changed += store.save_products(conn, dialect, products)
    refused = _batch_errors(conn, db, parsed.batches)
    errors.extend(refused)
    bad = {error.pointer.rsplit("/", 1)[0] for error in refused}
    good = [(pointer, row) for pointer, row in parsed.batches if pointer not in bad]
    batches = _unique(good, lambda row: (row.gtin, row.lot), errors)
    changed += store.save_batches(conn, dialect, batches)
    places = _unique(parsed.places, lambda row: row.uri, errors)
    changed += store.save_places(conn, dialect, places)
    taken = len(subjects) + len(licences) + len(products) + len(batches) + len(places)
    return ImportResult(changed, taken - changed, tuple(errors))


def _subjects_named(parsed: CatalogDocument) -> set[str]:
    named = {row.uscc for _, row in parsed.licences}
    return named | {row.producer_uscc for _, row in parsed.products}


def _batch_errors(conn: Connection, db: Database, rows: Sequence[tuple[str, Batch]]) -> list[RowError]:
    """Batches of products and producers that nobody registered."""
    owners = store.product_owners(conn, db.dialect, {row.gtin for _, row in rows})
    known = store.known_subjects(conn, db.dialect, {row.producer_uscc for _, row in rows})
    errors = []
    for pointer, row in rows:
        if row.gtin not in owners:
            errors.append(RowError(f"{pointer}/gtin", "unknown-product", f"the product {row.gtin} is not registered"))
        elif row.producer_uscc not in known:
            sentence = f"the subject {row.producer_uscc} is not registered"
            errors.append(RowError(f"{pointer}/producer_uscc", "unknown-subject", sentence))
    return errors


def _referring(
    rows: Sequence[tuple[str, _Row]], attribute: str, known: Collection[str], errors: list[RowError]
) -> list[tuple[str, _Row]]:
    good = []
    for pointer, row in rows:
        uscc = getattr(row, attribute)
        if uscc in known:
            good.append((pointer, row))
        else:
            errors.append(
                RowError(f"{pointer}/{attribute}", "unknown-subject", f"the subject {uscc} is not registered")
            )
    return good


def _unique(rows: Sequence[tuple[str, _Row]], key: Callable[[_Row], object], errors: list[RowError]) -> list[_Row]:
    """The rows whose key no earlier row has; a second one is refused, for nobody knows which was meant."""
    first: dict[object, str] = {}
    good = []
    for pointer, row in rows:
        other = first.setdefault(key(row), pointer)
        if other == pointer:
            good.append(row)
        else:
            errors.append(RowError(pointer, "duplicate", f"the same key as {other}"))
    return good


def problem_of(error: RowError) -> Mapping[str, str]:
    """A refused row as JSON members."""
    return {"pointer": error.pointer, "code": error.code, "message": error.message}
