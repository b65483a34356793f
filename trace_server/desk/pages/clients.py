"""API clients of the company: make, rotate, revoke. A secret is shown once, on the answer that made it."""

from __future__ import annotations

from flask import Blueprint, Response, request

from trace_core.errors import Conflict, InputError, NotFound
from trace_server.accounts import own_clients
from trace_server.desk.pages._answers import company, go, mistake
from trace_server.faces.rendering import FieldError
from trace_server.services import services
from trace_server.users.access import console, page

blueprint = Blueprint("clients", __name__)
PATH = "/desk/clients"


@blueprint.get("/desk/clients")
@console("desk:use")
def clients() -> Response:
    """Those in force first."""
    return _page()


@blueprint.post("/desk/clients")
@console("desk:use", confirm_at=PATH)
def make() -> Response:
    """A client that may do for the company what its role may, and nothing for another."""
    outside, mine = services(), company()
    try:
        made, token = own_clients.add(outside.db, outside.clock(), mine.actor, mine.uscc, request.form.get("name", ""))
    except (InputError, Conflict) as error:
        return _page(400, mistake(error, "name"))
    return _page(made=own_clients.label(made), token=token)


@blueprint.post("/desk/clients/<client_id>/rotate")
@console("desk:use", confirm_at=PATH)
def rotate(client_id: str) -> Response:
    """A new secret; the old one ends at once."""
    outside, mine = services(), company()
    try:
        made, token = own_clients.rotate(outside.db, outside.clock(), mine.actor, mine.uscc, client_id)
    except (NotFound, Conflict) as error:
        return _page(409, mistake(error, "name"))
    return _page(made=own_clients.label(made), token=token)


@blueprint.post("/desk/clients/<client_id>/revoke")
@console("desk:use", confirm_at=PATH)
def revoke(client_id: str) -> Response:
    """For good."""
    outside, mine = services(), company()
    try:
        own_clients.revoke(outside.db, outside.clock(), mine.actor, mine.uscc, client_id)
    except (NotFound, Conflict) as error:
        return _page(409, mistake(error, "name"))
    return go(f"{PATH}?done=1")


def _page(status: int = 200, errors: tuple[FieldError, ...] = (), made: str = "", token: str = "") -> Response:
    found = own_clients.list_own(services().db, company().uscc)
    return page(
        "desk/clients", status, errors=errors, clients=found, label=own_clients.label, made=made, token_shown=token,
        typed=request.form if errors else {}, done="done" in request.args,
    )  # fmt: skip
