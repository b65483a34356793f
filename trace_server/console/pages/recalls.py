"""The recall desk: drafts, the affected set with its proof, holders and their answers, sums, steps, files."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from flask import Blueprint, Response, request

from trace_core.errors import IdentifierError, InputError, NotFound, TraceError
from trace_server.catalog import operations as catalog
from trace_server.catalog.model import Subject
from trace_server.console.pages._answers import go, place, words
from trace_server.console.recall_words import (
    MILESTONES,
    REASONS,
    RELATIONS,
    STATES,
    STATUSES,
    STEPS,
    sentence_of,
)
from trace_server.console.words import CATEGORIES
from trace_server.exports.registry import registry
from trace_server.faces.rendering import FieldError, translate
from trace_server.ingest import operations as ingest
from trace_server.recall import operations, rules
from trace_server.recall.model import (
    Affected,
    Answer,
    HolderNotice,
    Line,
    Notice,
    Recall,
    RecallEvent,
    RecallState,
    Scope,
)
from trace_server.recall.states import TELLING, TRANSITIONS
from trace_server.services import services
from trace_server.users import operations as users
from trace_server.users.access import chosen_language, console, current_person, finish, page
from trace_server.workdays.operations import calendar
from trace_server.workdays.rules import LEGAL_TIME

blueprint = Blueprint("recalls", __name__)

PATH = "/console/recalls"
PAGE = 50
MAX_LINES = 500
"""Lots, holders and spared things on the page of one recall; the files hold all."""
NOTICE_FIELDS = ("notice_no", "authority", "reason", "action", "return_to", "phone")
ENGLISH_FIELDS = ("reason_en", "action_en", "return_to_en")
FIELDS = frozenset({"category", "level", "batches", "items", "site", "since", "until", *NOTICE_FIELDS})
_SECOND_PERSON = frozenset({"announce", "order"})
PARTS = ("in_stock", "sold", "returned", "destroyed")
MAX_DIGITS = 9
SPOOL_BYTES = 8_000_000
PIECE_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has affected goods, or sold them: the register's entry, people of it with an account here, sums, notice."""

    line: Line
    subject: Subject | None
    accounts: int
    notice: HolderNotice | None


@blueprint.get("/console/recalls")
@console("recalls:read")
def list_recalls() -> Response:
    """Newest first; `batches`, `items` and `category` in the address fill the form."""
    return _list()


@blueprint.post("/console/recalls")
@console("recalls:manage")
def create() -> Response:
    """A draft with its first affected set; nobody outside sees it."""
    outside, form = services(), request.form
    try:
        if form.get("level", "") not in ("1", "2", "3"):
            raise InputError("choose a class", where="level")
        scope = Scope(
            _batches(form.get("batches", "")), tuple(form.get("items", "").split()), form.get("site", "").strip(),
            _moment("since"), _moment("until"),
        )  # fmt: skip
        notice = Notice(**{name: form.get(name, "").strip()[:2000] for name in (*NOTICE_FIELDS, *ENGLISH_FIELDS)})
        row = operations.create(
            outside.db, outside.clock(), current_person().user.actor, category=form.get("category", ""),
            level=int(form["level"]), scope=scope, notice=notice,
        )  # fmt: skip
    except TraceError as error:
        return _list(400, _mistakes(error, "batches"))
    return go(f"{PATH}/{row.recall_id}")


@blueprint.get("/console/recalls/<recall_id>")
@console("recalls:read")
def recall_page(recall_id: str) -> Response:
    """One recall: what it says, its clocks, its sums, who has the goods, what is and is not affected."""
    return _one(recall_id)


@blueprint.post("/console/recalls/<recall_id>/steps")
@console("recalls:manage")
def take_step(recall_id: str) -> Response:
    """The next step, with its reason. The form names the affected set that its reader saw."""
    outside, form, actor = services(), request.form, current_person().user.actor
    step, reason = form.get("step", ""), form.get("text", "")[:2000]
    try:
        if step not in STEPS:
            raise InputError("choose a step", where="step")
        if form.get("version", "") != str(operations.get(outside.db, recall_id).version):
            raise InputError("somebody else changed it meanwhile", where="step")
        now = outside.clock()
        if step in (RecallEvent.ANNOUNCE, RecallEvent.ORDER):
            operations.announce(outside.db, now, actor, recall_id, reason, order=step == RecallEvent.ORDER)
        elif step == RecallEvent.NOTIFY:
            operations.notify(outside.db, now, actor, recall_id)
        else:
            operations.finish_step(outside.db, now, actor, recall_id, RecallEvent(step), reason)
    except NotFound:
        raise
    except TraceError as error:
        where = "step" if error.where in ("step", "recall_id") else "text"
        return _one(recall_id, 400, _mistakes(error, where, only=where))
    return go(f"{PATH}/{recall_id}?done={step}")


