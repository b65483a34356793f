"""Imports: hand a table in, follow it, see what is wrong with its rows, take them back; which feeds are late."""

from __future__ import annotations

from flask import Blueprint, Response, request

from trace_core.errors import InputError, TraceError
from trace_server.accounts.model import Permission
from trace_server.console.import_words import (
    CANNOT_READ,
    CATEGORY_NAMES,
    FEED_STATES,
    PUBLICITY,
    RUN_STATES,
    SENTENCES,
)
from trace_server.console.pages._answers import go, place, words
from trace_server.faces.rendering import FieldError, translate
from trace_server.imports import feeds, operations
from trace_server.imports.model import Order, RunState
from trace_server.imports.operations import File
from trace_server.imports.registered import registry, require
from trace_server.imports.rules import sentence
from trace_server.imports.templates import title_of
from trace_server.services import services
from trace_server.users.access import chosen_language, console, current_person, finish, page

blueprint = Blueprint("imports", __name__)

PATH = "/console/imports"
PAGE = 50
ROWS = 100
FIELDS = frozenset({"kind", "template", "category", "source", "file"})
MAX_DIGITS = 9


@blueprint.get("/console/imports")
@console("imports:read")
def list_imports() -> Response:
    """The form, the newest imports, and the catalogue with its late feeds."""
    return _list()


@blueprint.post("/console/imports")
@console("imports:submit")
def submit() -> Response:
    """A small table is worked off before the answer."""
    form, sent = request.form, request.files.get("file")
    order = Order(
        form.get("kind", ""), form.get("template", ""), sent.filename or "" if sent else "",
        form.get("source", ""), form.get("category", ""),
    )  # fmt: skip
    try:
        data = sent.read() if sent else b""
        if not data:
            raise InputError("choose a file", where="file")
        run = operations.submit(services(), current_person().user.actor, order, File(data))
    except TraceError as error:
        return _list(400, _mistakes(error))
    return go(f"{PATH}/{run.import_id}")


@blueprint.get("/console/imports/<import_id>")
@console("imports:read")
def import_page(import_id: str) -> Response:
    """How far it is, and why rows were refused."""
    return _one(import_id)


@blueprint.post("/console/imports/<import_id>/corrected")
@console("imports:submit")
def corrected(import_id: str) -> Response:
    """The refused rows as a file; a POST, because each download is written down."""
    actor, form = current_person().user.actor, request.form.get("format", "")
    name, media, data = operations.corrected_file(services(), actor, import_id, form, chosen_language())
    answer = finish(Response(data, content_type=media))
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@blueprint.post("/console/imports/<import_id>/discard")
@console("imports:submit")
def discard(import_id: str) -> Response:
    """Give up the refused rows."""
    try:
        operations.discard(services(), current_person().user.actor, import_id)
    except TraceError as error:
        return _one(import_id, 409, (FieldError("discard", error.what),))
    return go(f"{PATH}/{import_id}")


def _list(status: int = 200, errors: tuple[FieldError, ...] = ()) -> Response:
    outside, language = services(), chosen_language()
    found = operations.list_runs(outside, before=place(request.args.get("cursor", "")), limit=PAGE + 1)
    shown = found[:PAGE]
    return page(
        "imports",
        status,
        errors=errors,
        runs=shown,
        next_cursor=f"{shown[-1].created_at.isoformat()}~{shown[-1].import_id}" if len(found) > PAGE else "",
        feeds=feeds.feeds(outside),
        kinds={kind.name: _title(kind.name, language) for kind in registry().values()},
        versions=sorted({version for kind in registry().values() for version in kind.templates if len(version) > 1}),
        categories=words(CATEGORY_NAMES),
        states=words(RUN_STATES),
        feed_states=words(FEED_STATES),
        publicity=words(PUBLICITY),
        typed=request.form,
        may_submit=Permission.IMPORTS_SUBMIT in current_person().user.permissions,
        most=outside.settings.max_body_bytes // 1_048_576,
    )


def _one(import_id: str, status: int = 200, errors: tuple[FieldError, ...] = ()) -> Response:
    outside, language = services(), chosen_language()
    run, after = operations.find(outside, import_id), request.args.get("after", "")
    start = int(after) if after.isascii() and after.isdigit() and len(after) <= MAX_DIGITS else 0
    rows = operations.refused_rows(outside, import_id, after=start, limit=ROWS + 1)
    kind, template = require(run.order.kind), require(run.order.kind).templates[run.order.template]
    told = [
        (row.number, title_of(template, fault.column), sentence(kind, run.order.template, fault, language))
        for row in rows[:ROWS]
        for fault in row.faults
    ]
    return page(
        "import",
        status,
        errors=errors,
        run=run,
        kind=_title(run.order.kind, language),
        told=told,
        next_after=rows[ROWS - 1].number if len(rows) > ROWS else 0,
        is_running=run.state is RunState.QUEUED,
        worked=run.taken + run.unchanged + run.refused,
        may_correct=run.state is RunState.DONE
        and run.refused > 0
        and Permission.IMPORTS_SUBMIT in current_person().user.permissions,
        states=words(RUN_STATES),
    )


def _title(name: str, language: str) -> str:
    kind = require(name)
    return kind.title_en if language == "en" else kind.title


def _mistakes(error: TraceError) -> tuple[FieldError, ...]:
    language, known = chosen_language(), SENTENCES.get(error.what)
    text = translate(known, language) if known else translate(CANNOT_READ, language) + error.what
    if error.where == "headings":
        text += error.remedy
    return (FieldError(error.where if error.where in FIELDS else "file", text),)
