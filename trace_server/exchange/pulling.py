"""Use cases on those who pull: what each was given, what it says it has applied, and whether both sides are equal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from trace_core.errors import Conflict, InputError, NotFound
from trace_server.accounts import store as accounts
from trace_server.audit.operations import record as audit
from trace_server.credit import store as credit
from trace_server.credit.model import Change, Filter, SharedChange
from trace_server.credit.store import head_seq, log
from trace_server.db import Database
from trace_server.exchange import reconciling, rules, store
from trace_server.exchange.model import Check, CheckState, Delivery, DeliveryState, Hook, Proof, Puller, Receipt

MAX_CHECKS = 400


@dataclass(frozen=True, slots=True)
class Line:
    """One receiver on the monitor."""

    name: str
    """Of the client."""
    client_id: str
    way: str
    """"pull" or "webhook"."""
    reached: int
    """Change up to which it was given everything."""
    lag: int
    oldest_open: int | None
    """First change that it has not confirmed; None when there is none."""
    since: datetime | None
    """Last contact."""
    trouble: str
    hook: Hook | None
    dead: int


@dataclass(frozen=True, slots=True)
class Monitor:
    """The feed at a glance."""

    head: int
    gaps: int
    """Numbers missing in the log: 0, or the database was tampered with."""
    lines: tuple[Line, ...]
    open_checks: int


def note_pull(db: Database, now: datetime, client_id: str, wanted: Filter, *, after: int, upto: int) -> None:
    """A client was given everything up to `upto`; by asking behind `after` it confirms having that."""
    seen = Puller(client_id, rules.filter_id(wanted), wanted, upto, after, now)
    with db.begin() as conn:
        store.pulled(conn, db.dialect, seen)


def take_receipts(db: Database, now: datetime, client_id: str, seqs: Sequence[int], statement: str) -> tuple[int, int]:
    """A client says that it has applied these changes: (taken, of them new). Raises `InputError` for unknown ones."""
    with db.begin() as conn:
        made = []
        for seq in sorted(set(seqs)):
            found = log.changes(conn, seq - 1, seq, Filter(), 1)
            if not found:
                raise InputError(f"there is no change {seq}", where="seqs", remedy="use seq of the feed's items")
            record_id, version, op = rules.about(found[0])
            made.append(Receipt(client_id, seq, record_id, version, op.value, rules.words(statement), now))
        new = store.add_receipts(conn, db.dialect, made)
        audit(conn, now, f"client:{client_id}", "exchange.receipts", client_id, {"changes": len(made), "new": new})
    return len(made), new


def places(db: Database, client_id: str) -> tuple[int, list[Puller]]:
    """Highest number of the log, and how far a client has pulled under each filter."""
    with db.read() as conn:
        return head_seq(conn), store.pullers(conn, client_id)


def proofs(db: Database, seq: int) -> tuple[Change | SharedChange, list[Proof]]:
    """Who had a record, and who has stopped sharing it since change `seq`. Raises `NotFound`."""
    with db.read() as conn:
        found = log.changes(conn, seq - 1, seq, Filter(), 1)
        if not found:
            raise NotFound("there is no such change", where="seq")
        change = found[0]
        record_id, _, _ = rules.about(change)
        first = credit.first_seq(conn, record_id) or seq
        names = {client.client_id: client.name for client in accounts.all_clients(conn)}
        receipts = store.receipts_of(conn, seq)
        made = []
        for puller in store.pullers(conn):
            if puller.given < first or not _covers(puller.wanted, change):
                continue
            receipt = receipts.pop(puller.client_id, None)
            told = puller.pulled_at if puller.given >= seq else None
            name = names.get(puller.client_id, puller.client_id)
            made.append(_proof(name, "pull", told, receipt))
        arrived = {one.hook_key: one for one in store.deliveries_of(conn, seq)}
        for hook in store.hooks(conn, "", 1000):
            delivery = arrived.get(hook.hook_key)
            if delivery is None and not (hook.place < seq and _covers(hook.wanted, change)):
                continue
            client_id = hook.owner.removeprefix("client:")
            made.append(_hook_proof(names.get(client_id, client_id), delivery))
        made += [_proof(names.get(who, who), "pull", one.received_at, one) for who, one in receipts.items()]
    return change, made


def monitor(db: Database) -> Monitor:
    """Who has what: the credit office's first look in the morning."""
    with db.read() as conn:
        head = head_seq(conn)
        gaps = head - credit.count_changes(conn)
        names = {client.client_id: client.name for client in accounts.all_clients(conn)}
        oldest, counted = store.oldest_open(conn), store.counts(conn)
        lines = [_pull_line(names, puller, head) for puller in store.pullers(conn)]
        for hook in store.hooks(conn, "", 1000):
            client_id = hook.owner.removeprefix("client:")
            waiting = oldest.get(hook.hook_key)
            first = waiting if waiting is not None else hook.place + 1 if hook.place < head else None
            dead = counted.get((hook.hook_key, DeliveryState.DEAD.value), 0)
            lines.append(
                Line(
                    names.get(client_id, client_id),
                    client_id,
                    "webhook",
                    hook.place,
                    head - hook.place,
                    first,
                    hook.last_delivered_at,
                    hook.last_failure,
                    hook,
                    dead,
                )
            )
        open_checks = len(store.checks(conn, CheckState.OPEN, MAX_CHECKS))
    return Monitor(head, gaps, tuple(lines), open_checks)


