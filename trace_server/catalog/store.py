"""Every SQL statement of the master data. Functions take a connection and give values of `model.py`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, Table, select, tuple_, update

from trace_server.catalog import tables
from trace_server.catalog.model import (
    Batch,
    Certificate,
    Inspection,
    IssuedCode,
    Licence,
    LicenceState,
    Origin,
    Place,
    Product,
    Recall,
    Subject,
    SubjectKind,
    SubjectStatus,
)
from trace_server.db import Connection, Dialect

CHUNK = 500
"""Keys in one look-up: two parameters each, far below either engine's limit."""


def save_subjects(conn: Connection, dialect: Dialect, rows: Sequence[Subject]) -> int:
    """Insert or overwrite; returns how many rows now say something else."""
    return _save(conn, dialect, tables.subject, [_subject_row(row) for row in rows])


def save_licences(conn: Connection, dialect: Dialect, rows: Sequence[Licence]) -> int:
    """Insert or overwrite; a change raises the revision of the subject."""
    table = tables.licence
    records = [_licence_row(row) for row in rows]
    old = _existing(conn, table, records)
    changed = [record for record in records if old.get(_key(table, record)) != record]
    _write(conn, dialect, table, changed)
    for uscc in sorted({record["uscc"] for record in changed}):
        subject = tables.subject
        conn.execute(update(subject).where(subject.c.uscc == uscc).values(revision=subject.c.revision + 1))
    return len(changed)


def save_products(conn: Connection, dialect: Dialect, rows: Sequence[Product]) -> int:
    """Insert or overwrite; returns how many rows now say something else."""
    return _save(conn, dialect, tables.product, [_product_row(row) for row in rows])


def save_batches(conn: Connection, dialect: Dialect, rows: Sequence[Batch]) -> int:
    """Insert or overwrite; returns how many rows now say something else."""
    return _save(conn, dialect, tables.batch, [_batch_row(row) for row in rows])


def save_places(conn: Connection, dialect: Dialect, rows: Sequence[Place]) -> int:
    """Insert or overwrite; a change raises the shared revision of all places."""
    records = [_place_row(row) for row in rows]
    old = _existing(conn, tables.place, records)
    changed = [record for record in records if old.get((record["uri"],)) != record]
    _write(conn, dialect, tables.place, changed)
    if changed:
        table = tables.catalog_revision
        dialect.insert_ignore(conn, table, [{"name": "place", "revision": 0}])
        conn.execute(update(table).where(table.c.name == "place").values(revision=table.c.revision + 1))
    return len(changed)


def subject(conn: Connection, uscc: str) -> Subject | None:
    row = conn.execute(select(tables.subject).where(tables.subject.c.uscc == uscc)).first()
    return None if row is None else _subject(row)


def licences(conn: Connection, uscc: str) -> list[Licence]:
    """Newest first."""
    table = tables.licence
    stmt = select(table).where(table.c.uscc == uscc).order_by(table.c.valid_from.desc(), table.c.number)
    return [_licence(row) for row in conn.execute(stmt)]


def licences_of(conn: Connection, dialect: Dialect, usccs: Collection[str]) -> list[Licence]:
    """The licences of all these subjects, newest first."""
    table = tables.licence
    rows = dialect.select_any(
        conn, lambda part: select(table).where(dialect.in_values(table.c.uscc, part)), sorted(set(usccs))
    )
    found = [_licence(row) for row in rows]
    return sorted(found, key=lambda one: (-one.valid_from.toordinal(), one.number))


def product(conn: Connection, gtin: str) -> Product | None:
    row = conn.execute(select(tables.product).where(tables.product.c.gtin == gtin)).first()
    return None if row is None else _product(row)


def batch(conn: Connection, gtin: str, lot: str) -> Batch | None:
    table = tables.batch
    row = conn.execute(select(table).where(table.c.gtin == gtin, table.c.lot == lot)).first()
    return None if row is None else _batch(row)


def batches(conn: Connection, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Batch]:
    """(GTIN, lot) → batch, for those that are known."""
    wanted, table = sorted(set(keys)), tables.batch
    parts = [wanted[start : start + CHUNK] for start in range(0, len(wanted), CHUNK)]
    rows = [row for part in parts for row in conn.execute(select(table).where(tuple_(*table.primary_key).in_(part)))]
    return {(row.gtin, row.lot): _batch(row) for row in rows}


def recalled_by(conn: Connection, notice_no: str) -> list[Batch]:
    """Batches that carry this recall notice."""
    return [
        _batch(row) for row in conn.execute(select(tables.batch).where(tables.batch.c.recall_notice_no == notice_no))
    ]


