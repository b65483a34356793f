"""Use cases of commitments: sign, take a step, mark and decide an objection. One transaction each, audited.

A breach is a fact that the grade reads, and news for every puller: both are written in the transaction that records it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from trace_core.errors import Conflict, InputError, NotAllowed, NotFound
from trace_server import audit
from trace_server.audit.lifecycle import advance
from trace_server.commitments import rules, store
from trace_server.commitments.model import (
    Commitment,
    CommitmentEvent,
    CommitmentState,
    Finding,
    Performance,
    Promise,
    Publicity,
)
from trace_server.commitments.states import BY_OBJECTION, DETERMINES, TRANSITIONS, UNTOLD
from trace_server.credit.fields import PERSON
from trace_server.credit.grade_facts import state_within
from trace_server.credit.grading.facts import FactKind, StatedFact
from trace_server.credit.model import Op
from trace_server.credit.shared import Told, share_within
from trace_server.credit.steps import law_day
from trace_server.db import Connection
from trace_server.repairs import store as repairs
from trace_server.services import Services

KIND = "commitment"
KEY_FIELDS = ("承诺编码",)
_OPS = {CommitmentEvent.ANNUL: Op.CORRECT, CommitmentEvent.WITHDRAW: Op.WITHDRAW}
_FACTS = {
    Performance.PARTLY: FactKind.COMMITMENT_PARTLY,
    Performance.UNFULFILLED: FactKind.COMMITMENT_UNFULFILLED,
}
_RECORDED = frozenset({CommitmentState.BREACH, CommitmentState.REMEDIED})
UNHEARD = frozenset({CommitmentState.SIGNED, CommitmentState.WITHDRAWN})
"""States of which nobody outside knows, or in which there is nothing left to object to."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step with its words and its paper; `finding` for those that determine how the commitment was kept."""

    event: CommitmentEvent
    version: int
    reason: str
    document_no: str = ""
    finding: Finding = field(default_factory=Finding)


def sign(services: Services, actor: str, promise: Promise, *, owner: str | None) -> Commitment:
    """Register a commitment; `owner`: USCC that the caller acts for, None for the authority that took the paper in.

    Raises `InputError` with the field, `NotAllowed` for somebody else's commitment.
    """
    now = services.clock()
    promise = rules.checked(promise, law_day(now))
    is_person = promise.subject_kind == PERSON
    acceptor = rules.code_of(promise.acceptor_code, "acceptor_code")
    code = "" if is_person else rules.code_of(promise.subject_code, "subject_code")
    if owner is not None and code != owner:
        raise NotAllowed("a commitment is signed for oneself", where="subject_code")
    identity = {"承诺人代码": promise.subject_code} if is_person else {}
    opened = replace(promise, subject_code=code, acceptor_code=acceptor)
    with services.db.begin() as conn:
        record_id = _repaired_record(conn, promise.repair_id, code)
        serial = store.next_serial(conn, services.db.dialect, acceptor[2:8], promise.made_on)
        row = Commitment(
            code=rules.made_code(acceptor[2:8], promise.made_on, serial),
            promise=opened,
            state=CommitmentState.SIGNED,
            finding=Finding(),
            record_id=record_id,
            remedied_on=None,
            signed_by=actor,
            signed_at=now,
            determined_by="",
            reason="",
            document_no="",
            objection="",
            version=1,
        )
        store.add(conn, row, identity)
        audit.record(conn, now, actor, "commitment.sign", row.code, {"uscc": code, "type": promise.type})
    return row