def compare(db: Database, now: datetime, client_id: str, day: date, count: int, sha256: str) -> Check:
    """Take the other side's count and digest of a day; a difference is a task until a person has settled it.

    A later equal comparison settles it too. Raises `InputError` for a day that is not over.
    """
    ours = reconciling.digest(db, day, now)
    total = sum(ours.states.values())
    is_equal = (total, ours.sha256) == (count, sha256)
    with db.begin() as conn:
        check = Check(
            client_id=client_id,
            day=day,
            ours_count=total,
            ours_sha256=ours.sha256,
            theirs_count=count,
            theirs_sha256=sha256,
            state=CheckState.EQUAL if is_equal else CheckState.OPEN,
            reported_at=now,
            settled_by="",
            settled_note="",
        )
        store.save_check(conn, db.dialect, check)
        facts = {"day": day.isoformat(), "ours": total, "theirs": count, "equal": is_equal}
        audit(conn, now, f"client:{client_id}", "exchange.compare", client_id, facts)
    return check


def settle_check(db: Database, now: datetime, actor: str, client_id: str, day: date, note: str) -> Check:
    """A person says why both sides differed and what was done. Raises `NotFound`, `Conflict`, `InputError`."""
    if not 1 <= len(note.strip()) <= rules.MAX_TEXT:
        raise InputError("say what was found and done", where="note")
    with db.begin() as conn:
        check = store.check(conn, client_id, day)
        if check is None:
            raise NotFound("there is no such comparison", where="day")
        if check.state is not CheckState.OPEN:
            raise Conflict("this comparison is settled", where="note")
        check = replace(check, state=CheckState.SETTLED, settled_by=actor, settled_note=note.strip())
        store.save_check(conn, db.dialect, check)
        audit(conn, now, actor, "exchange.settle", client_id, {"day": day.isoformat(), "note": check.settled_note})
    return check


def checks(db: Database, state: CheckState | None = None) -> tuple[list[Check], dict[str, str]]:
    """Comparisons, the newest day first, and the names of clients."""
    with db.read() as conn:
        names = {client.client_id: client.name for client in accounts.all_clients(conn)}
        return store.checks(conn, state, MAX_CHECKS), names


def stops(db: Database, limit: int) -> list[Change]:
    """The newest changes that ended the sharing of a penalty."""
    with db.read() as conn:
        return credit.newest_stops(conn, limit)


def _pull_line(names: dict[str, str], puller: Puller, head: int) -> Line:
    first = puller.confirmed + 1 if puller.confirmed < head else None
    name = names.get(puller.client_id, puller.client_id)
    lag = head - puller.given
    return Line(name, puller.client_id, "pull", puller.given, lag, first, puller.pulled_at, "", None, 0)


def _proof(name: str, way: str, told: datetime | None, receipt: Receipt | None) -> Proof:
    if receipt is None:
        return Proof(name, way, told, "", None)
    return Proof(name, way, told or receipt.received_at, receipt.statement, receipt.received_at)


def _hook_proof(name: str, delivery: Delivery | None) -> Proof:
    if delivery is None or delivery.delivered_at is None:
        return Proof(name, "webhook", None, "", None)
    return Proof(name, "webhook", delivery.delivered_at, delivery.receipt, delivery.delivered_at)


def _covers(wanted: Filter, change: Change | SharedChange) -> bool:
    if isinstance(change, SharedChange):
        item = change.item
        kind, region, category, department = item.kind, item.region, item.category, item.department
    else:
        record = change.record
        kind, region, category = credit.KIND_PENALTY, record.region(), record.category
        department = record.decision.authority_code
    return (
        region.startswith(wanted.region)
        and wanted.category in ("", category)
        and wanted.department in ("", department)
        and (not wanted.kinds or kind in wanted.kinds)
    )