def printed_lots(conn: Connection, dialect: Dialect, keys: Sequence[bytes]) -> dict[bytes, tuple[str, str]]:
    """Item, or EPC of its tag → (GTIN, lot), by the codes printed for them."""
    table = tables.issued_code
    found: dict[bytes, tuple[str, str]] = {}
    for column in (table.c.epc_key, table.c.object_key):
        for start in range(0, len(keys), CHUNK):
            some = dialect.in_values(column, keys[start : start + CHUNK])
            rows = conn.execute(select(column.label("item"), table.c.gtin, table.c.lot).where(some))
            found |= {row.item: (row.gtin, row.lot) for row in rows}
    return found


def places(conn: Connection, dialect: Dialect, uris: Iterable[str]) -> dict[str, Place]:
    """URI → place, for the URIs that are known."""
    table = tables.place
    rows = dialect.select_any(
        conn, lambda part: select(table).where(dialect.in_values(table.c.uri, part)), sorted(set(uris))
    )
    return {row.uri: Place(**row._mapping) for row in rows}


def subjects(conn: Connection, dialect: Dialect, usccs: Iterable[str]) -> dict[str, Subject]:
    """USCC → subject, for those that are known."""
    table = tables.subject
    rows = dialect.select_any(
        conn, lambda part: select(table).where(dialect.in_values(table.c.uscc, part)), sorted(set(usccs))
    )
    return {row.uscc: _subject(row) for row in rows}


def known_subjects(conn: Connection, dialect: Dialect, usccs: Iterable[str]) -> frozenset[str]:
    table = tables.subject
    rows = dialect.select_any(
        conn, lambda part: select(table.c.uscc).where(dialect.in_values(table.c.uscc, part)), sorted(set(usccs))
    )
    return frozenset(row.uscc for row in rows)


def product_owners(conn: Connection, dialect: Dialect, gtins: Iterable[str]) -> dict[str, str]:
    """GTIN → USCC of its producer, for the products that are known."""
    table = tables.product
    rows = dialect.select_any(
        conn,
        lambda part: select(table.c.gtin, table.c.producer_uscc).where(dialect.in_values(table.c.gtin, part)),
        sorted(set(gtins)),
    )
    return {row.gtin: row.producer_uscc for row in rows}


def chilled(conn: Connection, dialect: Dialect, gtins: Iterable[str]) -> dict[str, Product]:
    """GTIN → product, for those of which it is known at what temperatures they are kept."""
    table = tables.product
    has_range = table.c.storage_min_c.isnot(None) | table.c.storage_max_c.isnot(None)
    rows = dialect.select_any(
        conn,
        lambda part: select(table).where(dialect.in_values(table.c.gtin, part), has_range),
        sorted(set(gtins)),
    )
    return {row.gtin: _product(row) for row in rows}


def issue(conn: Connection, dialect: Dialect, rows: Sequence[tuple[bytes, bytes | None, IssuedCode]]) -> int:
    """Register issued codes as (object key, key of the EPC, code); returns how many are new."""
    return dialect.insert_ignore(
        conn,
        tables.issued_code,
        [
            {
                "object_key": key,
                "gtin": code.gtin,
                "lot": code.lot,
                "serial": code.serial,
                "epc": code.epc,
                "epc_key": epc_key,
                "key_id": code.key_id,
                "issued_at": code.issued_at,
            }
            for key, epc_key, code in rows
        ],
    )


def issued(conn: Connection, object_key: bytes) -> IssuedCode | None:
    """The code printed for an item, by the key of the item or of its tag's EPC."""
    table = tables.issued_code
    stmt = select(table).where((table.c.object_key == object_key) | (table.c.epc_key == object_key))
    row = conn.execute(stmt).first()
    if row is None:
        return None
    return IssuedCode(row.gtin, row.lot, row.serial, row.epc, row.key_id, row.issued_at)


def issued_keys(conn: Connection, dialect: Dialect, keys: Iterable[bytes]) -> frozenset[bytes]:
    """Those of these items that a code was printed for."""
    column = tables.issued_code.c.object_key
    rows = dialect.select_any(conn, lambda part: select(column).where(dialect.in_values(column, part)), sorted(keys))
    return frozenset(row.object_key for row in rows)


def _save(conn: Connection, dialect: Dialect, table: Table, records: list[dict[str, Any]]) -> int:
    old = _existing(conn, table, records)
    changed = []
    for record in records:
        before = old.get(_key(table, record))
        revision = before.pop("revision") if before else 0
        if before != record:
            changed.append(record | {"revision": revision + 1})
    _write(conn, dialect, table, changed)
    return len(changed)


def _write(conn: Connection, dialect: Dialect, table: Table, records: list[dict[str, Any]]) -> None:
    key = [column.name for column in table.primary_key.columns]
    rest = [column.name for column in table.columns if column.name not in key]
    # Sorted by key: two imports at once take their row locks in one order.
    ordered = sorted(records, key=lambda record: _key(table, record))
    if ordered:
        dialect.upsert(conn, table, ordered, key=key, update=rest)


