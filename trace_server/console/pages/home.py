"""The worklist: what is due, most urgent first."""

from __future__ import annotations

from flask import Blueprint, Response, redirect

from trace_server.accounts.model import Permission
from trace_server.cases import operations as cases
from trace_server.cases.store import Wanted
from trace_server.console.rules import actor_of
from trace_server.console.words import CASE_STATES
from trace_server.detect import operations as detect
from trace_server.services import services
from trace_server.users.access import console, current_person, page

blueprint = Blueprint("home", __name__)


@blueprint.get("/console")
@console()
def home() -> Response:
    """For those who handle cases their worklist, for others their account."""
    user = current_person().user
    if Permission.DESK_USE in user.permissions:
        return redirect("/desk", 303)  # type: ignore[return-value]  # as below
    if Permission.USERS_MANAGE in user.permissions:
        return redirect("/console/users", 303)  # type: ignore[return-value]  # as below
    if Permission.CASES_READ not in user.permissions:
        return redirect("/console/account", 303)  # type: ignore[return-value]  # werkzeug's response is Flask's here
    outside, actor = services(), actor_of(user)
    due, waiting = cases.worklist(outside, actor)
    counted = cases.count_cases(outside, actor, Wanted(department=actor.department))
    alerts = detect.count_alerts(outside.db, actor.regions)
    return page(
        "home",
        due=due,
        waiting=waiting,
        counted=counted,
        open_alerts=sum(count for (_, state, _, _), count in alerts.items() if state == "open"),
        states=CASE_STATES,
        now=outside.clock(),
    )
