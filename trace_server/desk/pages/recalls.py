"""Recall notices that the company got as a holder of goods, and its answers."""

from __future__ import annotations

from flask import Blueprint, Response, request

from trace_core.errors import Conflict, InputError
from trace_server.desk import operations
from trace_server.desk.pages._answers import company, go, mistake
from trace_server.faces.rendering import FieldError
from trace_server.recall import operations as recalls
from trace_server.recall.model import Answer
from trace_server.services import services
from trace_server.users.access import console, page

blueprint = Blueprint("recalls", __name__)
PATH = "/desk/recalls"
PARTS = ("in_stock", "sold", "returned", "destroyed")


@blueprint.get("/desk/recalls")
@console("desk:use")
def notices() -> Response:
    """Unanswered ones first."""
    return _page()


@blueprint.post("/desk/recalls")
@console("recalls:answer")
def answer() -> Response:
    """How many are where; a later answer replaces the earlier."""
    outside, mine, typed = services(), company(), request.form
    recall_id = typed.get("recall_id", "")[:64]
    try:
        counts = {part: _whole(typed.get(part, ""), f"{recall_id}-{part}") for part in PARTS}
        given = Answer(**counts, note=typed.get("note", "")[:1000])
        recalls.answer(outside.db, outside.clock(), mine.actor, recall_id, mine.uscc, given)
    except (InputError, Conflict) as error:
        return _page(400, mistake(error, f"{recall_id}-in_stock"))
    return go(f"{PATH}?done=1")


def _page(status: int = 200, errors: tuple[FieldError, ...] = ()) -> Response:
    found = operations.notices(services(), company())
    return page(
        "desk/recalls", status, errors=errors, found=found, typed=request.form, parts=PARTS, done="done" in request.args
    )


def _whole(text: str, where: str) -> int:
    if not (text.strip().isascii() and text.strip().isdigit() and len(text) < 10):
        raise InputError("whole numbers from 0 are needed", where=where)
    return int(text)