@blueprint.post("/console/recalls/<recall_id>/answers")
@console("recalls:manage")
def answer(recall_id: str) -> Response:
    """What a holder without an account told by letter, phone or on the spot; the words say how it was told."""
    outside, form, note = services(), request.form, request.form.get("note", "").strip()[:500]
    try:
        given = Answer(**{part: _whole(part) for part in PARTS}, note=note)
        if not note:
            raise InputError("say how the holder told it", where="note")
        actor = current_person().user.actor
        operations.answer(outside.db, outside.clock(), actor, recall_id, form.get("holder", "")[:256], given)
    except TraceError as error:
        where = error.where if error.where in (*PARTS, "note") else "holder"
        return _one(recall_id, 400, _mistakes(error, where, only=where))
    return go(f"{PATH}/{recall_id}?done=answer")


@blueprint.get("/console/recalls/<recall_id>/affected")
@console("recalls:read")
def affected(recall_id: str) -> Response:
    """Every affected thing, nearest to the scope first, one page after another."""
    db = services().db
    row = operations.get(db, recall_id)
    found, total = operations.affected_page(db, recall_id, _after(), PAGE + 1)
    shown = found[:PAGE]
    last = f"{shown[-1].depth}~{shown[-1].key.hex()}" if len(found) > PAGE else ""
    return page(
        "recall_affected", row=row, rows=shown, total=total, next_cursor=last, statuses=words(STATUSES),
        relations=words(RELATIONS), names=_subjects({one.holder for one in shown}),
    )  # fmt: skip


@blueprint.get("/console/recalls/<recall_id>/proof")
@console("recalls:read")
def proof(recall_id: str) -> Response:
    """Why one thing, or the nearest thing of one batch, is affected: each step with the event that joins it."""
    outside, asked = services(), request.args
    row = operations.get(outside.db, recall_id)
    way: tuple[Affected, ...] = operations.proof(
        outside.db, recall_id, asked.get("uri", "")[:512], batch=(asked.get("gtin", "")[:14], asked.get("lot", "")[:20])
    )
    keys = [bytes.fromhex(one.event_key) for one in way if one.event_key]
    events = {event.event_key.hex(): event for event in ingest.find_events_with(outside.db, keys)}
    return page("recall_proof", row=row, way=way, events=events, relations=words(RELATIONS), statuses=words(STATUSES))


@blueprint.get("/console/recalls/<recall_id>/file")
@console("recalls:read")
def affected_file(recall_id: str) -> Response:
    """The whole affected set, one row a thing, to be sorted and filtered in a spreadsheet."""
    export = registry().get(request.args.get("format", ""))
    if export is None:
        raise InputError("there is no such format", where="format", remedy=", ".join(sorted(registry())))
    with ExitStack() as opened:
        out = opened.enter_context(tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES))
        operations.export_affected(services().db, recall_id, export, out)
        out.seek(0)
        response = finish(Response(_pieces(out), content_type=export.media_type))
        response.headers["Content-Disposition"] = f'attachment; filename="recall-{recall_id}{export.suffix}"'
        response.call_on_close(opened.pop_all().close)
    return response


def _pieces(out: IO[bytes]) -> Iterator[bytes]:
    with out:
        while piece := out.read(PIECE_BYTES):
            yield piece


def _list(status: int = 200, errors: tuple[FieldError, ...] = ()) -> Response:
    outside, user = services(), current_person().user
    found = operations.list_recalls(outside.db, after=place(request.args.get("cursor", "")), limit=PAGE + 1)
    shown = found[:PAGE]
    with outside.db.read() as conn:
        days = calendar(conn)
    return page(
        "recalls",
        status,
        errors=errors,
        rows=shown,
        milestones={row.recall_id: rules.milestones(row, days, outside.clock()) for row in shown},
        next_cursor=f"{shown[-1].created_at.isoformat()}~{shown[-1].recall_id}" if len(found) > PAGE else "",
        states=words(STATES),
        categories={name: word for name, word in words(CATEGORIES).items() if name in _recallable()},
        names=words(MILESTONES),
        may_manage="recalls:manage" in user.permissions,
        department=user.department,
        typed=request.form or request.args,
    )


