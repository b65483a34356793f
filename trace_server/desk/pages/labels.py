"""Labels: issue codes for a batch, look at them, take them as PDF, SVG or PNG."""

from __future__ import annotations

import base64
import io
from datetime import datetime
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from trace_core.errors import Conflict, InputError, NotFound
from trace_server.desk import operations, rules, sheets
from trace_server.desk.model import Filter
from trace_server.desk.pages._answers import attachment, company, go, mistake
from trace_server.desk.sheets import Paper
from trace_server.exports.model import Sheet
from trace_server.exports.registry import registry
from trace_server.faces.rendering import FieldError
from trace_server.portal import labels
from trace_server.services import services
from trace_server.users.access import console, page

blueprint = Blueprint("labels", __name__)

PATH = "/desk/labels"
RECENT = 50
"""Batches offered when no batch is named."""


@blueprint.get("/desk/labels")
@console("desk:use")
def form() -> Response:
    """How many labels, for which batch; and the runs there were."""
    gtin, lot = request.args.get("gtin", "")[:14], request.args.get("lot", "")[:20]
    return _form(gtin, lot) if gtin else _choice()


@blueprint.post("/desk/labels")
@console("batches:write")
def issue() -> Response:
    """Issue the codes and go on to their labels."""
    gtin, lot, text = (request.form.get(name, "").strip() for name in ("gtin", "lot", "count"))
    try:
        if not (text.isascii() and text.isdigit() and len(text) < 6):
            raise InputError(f"1 to {rules.MAX_RUN} labels at once", where="count")
        issued_at = operations.issue(services(), company(), gtin, lot, int(text))
    except (InputError, Conflict) as error:
        return _form(gtin, lot, 400, mistake(error, "count"))
    return go(run_link(gtin, lot, issued_at))


@blueprint.get("/desk/labels/run")
@console("desk:use")
def run() -> Response:
    """The labels of one run as they will be printed, and what to print them with."""
    outside = services()
    file, codes = operations.run_of(outside, company(), *_named())
    shown = codes[: sheets.A_SHEET]
    return page(
        "desk/run",
        file=file,
        batch=file.batch,
        codes=codes,
        pictures=[_picture(operations.label_of(outside, code)) for code in shown],
        issued_at=_named()[2],
        sheets=-(-len(codes) // sheets.A_SHEET),
        query=urlencode({name: request.args.get(name, "") for name in ("gtin", "lot", "run")}),
        domain=outside.settings.public_url.split("://", 1)[-1],
        today=operations.today_of(outside),
    )


@blueprint.get("/desk/labels/run/<paper>.pdf")
@console("desk:use")
def sheet(paper: str) -> Response:
    """All labels of a run as PDF, for sheets of A4 or for a label printer."""
    if paper not in [one.value for one in Paper]:
        raise NotFound("there is no such paper", where="paper", remedy="a4 or roll")
    outside = services()
    file, codes = operations.run_of(outside, company(), *_named())
    title = f"{file.batch.gtin} {len(codes)}"
    made = sheets.pdf([operations.label_of(outside, code) for code in codes], Paper(paper), title)
    return attachment(made, "application/pdf", f"labels-{file.batch.gtin}-{paper}.pdf")


@blueprint.get("/desk/labels/run/label.<kind>")
@console("desk:use")
def one(kind: str) -> Response:
    """One code: its whole label as SVG, or its QR alone as PNG, for packaging of one's own."""
    outside = services()
    _, codes = operations.run_of(outside, company(), *_named())
    code = next((code for code in codes if code.serial == request.args.get("serial")), None)
    if code is None:
        raise NotFound("this code is not of that run", where="serial")
    name = f"label-{code.gtin}-{codes.index(code) + 1}"
    if kind == "svg":
        return attachment(operations.label_of(outside, code).encode(), "image/svg+xml", f"{name}.svg")
    if kind == "png":
        return attachment(labels.png(operations.link_of(outside, code)), "image/png", f"{name}.png")
    raise NotFound("there is no such picture", where="kind", remedy="svg or png")


@blueprint.get("/desk/labels/run/codes.csv")
@console("desk:use")
def codes_file() -> Response:
    """All codes of a run with their links, for a printing house."""
    outside = services()
    _, codes = operations.run_of(outside, company(), *_named())
    rows = [(code.gtin, code.lot, code.serial, code.readable, operations.link_of(outside, code)) for code in codes]
    out, form = io.BytesIO(), registry()["csv"]
    form.write(Sheet("codes", ("gtin", "lot", "serial", "readable", "url"), rows), out)
    return attachment(out.getvalue(), form.media_type, "codes.csv")


def run_link(gtin: str, lot: str, issued_at: datetime) -> str:
    """Address of a run."""
    return f"{PATH}/run?{urlencode({'gtin': gtin, 'lot': lot, 'run': _token(issued_at)})}"


def _choice() -> Response:
    found = operations.list_batches(services(), company(), Filter.ALL, after=None, limit=RECENT)
    today = operations.today_of(services())
    usable = [
        row for row in found
        if row.batch.recall is None and (row.batch.expiry_date is None or row.batch.expiry_date >= today)
    ]  # fmt: skip
    return page("desk/labels", rows=usable, link=_link)


def _form(gtin: str, lot: str, status: int = 200, errors: tuple[FieldError, ...] = ()) -> Response:
    file = operations.batch_file(services(), company(), gtin, lot)
    return page(
        "desk/issue",
        status,
        errors=errors,
        file=file,
        batch=file.batch,
        count=request.form.get("count", str(sheets.A_SHEET)),
        run_link=lambda run: run_link(file.batch.gtin, file.batch.lot, run.issued_at),
        max_run=rules.MAX_RUN,
        a_sheet=sheets.A_SHEET,
    )


def _named() -> tuple[str, str, datetime]:
    args = request.args
    try:
        issued_at = datetime.fromisoformat(args.get("run", "").replace(" ", "+"))
    except ValueError as error:
        raise NotFound("no labels were issued then", where="run") from error
    if issued_at.tzinfo is None:
        raise NotFound("no labels were issued then", where="run")
    return args.get("gtin", "")[:14], args.get("lot", "")[:20], issued_at


def _token(issued_at: datetime) -> str:
    return issued_at.isoformat().replace("+00:00", "Z")


def _link(path: str, gtin: str, lot: str) -> str:
    return f"{path}?{urlencode({'gtin': gtin, 'lot': lot})}"


def _picture(svg: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()
