"""Publication of decisions: what waits and until when, the second person's check, the step itself; the grade behind."""

from __future__ import annotations

from flask import Blueprint, Response, request

from trace_core.errors import InputError, TraceError
from trace_server.console.pages._answers import go, mistakes, words
from trace_server.console.words import GRADE_LINES, GRADE_REASONS
from trace_server.credit import operations, publication
from trace_server.credit.steps import Paper
from trace_server.faces.rendering import FieldError
from trace_server.services import services
from trace_server.users.access import console, current_person, page

blueprint = Blueprint("publications", __name__)

PATH = "/console/publications"
MOST = 200


@blueprint.get("/console/publications")
@console("credit:record")
def queue() -> Response:
    """Oldest decision first, with its clock."""
    found = publication.queue(services(), MOST)
    return page("publications", waiting=found, now=services().clock(), done=request.args.get("done", ""))


@blueprint.get("/console/publications/<record_id>")
@console("credit:record")
def one(record_id: str) -> Response:
    """What would be public, who has checked it, and the subject's grade with its reasons."""
    return _one(record_id)


@blueprint.post("/console/publications/<record_id>/steps")
@console("credit:record", confirm_at="/console/publications/{record_id}")
def step(record_id: str) -> Response:
    """Check, or publish what somebody else has checked."""
    form, actor = request.form, current_person().user.actor
    try:
        version = _version(form.get("version", ""))
        if form.get("step") == "review":
            publication.review(services(), record_id, actor, form.get("note", ""), version=version)
            return go(f"{PATH}/{record_id}")
        publication.publish_reviewed(services(), record_id, Paper(actor, form.get("note", "")), version=version)
    except TraceError as error:
        return _one(record_id, 400, mistakes(error, "note"))
    return go(f"{PATH}?done=1")


def _one(record_id: str, status: int = 200, errors: tuple[FieldError, ...] = ()) -> Response:
    outside = services()
    record, review = publication.read(outside, record_id)
    subject = record.decision.subject_key()
    with outside.db.read() as conn:
        grade = operations.checked_grade(conn, subject) if subject else None
    return page(
        "publication",
        status,
        errors=errors,
        record=record,
        review=review,
        clock=publication.clock_on(record.decision.decided_on),
        grade=grade,
        lines=words(GRADE_LINES),
        reasons=words(GRADE_REASONS),
        me=current_person().user.actor,
        typed=request.form,
    )


def _version(text: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise InputError("the form is incomplete", where="note", remedy="reload the page")
    return int(text)
