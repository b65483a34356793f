"""Use cases of imports: hand a file in, work it off, look at it, get the refused rows back, give them up."""

from __future__ import annotations

import hashlib
import io
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from trace_core.errors import Conflict, InputError, NotFound, Retryable, TraceError
from trace_server import audit
from trace_server.audit.lifecycle import advance
from trace_server.catalog.operations import SHANGHAI
from trace_server.credit.model import CATEGORIES
from trace_server.db import Connection
from trace_server.exports.registry import registry as formats
from trace_server.imports import reading, rules, store
from trace_server.imports.model import (
    Fault,
    ImportKind,
    Intake,
    Order,
    Row,
    RowRefused,
    RowState,
    Run,
    RunEvent,
    RunState,
    Template,
)
from trace_server.imports.registered import require
from trace_server.imports.sealing import Sealer
from trace_server.imports.states import TRANSITIONS
from trace_server.imports.templates import chosen, matched
from trace_server.jobs import operations as jobs
from trace_server.services import Services

JOB_KIND = "import"
SMALL = 100
"""Rows that are worked off before the answer; more become a job."""
CHUNK = 20
"""Rows of one transaction: under half a second, so that other writers are not kept waiting."""
PAGE = 500
MAX_FAULTS = 40
"""Faults kept of one row."""


@dataclass(frozen=True, slots=True)
class File:
    """What was handed in. `form`: csv, xlsx or json; "" when the content has to tell."""

    data: bytes
    form: str = ""


def submit(services: Services, actor: str, order: Order, file: File, *, idempotency: str = "") -> Run:
    """Take a table in: a small one is worked off at once, a large one by the worker.

    The same `idempotency` of one caller is the same import for ever. Raises `InputError` for a file that is no such
    table, `Conflict` when another file came under the same key.
    """
    kind = require(order.kind)
    template = chosen(kind, order.template)
    order = _checked(kind, template, order)
    digest = hashlib.sha256(file.data).hexdigest()
    import_id = _id_of(actor, idempotency)
    known = _known(services, import_id, order, digest)
    if known is not None:
        return known
    form = file.form or reading.format_of(file.data, order.file_name)
    sheet = reading.read(file.data, form)
    columns = matched(template, sheet.headings)
    now = services.clock()
    with services.db.begin() as conn:
        sealer = Sealer(services.settings, conn, services.db.dialect, now, actor, order.source or order.file_name)
        rows = list(_staged(kind, columns, sheet, sealer))
        if not rows:
            raise InputError("the table has no rows", where="rows")
        run = Run(
            import_id=import_id, order=order, format=form, sha256=digest, headings=sheet.headings, columns=columns,
            state=RunState.QUEUED, total=len(rows), taken=0, unchanged=0, refused=0, owner=actor, created_at=now,
            finished_at=None, job_key=None,
        )  # fmt: skip
        if len(rows) > SMALL:
            payload: dict[str, object] = {"import": import_id}
            key = jobs.enqueue(conn, services.db.dialect, now, JOB_KIND, payload, owner=actor, idempotency=import_id)
            run = replace(run, job_key=key)
        store.add(conn, run, rows)
        detail = {"kind": kind.name, "template": order.template, "rows": len(rows), "sha256": digest}
        audit.record(conn, now, actor, "imports.submit", import_id, detail)
    return run if run.job_key is not None else work_off(services, import_id)


def work_off(
    services: Services,
    import_id: str,
    *,
    progress: Callable[[int, int], None] | None = None,
    end: Callable[[Connection], None] | None = None,
) -> Run:
    """Take the rows that wait, some in one transaction; may be stopped anywhere and called again.

    `end` runs in the transaction that ends the import.
    """
    run = find(services, import_id)
    kind, done = require(run.order.kind), 0
    while run.state is RunState.QUEUED:
        now = services.clock()
        with services.db.begin() as conn:
            waiting = store.rows(conn, import_id, [RowState.STAGED], limit=CHUNK)
            settled = [_taken(services, conn, now, run, kind, row) for row in waiting]
            store.settle(conn, import_id, settled)
            if not waiting:
                run = _finish(conn, now, import_id)
                if end is not None:
                    end(conn)
        done += len(waiting)
        if progress is not None and waiting:
            progress(done, run.total)
    return run


def find(services: Services, import_id: str) -> Run:
    """One import. Raises `NotFound`."""
    with services.db.read() as conn:
        run = store.find(conn, import_id)
        if run is None:
            raise NotFound("there is no such import", where="import_id")
        return run if run.state is not RunState.QUEUED else _counted(run, store.counts(conn, import_id))


def list_runs(
    services: Services, *, kind: str = "", before: tuple[datetime, str] | None = None, limit: int
) -> list[Run]:
    """The newest first."""
    with services.db.read() as conn:
        return store.newest(conn, kind=kind, before=before, limit=limit)


def refused_rows(services: Services, import_id: str, *, after: int = 0, limit: int) -> list[Row]:
    """Rows in quarantine, by number."""
    with services.db.read() as conn:
        return store.rows(conn, import_id, [RowState.REFUSED], after=after, limit=limit)


def corrected_file(services: Services, actor: str, import_id: str, form: str, language: str) -> tuple[str, str, bytes]:
    """Name, media type and bytes of the file of refused rows. Raises `NotFound`, `InputError`; in the audit log."""
    run = find(services, import_id)
    export = formats().get(form)
    if export is None:
        raise InputError("there is no such format", where="format", remedy=", ".join(formats()))
    if run.state is RunState.DISCARDED:
        raise NotFound("the refused rows were given up", where="import_id")
    out = io.BytesIO()
    sheet = rules.corrected(require(run.order.kind), run, _all_refused(services, import_id), language)
    count = export.write(sheet, out)
    with services.db.begin() as conn:
        audit.record(conn, services.clock(), actor, "imports.corrected", import_id, {"rows": count, "format": form})
    return f"{import_id}{export.suffix}", export.media_type, out.getvalue()


