"""Batches from a file: what was taken, what was not and why, and the refused rows to mend."""

from __future__ import annotations

import io

from flask import Blueprint, Response, request

from trace_core.errors import InputError
from trace_server.desk import operations, rules
from trace_server.desk.model import Imported
from trace_server.desk.pages._answers import attachment, company, mistake, words
from trace_server.desk.words import FIELDS, SENTENCES, WRONG_FIELDS
from trace_server.exports.model import Sheet
from trace_server.exports.registry import registry
from trace_server.faces.rendering import FieldError
from trace_server.services import services
from trace_server.users.access import console, page

blueprint = Blueprint("imports", __name__)
HEADINGS = tuple(rules.HEADINGS)
SAYS = ("错误列", "错误说明")
"""Headings of the two last columns of the refused rows; an import passes over them."""


@blueprint.get("/desk/batches/import")
@console("batches:write")
def form() -> Response:
    """Choose a file."""
    return _page()


@blueprint.get("/desk/batches/import/template.csv")
@console("batches:write")
def template() -> Response:
    """An empty file with the headings."""
    return _csv(HEADINGS, [], "batches-template.csv")


@blueprint.post("/desk/batches/import")
@console("batches:write")
def take() -> Response:
    """The good rows are taken, the others are told with row, field and sentence."""
    sent = request.files.get("file")
    content = sent.read(rules.MAX_FILE_BYTES + 1) if sent is not None else b""
    try:
        done = operations.import_file(services(), company(), content)
    except InputError as error:
        return _page(400, errors=mistake(error, "file"))
    return _page(done=done)


@blueprint.post("/desk/batches/import/refused.csv")
@console("batches:write")
def refused() -> Response:
    """The refused rows of the page before, as a file to mend and send again."""
    told = zip(request.form.getlist("row"), request.form.getlist("said"), strict=False)
    rows = []
    for row, said in list(told)[: rules.MAX_FILE_ROWS]:
        cells = tuple(row.split("\t"))[: len(rules.COLUMNS)]
        rows.append((*cells, *[""] * (len(rules.COLUMNS) - len(cells)), *said.split("\t", 1), "")[: len(HEADINGS) + 2])
    return _csv((*HEADINGS, *SAYS), rows, "batches-to-mend.csv")


def _csv(columns: tuple[str, ...], rows: list[tuple[str, ...]], name: str) -> Response:
    out, form = io.BytesIO(), registry()["csv"]
    form.write(Sheet("batches", columns, rows), out)
    return attachment(out.getvalue(), form.media_type, name)


def _page(status: int = 200, *, errors: tuple[FieldError, ...] = (), done: Imported | None = None) -> Response:
    return page(
        "desk/import",
        status,
        errors=errors,
        done=done,
        fields=words(FIELDS),
        sentences=words(SENTENCES),
        wrong_fields=words(WRONG_FIELDS),
        max_rows=rules.MAX_FILE_ROWS,
    )
