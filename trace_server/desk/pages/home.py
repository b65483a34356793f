"""The first page: what waits for the company."""

from __future__ import annotations

from flask import Blueprint, Response

from trace_server.desk import operations
from trace_server.desk.pages._answers import company, words
from trace_server.desk.words import LICENCE_STATES, NEEDS
from trace_server.services import services
from trace_server.users.access import console, page

blueprint = Blueprint("home", __name__)


@blueprint.get("/desk")
@console("desk:use")
def home() -> Response:
    """By day, those without a day last."""
    outside = services()
    return page(
        "desk/home",
        found=operations.home(outside, company()),
        needs=words(NEEDS),
        licence_states=words(LICENCE_STATES),
        today=operations.today_of(outside),
    )