def register_within(
    services: Services, conn: Connection, now: datetime, actor: str, code: str, promise: Promise, finding: Finding
) -> tuple[Commitment, bool]:
    """Take over what the accepting unit's register says of a commitment; True when something is new.

    The unit has signed for it, `actor` publishes and brings it into force. A finding that it was not kept waits for a
    second person, as everybody's does. Raises `InputError`, `Conflict` for another commitment under this code. The
    last statements of a transaction.
    """
    promise = rules.checked(promise, law_day(now))
    is_person = promise.subject_kind == PERSON
    uscc = "" if is_person else rules.code_of(promise.subject_code, "subject_code")
    acceptor = rules.code_of(promise.acceptor_code, "acceptor_code")
    opened = replace(promise, subject_code=uscc, acceptor_code=acceptor)
    row = store.by_code(conn, code)
    is_new = row is None
    if row is None:
        row = Commitment(
            code=code, promise=opened, state=CommitmentState.SIGNED, finding=Finding(),
            record_id=_repaired_record(conn, promise.repair_id, uscc), remedied_on=None, signed_by=f"unit:{acceptor}",
            signed_at=now, determined_by="", reason="", document_no="", objection="", version=1,
        )  # fmt: skip
        store.add(conn, row, {"承诺人代码": promise.subject_code} if is_person else {})
        audit.record(conn, now, actor, "commitment.sign", code, {"uscc": uscc, "type": promise.type, "register": True})
        is_open = promise.publicity is Publicity.OPEN
        events = [CommitmentEvent.PUBLISH, CommitmentEvent.ENTER] if is_open else [CommitmentEvent.ENTER]
        for event in events:
            row = _advance(services, conn, now, actor, row, Step(event, row.version, "受理单位登记"))
    elif row.promise != opened:
        raise Conflict("this code is another commitment's, or its content differs", where="code")
    found = next((event for event, one in DETERMINES.items() if one is finding.performance), None)
    if found is None or row.state is not CommitmentState.IN_FORCE:
        return row, is_new
    step = Step(found, row.version, "受理单位认定", finding=finding)
    return _advance(services, conn, now, actor, row, step), True  # who entered it cannot record the breach too


def take_step(services: Services, actor: str, code: str, step: Step) -> Commitment:
    """One step of the authority. Raises `NotFound`, `Conflict`, `InputError`, `NotAllowed` for one person twice."""
    if step.event in BY_OBJECTION:
        raise InputError("only an objection that is upheld does this", where="event", remedy="raise an objection")
    now = services.clock()
    with services.db.begin() as conn:
        row = require(conn, code)
        if row.version != step.version:
            raise Conflict("somebody else changed it meanwhile", where="version", remedy="reload it")
        rules.require_step(row, step.event, actor)
        return _advance(services, conn, now, actor, row, step)


def require(conn: Connection, code: str) -> Commitment:
    """Raises `NotFound`."""
    row = store.by_code(conn, code)
    if row is None:
        raise NotFound("there is no such commitment", where="code")
    return row


def open_commitment(services: Services, code: str, *, owner: str) -> Commitment:
    """One commitment; `owner` "" is the authority. Somebody else's does not exist: raises `NotFound`."""
    with services.db.read() as conn:
        row = require(conn, code)
    if owner and row.uscc != owner:
        raise NotFound("there is no such commitment", where="code")
    return row