def discard(services: Services, actor: str, import_id: str) -> Run:
    """Give up the rows in quarantine. Raises `NotFound`, `Conflict` while the import runs."""
    now = services.clock()
    with services.db.begin() as conn:
        run = store.find(conn, import_id, lock=True)
        if run is None:
            raise NotFound("there is no such import", where="import_id")
        state = advance(
            conn, now, table=TRANSITIONS, state=run.state, event=RunEvent.DISCARD, actor=actor, object=import_id,
            action="imports.discard", detail={"rows": run.refused},
        )  # fmt: skip
        store.drop_refused(conn, import_id)
        run = replace(run, state=state)
        store.save(conn, run)
    return run


def _checked(kind: ImportKind, template: Template, order: Order) -> Order:
    source = " ".join(order.source.split())
    if kind.needs_source and not source:
        raise InputError("say which unit the table comes from", where="source")
    if len(source) > 200:
        raise InputError("at most 200 characters", where="source")
    if order.category and (not kind.needs_category or order.category not in CATEGORIES):
        remedy = f"one of {', '.join(CATEGORIES)}" if kind.needs_category else "leave it out"
        raise InputError("this category does not fit", where="category", remedy=remedy)
    return replace(order, template=template.version, source=source, file_name=order.file_name[-200:])


def _id_of(actor: str, idempotency: str) -> str:
    if not idempotency:
        return f"imp-{secrets.token_hex(8)}"
    if len(idempotency) > 200:
        raise InputError("the key is longer than 200 characters", where="Idempotency-Key")
    return "imp-" + hashlib.sha256(f"{actor}\n{idempotency}".encode()).hexdigest()[:16]


def _known(services: Services, import_id: str, order: Order, digest: str) -> Run | None:
    with services.db.read() as conn:
        run = store.find(conn, import_id)
    if run is None:
        return None
    if run.sha256 != digest or replace(run.order, file_name="") != replace(order, file_name=""):
        raise Conflict("another file came under this key", where="Idempotency-Key", remedy="use a new key")
    # The process may have ended between storing a small table and working it off.
    return run if run.job_key is not None else work_off(services, import_id)


def _staged(kind: ImportKind, columns: tuple[str, ...], sheet: reading.Sheet, sealer: Sealer) -> Iterator[Row]:
    for number, texts in sheet.rows:
        given = {code: text for code, text in zip(columns, texts, strict=True) if code}
        safe, faults = sealer.row(kind, given)
        cells = tuple(safe.get(code, "") for code in columns)
        bad = [code for code, text in safe.items() if "\0" in text or not _is_storable(text)]
        if bad:
            cells = tuple("" if code in bad else text for code, text in zip(columns, cells, strict=True))
            faults = (*faults, *(Fault(code, "control-character") for code in bad))
        yield Row(number, RowState.REFUSED if faults else RowState.STAGED, cells, faults[:MAX_FAULTS])


def _is_storable(text: str) -> bool:
    """Half of a surrogate pair is no text."""
    return not any("\ud800" <= char <= "\udfff" for char in text)


def _taken(services: Services, conn: Connection, now: datetime, run: Run, kind: ImportKind, row: Row) -> Row:
    cells = {code: text for code, text in zip(run.columns, row.cells, strict=True) if code and text.strip()}
    intake = Intake(services, conn, now, now.astimezone(SHANGHAI).date(), run.owner, run.order)
    try:
        with conn.begin_nested():
            taken = kind.take(intake, cells)
    except RowRefused as error:
        return replace(row, state=RowState.REFUSED, faults=error.faults[:MAX_FAULTS])
    except Retryable:
        raise
    except TraceError as error:
        return replace(row, state=RowState.REFUSED, faults=(Fault("", "not-taken", {"why": str(error)}),))
    state = RowState.TAKEN if taken.is_new else RowState.UNCHANGED
    return Row(row.number, state, (), (), taken.ref)


def _finish(conn: Connection, now: datetime, import_id: str) -> Run:
    run = store.find(conn, import_id, lock=True)
    if run is None:
        raise NotFound("there is no such import", where="import_id")
    if run.state is not RunState.QUEUED:
        return run
    counted = _counted(run, store.counts(conn, import_id))
    detail: Mapping[str, object] = {
        "taken": counted.taken, "unchanged": counted.unchanged, "refused": counted.refused
    }  # fmt: skip
    state = advance(
        conn, now, table=TRANSITIONS, state=run.state, event=RunEvent.FINISH, actor=run.owner, object=import_id,
        action="imports.finish", detail=detail,
    )  # fmt: skip
    finished = replace(counted, state=state, finished_at=now)
    store.save(conn, finished)
    return finished


def _counted(run: Run, counts: Mapping[RowState, int]) -> Run:
    return replace(
        run,
        taken=counts.get(RowState.TAKEN, 0),
        unchanged=counts.get(RowState.UNCHANGED, 0),
        refused=counts.get(RowState.REFUSED, 0),
    )


def _all_refused(services: Services, import_id: str) -> Iterator[Row]:
    after = 0
    while page := refused_rows(services, import_id, after=after, limit=PAGE):
        yield from page
        after = page[-1].number
