"""Statements on webhooks and their deliveries, pullers, receipts and comparisons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, delete, func, insert, or_, select, update

from trace_server.catalog.model import Licence, LicenceState
from trace_server.catalog.tables import licence, subject
from trace_server.credit.model import Filter
from trace_server.db import Connection, Dialect
from trace_server.exchange.model import (
    Check,
    CheckState,
    Delivery,
    DeliveryState,
    Hook,
    HookState,
    Puller,
    Receipt,
    Suite,
)
from trace_server.exchange.tables import (
    exchange_check,
    exchange_delivery,
    exchange_hook,
    exchange_licence,
    exchange_puller,
    exchange_receipt,
)

OPEN = (DeliveryState.WAITING.value, DeliveryState.HELD.value, DeliveryState.DEAD.value)
_HOOK = tuple(one.name for one in fields(Hook))


def add_hook(conn: Connection, new: Hook) -> None:
    """A new webhook."""
    conn.execute(insert(exchange_hook), [_hook_row(new)])


def save_hook(conn: Connection, hook: Hook) -> None:
    """A hook as it is now; `locked_hook` or `due_hook` has locked it."""
    conn.execute(update(exchange_hook).where(exchange_hook.c.hook_key == hook.hook_key).values(**_hook_row(hook)))


def locked_hook(conn: Connection, key: bytes) -> Hook | None:
    """One hook, which nobody else changes until this transaction ends."""
    row = conn.execute(select(exchange_hook).where(exchange_hook.c.hook_key == key).with_for_update()).first()
    return None if row is None else _hook(row)


def hooks(conn: Connection, owner: str, limit: int, *, ended: bool = False) -> list[Hook]:
    """Those of a client ("": of everybody), by key."""
    query = select(exchange_hook).order_by(exchange_hook.c.hook_key).limit(limit)
    if owner:
        query = query.where(exchange_hook.c.owner == owner)
    if not ended:
        query = query.where(exchange_hook.c.state == HookState.ACTIVE.value)
    return [_hook(row) for row in conn.execute(query)]


def due_hook(conn: Connection, now: datetime, head: int, *, is_locked: bool = True) -> Hook | None:
    """The hook that waited longest for something that is due."""
    hook, delivery = exchange_hook.c, exchange_delivery.c
    waiting = (
        select(delivery.seq)
        .where(
            delivery.hook_key == hook.hook_key,
            delivery.state == DeliveryState.WAITING.value,
            delivery.next_due <= now,
        )
        .exists()
    )
    query = (
        select(exchange_hook)
        .where(hook.state == HookState.ACTIVE.value, hook.next_due <= now)
        .where(or_(hook.lease_until.is_(None), hook.lease_until <= now))
        .where(or_(hook.place < head, waiting))
        .order_by(hook.next_due, hook.hook_key)
        .limit(1)
    )
    if is_locked:
        query = query.with_for_update(skip_locked=True, of=exchange_hook)
    row = conn.execute(query).first()
    return None if row is None else _hook(row)


def due_deliveries(conn: Connection, key: bytes, now: datetime, limit: int) -> list[Delivery]:
    """What was refused before and is to be tried now, in the order of the log."""
    table = exchange_delivery
    query = (
        select(table)
        .where(table.c.hook_key == key, table.c.state == DeliveryState.WAITING.value, table.c.next_due <= now)
        .order_by(table.c.seq)
        .limit(limit)
    )
    return [_delivery(row) for row in conn.execute(query)]


def open_records(conn: Connection, key: bytes) -> set[str]:
    """Records of which a change has not arrived: later changes of them have to wait."""
    table = exchange_delivery.c
    query = select(table.record_id).where(table.hook_key == key, table.state.in_(OPEN)).distinct()
    return {str(UUID(bytes=found)) for found in conn.execute(query).scalars()}


def next_held(conn: Connection, key: bytes, record_id: str) -> Delivery | None:
    """The first change of a record that waits for the one before it."""
    table = exchange_delivery
    query = (
        select(table)
        .where(table.c.hook_key == key, table.c.record_id == UUID(record_id).bytes)
        .where(table.c.state == DeliveryState.HELD.value)
        .order_by(table.c.seq)
        .limit(1)
    )
    row = conn.execute(query).first()
    return None if row is None else _delivery(row)


def save_deliveries(conn: Connection, dialect: Dialect, made: Sequence[Delivery]) -> None:
    """New ones, and those that have moved."""
    if not made:
        return
    rows = [{**asdict(one), "record_id": UUID(one.record_id).bytes, "state": one.state.value} for one in made]
    key = ["hook_key", "seq"]
    dialect.upsert(conn, exchange_delivery, rows, key=key, update=[name for name in rows[0] if name not in key])


def delivery(conn: Connection, key: bytes, seq: int) -> Delivery | None:
    """One delivery, locked."""
    table = exchange_delivery
    query = select(table).where(table.c.hook_key == key, table.c.seq == seq).with_for_update()
    row = conn.execute(query).first()
    return None if row is None else _delivery(row)


def deliveries(conn: Connection, key: bytes, state: DeliveryState | None, after: int, limit: int) -> list[Delivery]:
    """Those of a hook behind `after`, in the order of the log."""
    table = exchange_delivery
    query = select(table).where(table.c.hook_key == key, table.c.seq > after).order_by(table.c.seq).limit(limit)
    if state is not None:
        query = query.where(table.c.state == state.value)
    return [_delivery(row) for row in conn.execute(query)]


def counts(conn: Connection) -> dict[tuple[bytes, str], int]:
    """How many deliveries of each hook are in each state."""
    table = exchange_delivery.c
    query = select(table.hook_key, table.state, func.count()).group_by(table.hook_key, table.state)
    return {(key, state): int(count) for key, state, count in conn.execute(query)}


def oldest_open(conn: Connection) -> dict[bytes, int]:
    """The first change that has not arrived, by hook."""
    table = exchange_delivery.c
    query = select(table.hook_key, func.min(table.seq)).where(table.state.in_(OPEN)).group_by(table.hook_key)
    return {key: int(seq) for key, seq in conn.execute(query)}


def deliveries_of(conn: Connection, seq: int) -> list[Delivery]:
    """How one change arrived everywhere."""
    query = select(exchange_delivery).where(exchange_delivery.c.seq == seq)
    return [_delivery(row) for row in conn.execute(query)]


def forget_open(conn: Connection, key: bytes) -> None:
    """An ended hook is owed nothing; what it received stays as proof."""
    table = exchange_delivery.c
    conn.execute(delete(exchange_delivery).where(table.hook_key == key, table.state.in_(OPEN)))


def pulled(conn: Connection, dialect: Dialect, seen: Puller) -> None:
    """Note a pull. Numbers only grow: who reads again from the start has not forgotten."""
    table = exchange_puller
    mine = and_(table.c.client_id == seen.client_id, table.c.filter_id == seen.filter_id)
    row = conn.execute(select(table.c.given, table.c.confirmed).where(mine).with_for_update()).first()
    if row is not None:
        given, confirmed = max(seen.given, row.given), max(seen.confirmed, row.confirmed)
        seen = replace(seen, given=given, confirmed=confirmed)
    values = asdict(seen)
    wanted = values.pop("wanted")
    values |= {**wanted, "kinds": list(wanted["kinds"])}
    dialect.upsert(conn, table, [values], key=["client_id", "filter_id"], update=["given", "confirmed", "pulled_at"])


def pullers(conn: Connection, client_id: str = "") -> list[Puller]:
    """Everybody who ever pulled, or one client under each filter."""
    query = select(exchange_puller).order_by(exchange_puller.c.client_id, exchange_puller.c.filter_id)
    if client_id:
        query = query.where(exchange_puller.c.client_id == client_id)
    return [_puller(row) for row in conn.execute(query)]


def add_receipts(conn: Connection, dialect: Dialect, made: Sequence[Receipt]) -> int:
    """The first receipt for a change counts; how many were new."""
    rows = [{**asdict(one), "record_id": UUID(one.record_id).bytes} for one in made]
    return dialect.insert_ignore(conn, exchange_receipt, rows) if rows else 0


def receipts_of(conn: Connection, seq: int) -> dict[str, Receipt]:
    """Receipts for one change, by client."""
    found = conn.execute(select(exchange_receipt).where(exchange_receipt.c.seq == seq))
    return {row.client_id: _receipt(row) for row in found}


def save_check(conn: Connection, dialect: Dialect, check: Check) -> None:
    """A comparison; a later one of the same day takes its place."""
    row = {**asdict(check), "state": check.state.value}
    key = ["client_id", "day"]
    dialect.upsert(conn, exchange_check, [row], key=key, update=[name for name in row if name not in key])


def check(conn: Connection, client_id: str, day: date) -> Check | None:
    """One comparison, locked."""
    table = exchange_check
    query = select(table).where(table.c.client_id == client_id, table.c.day == day).with_for_update()
    row = conn.execute(query).first()
    return None if row is None else _check(row)


def checks(conn: Connection, state: CheckState | None, limit: int) -> list[Check]:
    """Comparisons, the newest day first."""
    table = exchange_check
    query = select(table).order_by(table.c.day.desc(), table.c.client_id).limit(limit)
    if state is not None:
        query = query.where(table.c.state == state.value)
    return [_check(row) for row in conn.execute(query)]


def _hook_row(hook: Hook) -> dict[str, Any]:
    return {name: getattr(hook, name) for name in _HOOK} | {
        "suite": hook.suite.value,
        "state": hook.state.value,
        "ops": list(hook.ops),
        "kinds": list(hook.kinds),
    }


def _hook(row: Row[Any]) -> Hook:
    values = {name: getattr(row, name) for name in _HOOK}
    values |= {"suite": Suite(row.suite), "state": HookState(row.state)}
    return Hook(**{**values, "ops": tuple(row.ops), "kinds": tuple(row.kinds)})


def _delivery(row: Row[Any]) -> Delivery:
    values = {**row._mapping, "record_id": str(UUID(bytes=row.record_id)), "state": DeliveryState(row.state)}
    return Delivery(**values)


def _puller(row: Row[Any]) -> Puller:
    wanted = Filter(row.region, row.category, row.department, tuple(row.kinds))
    return Puller(row.client_id, row.filter_id, wanted, row.given, row.confirmed, row.pulled_at)


def _receipt(row: Row[Any]) -> Receipt:
    return Receipt(**{**row._mapping, "record_id": str(UUID(bytes=row.record_id))})


def _check(row: Row[Any]) -> Check:
    return Check(**{**row._mapping, "state": CheckState(row.state)})


def changed_subjects(conn: Connection, limit: int) -> list[tuple[str, int]]:
    """(code, revision) of registered subjects whose licences were not told at this revision."""
    told = exchange_licence.c
    query = (
        select(subject.c.uscc, subject.c.revision)
        .outerjoin(exchange_licence, told.uscc == subject.c.uscc)
        .where(or_(told.revision.is_(None), told.revision != subject.c.revision))
        .order_by(subject.c.uscc)
        .limit(limit)
    )
    return [(row.uscc, int(row.revision)) for row in conn.execute(query)]


def licences_of(conn: Connection, usccs: Sequence[str]) -> list[tuple[str, Licence]]:
    """Licences of these subjects, with their holder."""
    query = select(licence).where(licence.c.uscc.in_(usccs)).order_by(licence.c.uscc, licence.c.number)
    return [_licence(row) for row in conn.execute(query)]


def noted_subjects(conn: Connection, dialect: Dialect, told: Sequence[tuple[str, int]]) -> None:
    """The licences of these subjects were told at these revisions."""
    rows = [{"uscc": uscc, "revision": revision} for uscc, revision in told]
    dialect.upsert(conn, exchange_licence, rows, key=["uscc"], update=["revision"])


def _licence(row: Row[Any]) -> tuple[str, Licence]:
    return row.uscc, Licence(**{**row._mapping, "state": LicenceState(row.state)})
