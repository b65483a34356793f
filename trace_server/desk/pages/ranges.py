"""Ranges of serials: what was granted, and the request for another."""

from __future__ import annotations

from flask import Blueprint, Response, request

from trace_core.errors import Conflict, IdentifierError, InputError
from trace_server.desk import operations
from trace_server.desk.pages._answers import company, go, sentence, words
from trace_server.desk.words import RANGE_STATES, WRONG_RANGES
from trace_server.faces.rendering import FieldError
from trace_server.registers import operations as registers
from trace_server.registers.operations import RangeRequest
from trace_server.services import services
from trace_server.users.access import console, page

blueprint = Blueprint("ranges", __name__)
PATH = "/desk/ranges"


@blueprint.get("/desk/ranges")
@console("desk:use")
def ranges() -> Response:
    """In the order they were asked for."""
    return _page()


@blueprint.post("/desk/ranges")
@console("ranges:request")
def ask() -> Response:
    """Of a product of the company's own."""
    outside, mine, typed = services(), company(), request.form
    product = operations.product(outside, mine, typed.get("gtin", ""))
    first, last, quota, purpose = (typed.get(name, "").strip() for name in ("first", "last", "quota", "purpose"))
    try:
        if not (quota.isascii() and quota.isdigit() and len(quota) < 10):
            raise InputError("a whole number is needed", where="quota")
        wanted = RangeRequest(mine.uscc, product.gtin, first, last, purpose, int(quota))
        registers.request_range(outside, mine.actor, wanted, owner=mine.uscc)
    except (InputError, IdentifierError, Conflict) as error:
        field = error.where if error.where in WRONG_RANGES else "first"
        known = "overlap" if isinstance(error, Conflict) else field
        return _page(400, (FieldError(field, sentence(error, WRONG_RANGES[known])),))
    return go(f"{PATH}?done=1")


def _page(status: int = 200, errors: tuple[FieldError, ...] = ()) -> Response:
    outside, mine = services(), company()
    return page(
        "desk/ranges",
        status,
        errors=errors,
        ranges=operations.ranges_of(outside, mine),
        products=operations.products(outside, mine),
        states=words(RANGE_STATES),
        typed=request.form,
        done="done" in request.args,
    )
