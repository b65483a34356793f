"""The auditor's desk: who did what to which thing, when; as a file; and whether the chain is whole. Nothing changes."""

from __future__ import annotations

import io
import json
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request

from trace_core.errors import InputError, NotFound
from trace_server.audit import operations, store
from trace_server.audit.model import Entry, Wanted
from trace_server.console.pages._answers import mistakes
from trace_server.exports.model import Sheet
from trace_server.exports.registry import registry
from trace_server.faces.rendering import FieldError
from trace_server.services import services
from trace_server.users import operations as users
from trace_server.users.access import console, finish, page

blueprint = Blueprint("audit", __name__)

PATH = "/console/audit"
PAGE = 50
MOST = 10_000
"""Entries in one file; the command line gives all."""
COLUMNS = ("seq", "at", "actor", "action", "object", "detail", "digest")
FILTERS = ("actor", "action", "object", "since", "until")
MAX_LENGTH = 200
MAX_DIGITS = 18
_SHANGHAI = ZoneInfo("Asia/Shanghai")


@blueprint.get("/console/audit")
@console("audit:read")
def trail() -> Response:
    """Newest first; the filters are in the address, so that any page may lead to a record's trail."""
    try:
        wanted, before = _wanted(), _before()
    except InputError as error:
        return _page([], 400, mistakes(error, "since"))
    with services().db.read() as conn:
        found = store.latest(conn, wanted, before=before, limit=PAGE + 1)
    return _page(found)


@blueprint.get("/console/audit/file.<kind>")
@console("audit:read")
def export(kind: str) -> Response:
    """What the filters leave, newest first, as CSV, XLSX or JSON."""
    wanted = _wanted()
    with services().db.read() as conn:
        found = store.latest(conn, wanted, before=0, limit=MOST)
    rows = [_row(one) for one in found]
    if kind == "json":
        items = [dict(zip(COLUMNS, _row(one), strict=True)) | {"detail": dict(one.detail)} for one in found]
        text = json.dumps({"items": items, "as_of": services().clock().isoformat()}, ensure_ascii=False)
        return _file(text.encode(), "application/json", ".json")
    form = registry().get(kind)
    if form is None:
        raise NotFound("there is no such file format", where="kind", remedy="csv, xlsx or json")
    out = io.BytesIO()
    form.write(Sheet("audit", COLUMNS, rows, tuple(_chosen().items())), out)
    return _file(out.getvalue(), form.media_type, form.suffix)


@blueprint.post("/console/audit/verify")
@console("audit:read")
def verify() -> Response:
    """Walk the whole chain of digests."""
    with services().db.read() as conn:
        verified = operations.verify(conn)
        found = store.latest(conn, Wanted(), before=0, limit=PAGE + 1)
    return _page(found, verified=verified)


def _page(found: list[Entry], status: int = 200, errors: tuple[FieldError, ...] = (), **more: object) -> Response:
    shown, chosen = found[:PAGE], _chosen()
    wrong = {error.field for error in errors}  # a field of dates cannot show what is no date
    names = {user.actor: user.display_name for user in users.list_users(services().db)}
    return page(
        "audit",
        status,
        errors=errors,
        rows=[(one, names.get(one.actor, ""), json.dumps(dict(one.detail), ensure_ascii=False)) for one in shown],
        chosen=dict.fromkeys(FILTERS, "") | {name: text for name, text in chosen.items() if name not in wrong},
        query=urlencode(chosen),
        next_query=urlencode(chosen | {"before": str(shown[-1].seq)}) if len(found) > PAGE else "",
        **({"verified": None} | more),
    )


def _chosen() -> dict[str, str]:
    return {name: text for name in FILTERS if (text := request.args.get(name, "").strip()[:MAX_LENGTH])}


def _wanted() -> Wanted:
    chosen = _chosen()
    until = _day(chosen.get("until", ""), "until")
    return Wanted(
        chosen.get("actor", ""),
        chosen.get("action", ""),
        chosen.get("object", ""),
        _day(chosen.get("since", ""), "since"),
        until + timedelta(days=1) if until else None,
    )


def _before() -> int:
    text = request.args.get("before", "")
    if text and not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS):
        raise InputError("this is no cursor of this server", where="since")
    return int(text or 0)


def _day(text: str, where: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.combine(date.fromisoformat(text), time(), _SHANGHAI)
    except ValueError as error:
        raise InputError("a date like 2026-11-24 is needed", where=where) from error


def _row(one: Entry) -> tuple[str, ...]:
    detail = json.dumps(dict(one.detail), ensure_ascii=False, sort_keys=True)
    return (str(one.seq), one.at.isoformat(), one.actor, one.action, one.about, detail, one.digest.hex())


def _file(content: bytes, media_type: str, suffix: str) -> Response:
    answer = finish(Response(content, content_type=media_type))
    answer.headers["Content-Disposition"] = f'attachment; filename="audit{suffix}"'
    return answer