def list_commitments(
    services: Services,
    uscc: str,
    state: CommitmentState | None,
    *,
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[Commitment]:
    """In the order they were signed; `uscc` "": of everybody."""
    with services.db.read() as conn:
        return store.commitments(conn, uscc, state, after=after, limit=limit)


def count_commitments(services: Services, uscc: str = "") -> dict[str, int]:
    """How many stand in each state."""
    with services.db.read() as conn:
        return store.counts(conn, uscc)


def shown_of(conn: Connection, uscc: str) -> list[Commitment]:
    """What the public may see of a subject's commitments, newest first."""
    return [row for row in store.of_subject(conn, uscc) if row.is_shown]


def mark_within(services: Services, conn: Connection, now: datetime, actor: str, code: str, objection: str) -> None:
    """Say on every output that an objection is under way. Raises `Conflict` when one is, or nobody knows of it yet."""
    row = require(conn, code)
    if row.objection:
        raise Conflict("an objection about this commitment is under way", where="code")
    if row.state in UNHEARD:
        raise Conflict(f"there is nothing to object to in state {row.state}", where="code")
    _set_mark(services, conn, now, actor, row, objection)


def unmark_within(services: Services, conn: Connection, now: datetime, actor: str, code: str) -> None:
    """The objection was rejected."""
    row = require(conn, code)
    if row.state is not CommitmentState.WITHDRAWN:
        _set_mark(services, conn, now, actor, row, "")


def uphold_within(
    services: Services,
    conn: Connection,
    now: datetime,
    actor: str,
    code: str,
    event: CommitmentEvent,
    reason: str,
    document_no: str,
) -> None:
    """The objection was right: `event` withdraws the commitment or takes the finding back, and the mark ends."""
    row = require(conn, code)
    _advance(services, conn, now, actor, replace(row, objection=""), Step(event, row.version, reason, document_no))


def _advance(
    services: Services, conn: Connection, now: datetime, actor: str, row: Commitment, step: Step
) -> Commitment:
    event, reason = step.event, rules.require_text(step.reason, "reason")
    document = step.document_no.strip()[: rules.MAX_DOCUMENT]
    if event in (CommitmentEvent.RECORD_BREACH, CommitmentEvent.REMEDY):
        rules.require_text(document, "document_no", rules.MAX_DOCUMENT)
    detail: dict[str, object] = {"uscc": row.uscc, "document": document}
    if row.promise.repair_id:
        detail |= {"repair": row.promise.repair_id, "record": row.record_id}
    state = advance(
        conn, now, table=TRANSITIONS, state=row.state, event=event, actor=actor, object=row.code,
        action=f"commitment.{event}", detail=detail,
    )  # fmt: skip
    moved = replace(
        _found(row, step, actor, now), state=state, reason=reason, document_no=document, version=row.version + 1
    )
    if event is CommitmentEvent.REMEDY:
        moved = replace(moved, remedied_on=law_day(now))
    _save(conn, moved, was=row.version)
    _tell_credit(services, conn, now, actor, row, moved)
    if event not in UNTOLD and not (row.state is CommitmentState.SIGNED and state is CommitmentState.WITHDRAWN):
        _share(services, conn, now, moved, _OPS.get(event, Op.UPSERT))
    return moved


def _found(row: Commitment, step: Step, actor: str, now: datetime) -> Commitment:
    """The row with what this step determines, or without what it takes back."""
    if step.event in DETERMINES:
        performance = DETERMINES[step.event]
        given = rules.checked_finding(performance, step.finding)
        finding = replace(
            given,
            performance=performance,
            determined_on=law_day(now),
            authority_name=given.authority_name.strip() or row.promise.acceptor_name,
            authority_code=rules.code_of(given.authority_code or row.promise.acceptor_code, "authority_code"),
        )
        return replace(row, finding=finding, determined_by=actor)
    if step.event in (CommitmentEvent.RETURN, CommitmentEvent.ANNUL):
        return replace(row, finding=Finding(), determined_by="", remedied_on=None)
    return row


def _tell_credit(
    services: Services, conn: Connection, now: datetime, actor: str, before: Commitment, after: Commitment
) -> None:
    """State a breach as a fact that the grade reads, end it when it is made good, take it back when it never was."""
    is_void = before.state in _RECORDED and after.state not in _RECORDED
    source = before if is_void else after
    if not source.uscc or source.state not in _RECORDED or source.finding.determined_on is None:
        return
    kind, day = _FACTS[source.finding.performance], source.finding.determined_on
    fact = StatedFact(source.uscc, kind, source.code, day, after.remedied_on, None, source.finding.authority_name)
    state_within(conn, services.db.dialect, now, fact, actor=actor, is_void=is_void)


def _set_mark(services: Services, conn: Connection, now: datetime, actor: str, row: Commitment, objection: str) -> None:
    moved = replace(row, objection=objection, version=row.version + 1)
    word = "mark" if objection else "unmark"
    audit.record(conn, now, actor, f"commitment.{word}", row.code, {"objection": objection or row.objection})
    _save(conn, moved, was=row.version)
    _share(services, conn, now, moved, Op.UPSERT)


def _share(services: Services, conn: Connection, now: datetime, row: Commitment, op: Op) -> None:
    region = (row.uscc or row.promise.acceptor_code)[2:8]
    record: Mapping[str, str] = rules.shared_fields(row)
    told = Told(
        KIND, row.code, op, row.told_state.value, region, "", row.promise.acceptor_code, record, KEY_FIELDS,
        row.reason if row.told_state is row.state else "", row.document_no if row.told_state is row.state else "",
    )  # fmt: skip
    share_within(conn, services.db.dialect, now, [told])


def _save(conn: Connection, row: Commitment, *, was: int) -> None:
    if not store.save(conn, row, was=was):
        raise Conflict("somebody else changed it meanwhile", where="version", remedy="reload it")


def _repaired_record(conn: Connection, repair_id: str, uscc: str) -> str:
    if not repair_id:
        return ""
    found = repairs.by_id(conn, repair_id)
    if found is None or found.uscc != uscc:
        raise InputError("the subject has no such application for repair", where="repair_id")
    return found.record_id
