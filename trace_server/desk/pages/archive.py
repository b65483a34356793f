"""The own credit archive: what the public sees, what is held besides, and how a record is repaired."""

from __future__ import annotations

from flask import Blueprint, Response, request

from trace_core.errors import Conflict, InputError
from trace_server.desk import operations
from trace_server.desk.pages._answers import company, go, mistake, words
from trace_server.desk.words import LICENCE_STATES, RECORD_STATES, REPAIR_STATES
from trace_server.faces.rendering import FieldError
from trace_server.repairs import operations as repairs
from trace_server.repairs.rules import guidance
from trace_server.services import services
from trace_server.users.access import console, page

blueprint = Blueprint("archive", __name__)
PATH = "/desk/archive"


@blueprint.get("/desk/archive")
@console("desk:use")
def archive() -> Response:
    """Licences, all records with what becomes of each, applications for repair."""
    outside, mine = services(), company()
    return page(
        "desk/archive",
        uscc=mine.uscc,
        licences=operations.home(outside, mine).licences,
        records=operations.own_records(outside, mine),
        applications=operations.applications(outside, mine),
        record_states=words(RECORD_STATES),
        repair_states=words(REPAIR_STATES),
        licence_states=words(LICENCE_STATES),
        repairable=repairs.REPAIRABLE,
        today=operations.today_of(outside),
        done="done" in request.args,
    )


@blueprint.get("/desk/archive/repair/<record_id>")
@console("repairs:apply")
def repair_form(record_id: str) -> Response:
    """An application for one record; it costs nothing."""
    return _repair(record_id)


@blueprint.post("/desk/archive/repair/<record_id>")
@console("repairs:apply")
def repair(record_id: str) -> Response:
    """Hand it in, or hand in again what was returned."""
    outside, mine, typed = services(), company(), request.form
    papers = tuple(line.strip() for line in typed.get("papers", "").splitlines() if line.strip())
    returned = operations.returned_application(outside, mine, record_id)
    try:
        if returned is not None:
            repairs.hand_in_again(
                outside, mine.actor, returned.application_id, owner=mine.uscc,
                correction=typed.get("correction", ""), papers=papers, version=returned.version,
            )  # fmt: skip
        else:
            repairs.apply(
                outside, mine.actor, record_id, owner=mine.uscc, correction=typed.get("correction", ""),
                promise=typed.get("promise", ""), papers=papers,
            )  # fmt: skip
    except (InputError, Conflict) as error:
        return _repair(record_id, 400, mistake(error, "correction"))
    return go(f"{PATH}?done=1")


def _repair(record_id: str, status: int = 200, errors: tuple[FieldError, ...] = ()) -> Response:
    outside, mine = services(), company()
    return page(
        "desk/repair",
        status,
        guidance=guidance(),
        errors=errors,
        record=operations.own_record(outside, mine, record_id),
        returned=operations.returned_application(outside, mine, record_id),
        typed=request.form,
        today=operations.today_of(outside),
    )