def _one(recall_id: str, status: int = 200, errors: tuple[FieldError, ...] = ()) -> Response:
    outside, user = services(), current_person().user
    row = operations.get(outside.db, recall_id)
    sums = operations.reconciliation(outside.db, recall_id)
    own = _SECOND_PERSON if row.created_by == user.actor else frozenset[str]()
    possible = [event.value for event in TRANSITIONS[row.state] if event.value in STEPS]
    steps = [step for step in possible if step not in own] if "recalls:manage" in user.permissions else []
    lots = operations.affected_lots(outside.db, recall_id, MAX_LINES)
    return page(
        "recall",
        status,
        errors=errors,
        row=row,
        sums=sums,
        holders=_holders(row, sums.lines[:MAX_LINES]),
        people=_people(row),
        more_holders=len(sums.lines) - MAX_LINES,
        lots=lots,
        things=operations.affected_page(outside.db, recall_id, None, 1)[1],
        spared=operations.spared(outside.db, recall_id)[:MAX_LINES],
        milestones=operations.milestones(outside.db, recall_id, outside.clock()),
        steps=steps,
        needs_other="recalls:manage" in user.permissions and row.state is RecallState.DRAFT and not steps,
        progress=_progress(row),
        parts=PARTS,
        may_answer="recalls:manage" in user.permissions and row.state in TELLING,
        files=[(gtin, lot, catalog.lot_uri(gtin, lot)) for gtin, lot in row.scope.batches[:MAX_LINES]],
        states=words(STATES),
        step_words=words(STEPS),
        statuses=words(STATUSES),
        reasons=words(REASONS),
        names=words(MILESTONES),
        categories=words(CATEGORIES),
        formats=sorted(registry()),
        done=request.args.get("done", "") if not errors else "",
        typed=request.form,
    )


def _holders(row: Recall, lines: tuple[Line, ...]) -> list[Holder]:
    db = services().db
    told = {one.holder: one for one in operations.notices(db, recall_id=row.recall_id)}
    known = _subjects({line.holder for line in lines})
    accounts = Counter(user.scope.subject for user in users.list_users(db) if user.scope.subject)
    return [Holder(line, known.get(line.holder), accounts[line.holder], told.get(line.holder)) for line in lines]


def _people(row: Recall) -> dict[str, str]:
    """Names of who drafted and who announced, by actor; a client or a command keeps its own."""
    actors = {row.created_by, row.announced_by}
    return {user.actor: user.display_name for user in users.list_users(services().db) if user.actor in actors}


def _subjects(usccs: set[str]) -> dict[str, Subject]:
    db = services().db
    with db.read() as conn:
        return catalog.subjects_of(conn, db.dialect, sorted(usccs - {""}))


def _progress(row: Recall) -> list[tuple[str, bool]]:
    """The way of a recall, and whether each state lies behind it or is its own."""
    way = [name for name in STATES if name != ("announced" if row.state == "ordered" else "ordered")]
    reached = way.index(row.state.value)
    return [(name, number <= reached) for number, name in enumerate(way)]


def _recallable() -> frozenset[str]:
    return frozenset(rule.category for _, rule in rules.policies())


def _whole(part: str) -> int:
    text = request.form.get(part, "").strip()
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS):
        raise InputError("whole numbers from 0 are needed", where=part)
    return int(text)


def _batches(text: str) -> tuple[tuple[str, str], ...]:
    found = []
    for line in text.splitlines():
        parts = line.replace(",", " ").replace("\uff0c", " ").split()
        if parts and len(parts) != 2:
            raise InputError("a batch is a GTIN and a lot on one line", where="batches")
        if parts:
            found.append((parts[0], parts[1]))
    return tuple(found)


def _moment(name: str) -> datetime | None:
    text = request.form.get(name, "").strip()
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=LEGAL_TIME)
    except ValueError as error:
        raise InputError("a time is written 2026-11-24 08:00", where=name) from error


def _after() -> tuple[int, bytes] | None:
    depth, _, key = request.args.get("cursor", "")[:128].partition("~")
    if not key:
        return None
    try:
        return int(depth), bytes.fromhex(key)
    except ValueError as error:
        raise InputError("this is no cursor of this server", where="cursor") from error


def _mistakes(error: TraceError, field: str, *, only: str = "") -> tuple[FieldError, ...]:
    where = error.where.rpartition("/")[2] if error.where else ""
    what = f"{error.where} is no identifier" if isinstance(error, IdentifierError) else error.what
    sentence = sentence_of(what)
    shown = only or (where if where in FIELDS else field)
    return (FieldError(shown, translate(sentence, chosen_language()) if sentence else error.what),)
