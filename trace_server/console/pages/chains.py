"""The chain workbench: one code, upstream, downstream or both, as table, graph, timeline and map of the same facts."""

from __future__ import annotations

from datetime import date, datetime, time

from flask import Blueprint, Response, request

from trace_core.errors import InputError, NotFound, TraceError
from trace_server.console.pages._answers import mistakes, words
from trace_server.console.words import DIRECTIONS, LICENCES, VIEWS
from trace_server.faces.rendering import FieldError
from trace_server.services import services
from trace_server.trace import drawings, picture, wire
from trace_server.trace.answering import ask
from trace_server.trace.frontier import MAX_DEPTH
from trace_server.trace.question import Answer, Question
from trace_server.users.access import console, finish, page
from trace_server.workdays.rules import LEGAL_TIME

blueprint = Blueprint("chains", __name__)

PATH = "/console/chains"
FILES = ("xlsx", "csv", "epcis")
DRAWINGS = {"timeline": drawings.timeline, "map": drawings.outline}
FIELDS = ("uri", "direction", "begin", "end", "depth")
MAX_ROWS = 500
"""Events that the page lists; the files hold all of them."""
MAX_MEMBERS = 50
"""Things of one group that the page names."""


@blueprint.get("/console/chains")
@console("events:read")
def workbench() -> Response:
    """A form, and the answer to it when a code is given; the question is in the address."""
    typed = {name: request.args.get(name, "")[:512] for name in FIELDS}
    view = request.args.get("view", "")
    answer: Answer | None = None
    errors: tuple[FieldError, ...] = ()
    status = 200
    if typed["uri"]:
        outside = services()
        try:
            question = _question(typed)
            with outside.db.read() as conn:
                answer = ask(conn, outside.db.dialect, question, outside.clock())
        except TraceError as error:
            errors = mistakes(error, "uri")
            status = 404 if isinstance(error, NotFound) else 400
    steps = answer.steps[:MAX_ROWS] if answer else ()
    groups = picture.groups(answer) if answer else []
    return page(
        "chains",
        status,
        errors=errors,
        typed=typed,
        answer=answer,
        steps=steps,
        more=len(answer.steps) - len(steps) if answer else 0,
        directions=words(DIRECTIONS),
        licences=words(LICENCES),
        files=FILES,
        view=view if view in VIEWS else "table",
        views=words(VIEWS),
        places=drawings.places_of(answer) if answer else (),
        groups=groups if sum(len(members) for _, members in groups) > picture.MAX_NODES else [],
        max_members=MAX_MEMBERS,
        query={name: value for name, value in typed.items() if value},
        max_depth=MAX_DEPTH,
    )


@blueprint.get("/console/chains/file")
@console("events:read")
def chain_file() -> Response:
    """The same answer as a picture or a file."""
    typed = {name: request.args.get(name, "")[:512] for name in FIELDS}
    name = request.args.get("format", "")
    if name not in (*FILES, "svg", *DRAWINGS):
        raise InputError("there is no such format", where="format", remedy=", ".join(FILES))
    outside = services()
    with outside.db.read() as conn:
        answer = ask(conn, outside.db.dialect, _question(typed), outside.clock())
        if name in DRAWINGS:
            made = wire.File(f"chain-{name}.svg", wire.PICTURE_TYPE, DRAWINGS[name](answer))
        else:
            made = wire.file(conn, outside.db.dialect, answer, name)
    response = finish(Response(made.data, content_type=made.media_type))
    kind = "inline" if made.media_type == wire.PICTURE_TYPE else "attachment"
    response.headers["Content-Disposition"] = f'{kind}; filename="{made.name}"'
    return response


def _question(typed: dict[str, str]) -> Question:
    direction = typed["direction"] or wire.BOTH
    if direction not in DIRECTIONS:
        raise InputError("choose a direction", where="direction")
    text = typed["depth"] or str(MAX_DEPTH)
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:4]) <= MAX_DEPTH):
        raise InputError(f"a depth is 1 to {MAX_DEPTH}", where="depth")
    window = (_midnight(typed["begin"], "begin"), _midnight(typed["end"], "end"))
    return wire.question(typed["uri"].strip(), direction, window, int(text))


def _midnight(text: str, where: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.combine(date.fromisoformat(text), time(), LEGAL_TIME)
    except ValueError as error:
        raise InputError("a day is written 2026-11-24", where=where) from error