def _key(table: Table, record: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(record[column.name] for column in table.primary_key.columns)


def _existing(
    conn: Connection, table: Table, records: Sequence[Mapping[str, Any]]
) -> dict[tuple[Any, ...], dict[str, Any]]:
    keys = [_key(table, record) for record in records]
    columns = tuple_(*table.primary_key.columns)
    found = {}
    for start in range(0, len(keys), CHUNK):
        for row in conn.execute(select(table).where(columns.in_(keys[start : start + CHUNK]))):
            record = dict(row._mapping)
            found[_key(table, record)] = record
    return found


def _subject_row(row: Subject) -> dict[str, Any]:
    return {
        "uscc": row.uscc,
        "name": row.name,
        "name_en": row.name_en,
        "kind": row.kind.value,
        "region": row.region,
        "status": row.status.value,
        "source": row.source,
        "as_of": row.as_of,
    }


def _licence_row(row: Licence) -> dict[str, Any]:
    return {
        "uscc": row.uscc,
        "number": row.number,
        "title": row.title,
        "title_en": row.title_en,
        "authority": row.authority,
        "valid_from": row.valid_from,
        "valid_to": row.valid_to,
        "state": row.state.value,
        "source": row.source,
        "as_of": row.as_of,
    }


PRODUCT_COLUMNS = tuple(column.name for column in tables.product.columns if column.name != "revision")


def _product_row(row: Product) -> dict[str, Any]:
    return {name: getattr(row, name) for name in PRODUCT_COLUMNS}


def _place_row(row: Place) -> dict[str, Any]:
    return {column.name: getattr(row, column.name) for column in tables.place.columns}


RECALL_COLUMNS = (
    "level",
    "notice_no",
    "authority",
    "on",
    "reason",
    "reason_en",
    "action",
    "action_en",
    "return_to",
    "return_to_en",
    "phone",
)


def _batch_row(row: Batch) -> dict[str, Any]:
    inspection, recall = row.inspection, row.recall
    record = {
        "gtin": row.gtin,
        "lot": row.lot,
        "producer_uscc": row.producer_uscc,
        "production_date": row.production_date,
        "expiry_date": row.expiry_date,
        "quantity": row.quantity,
        "uom": row.uom,
        "certificates": [
            {"kind": c.kind, "number": c.number, "issuer": c.issuer, "issued_on": c.issued_on.isoformat()}
            for c in row.certificates
        ],
        "inspection_passed": None if inspection is None else inspection.passed,
        "inspection_report_no": None if inspection is None else inspection.report_no,
        "inspection_body": None if inspection is None else inspection.body,
        "inspection_on": None if inspection is None else inspection.inspected_on,
        "inspection_origin": None if inspection is None else inspection.origin.value,
        "source": row.source,
        "as_of": row.as_of,
    }
    for name in RECALL_COLUMNS:
        field = "announced_on" if name == "on" else name
        record[f"recall_{name}"] = None if recall is None else getattr(recall, field)
    return record


def _subject(row: Row[Any]) -> Subject:
    values = {name: value for name, value in row._mapping.items() if name != "revision"}
    return Subject(**{**values, "kind": SubjectKind(row.kind), "status": SubjectStatus(row.status)})


def _licence(row: Row[Any]) -> Licence:
    return Licence(**{**row._mapping, "state": LicenceState(row.state)})


def _product(row: Row[Any]) -> Product:
    return Product(**{name: getattr(row, name) for name in PRODUCT_COLUMNS})


def _batch(row: Row[Any]) -> Batch:
    return Batch(
        gtin=row.gtin,
        lot=row.lot,
        producer_uscc=row.producer_uscc,
        production_date=row.production_date,
        expiry_date=row.expiry_date,
        quantity=row.quantity,
        uom=row.uom,
        certificates=tuple(
            Certificate(c["kind"], c["number"], c["issuer"], date.fromisoformat(c["issued_on"]))
            for c in row.certificates
        ),
        inspection=None
        if row.inspection_report_no is None
        else Inspection(
            passed=row.inspection_passed,
            report_no=row.inspection_report_no,
            body=row.inspection_body,
            inspected_on=row.inspection_on,
            origin=Origin(row.inspection_origin),
        ),
        recall=_recall(row),
        source=row.source,
        as_of=row.as_of,
    )


def _recall(row: Row[Any]) -> Recall | None:
    if row.recall_level is None:
        return None
    return Recall(
        level=row.recall_level,
        notice_no=row.recall_notice_no,
        authority=row.recall_authority,
        announced_on=row.recall_on,
        reason=row.recall_reason,
        reason_en=row.recall_reason_en,
        action=row.recall_action,
        action_en=row.recall_action_en,
        return_to=row.recall_return_to,
        return_to_en=row.recall_return_to_en,
        phone=row.recall_phone,
    )
