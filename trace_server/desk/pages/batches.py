"""Batches: the list and its files, one batch, and the form that registers or changes it."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from flask import Blueprint, Response, json, request

from trace_core.errors import Conflict, InputError, NotAllowed, NotFound, TraceError
from trace_server.catalog.model import Batch, Origin, Product
from trace_server.catalog.profiles import CategoryProfile, load_profiles
from trace_server.console.rules import facets
from trace_server.desk import operations, rules
from trace_server.desk.listing import COLUMNS, row_of
from trace_server.desk.model import Filter
from trace_server.desk.pages._answers import attachment, company, go, mistake, sentence, words
from trace_server.desk.words import FILTERS, OBSTACLES, UNITS, WRONG_FIELDS
from trace_server.exports.model import Sheet
from trace_server.exports.registry import registry
from trace_server.faces.rendering import FieldError
from trace_server.services import services
from trace_server.users.access import chosen_language, console, page

blueprint = Blueprint("batches", __name__)

PATH = "/desk/batches"
PAGE = 50


@blueprint.get("/desk/batches")
@console("desk:use")
def list_batches() -> Response:
    """Newest production first; the filter is in the address."""
    outside, mine, wanted = services(), company(), _wanted()
    found = operations.list_batches(outside, mine, wanted, after=_after(), limit=PAGE + 1)
    counts = {one.value: count for one, count in operations.count_batches(outside, mine).items() if one != Filter.ALL}
    shown = found[:PAGE]
    last = shown[-1].batch if len(found) > PAGE else None
    state = "" if wanted is Filter.ALL else wanted.value
    return page(
        "desk/batches",
        rows=shown,
        facets=facets(PATH, {"state": state}, "state", counts, words(FILTERS)),
        state=state,
        cursor=f"{last.production_date.isoformat()}~{last.gtin}~{last.lot}" if last else "",
        units=words(UNITS),
        link=_link,
        today=operations.today_of(outside),
        done=request.args.get("done", ""),
    )


@blueprint.get("/desk/batches/file.<kind>")
@console("desk:use")
def export(kind: str) -> Response:
    """The list as it is filtered, as CSV, XLSX or JSON."""
    wanted = _wanted()
    found = operations.list_batches(services(), company(), wanted, after=None, limit=operations.MAX_EXPORT)
    rows = [row_of(one) for one in found]
    if kind == "json":
        items = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
        content = json.dumps({"items": items, "as_of": services().clock().isoformat()}).encode()
        return attachment(content, "application/json", "batches.json")
    form = registry().get(kind)
    if form is None:
        raise NotFound("there is no such file format", where="kind", remedy="csv, xlsx or json")
    out = io.BytesIO()
    form.write(Sheet("batches", COLUMNS, rows, (("state", wanted.value),)), out)
    return attachment(out.getvalue(), form.media_type, f"batches{form.suffix}")


@blueprint.get("/desk/batches/one")
@console("desk:use")
def batch_page() -> Response:
    """One batch: what is known of it, what it lacks, which labels were issued."""
    return _one(*_named())


@blueprint.post("/desk/batches/release")
@console("batches:write")
def release() -> Response:
    """A person of the company lets the batch leave the factory."""
    gtin, lot = request.form.get("gtin", "")[:14], request.form.get("lot", "")[:20]
    try:
        operations.release(services(), company(), gtin, lot)
    except Conflict as error:
        return _one(gtin, lot, 409, mistake(error, "release"))
    return go(f"{_link('/desk/batches/one', gtin, lot)}&done=1")


def _one(gtin: str, lot: str, status: int = 200, errors: tuple[FieldError, ...] = ()) -> Response:
    file = operations.batch_file(services(), company(), gtin, lot)
    return page(
        "desk/batch",
        status,
        errors=errors,
        obstacles=words(OBSTACLES),
        file=file,
        batch=file.batch,
        profile=load_profiles().get(file.product.category),
        units=words(UNITS),
        official=Origin.OFFICIAL,
        today=operations.today_of(services()),
        link=_link,
        done="done" in request.args,
    )


@blueprint.get("/desk/batches/form")
@console("desk:use")
def form() -> Response:
    """First the product, then its form; a batch that is known comes filled in."""
    outside, mine = services(), company()
    gtin, lot = _named()
    own = operations.products(outside, mine)
    if not gtin and len(own) != 1:
        return page("desk/products", products=own)
    product = operations.product(outside, mine, gtin or own[0].gtin)
    before = operations.batch_file(outside, mine, gtin, lot).batch if lot else None
    return _form(product, before, _typed_of(before))


@blueprint.post("/desk/batches/form")
@console("batches:write")
def register() -> Response:
    """What was typed stays when something has to be mended."""
    outside, mine, typed = services(), company(), request.form
    product = operations.product(outside, mine, typed.get("gtin", ""))
    try:
        before = operations.batch_file(outside, mine, product.gtin, typed.get("lot", "").strip()).batch
    except NotFound:
        before = None
    profile = load_profiles().get(product.category)
    entered = _entered(product, before, profile)
    try:
        operations.register(outside, mine, entered.document)
    except (InputError, NotAllowed) as error:
        return _form(product, before if "known" in typed else None, typed.to_dict(), 400, _wrong(error, entered))
    return go(f"{_link('/desk/batches/one', product.gtin, str(entered.document['lot']))}&done=1")


@dataclass(frozen=True, slots=True)
class Entered:
    """A form as the body of a batch; `certificates`: place in the body → name of its fields in the form."""

    document: dict[str, object]
    certificates: tuple[str, ...]


def _entered(product: Product, before: Batch | None, profile: CategoryProfile | None) -> Entered:
    """Certificates and an inspection that the form does not speak of stay as they are."""
    typed = {name: rules.tidied(value) for name, value in request.form.items()}
    kinds = [rule.kind for rule in profile.certificates] if profile else []
    shown = {one.kind: one for one in before.certificates if one.kind in kinds} if before else {}
    kept = [one for one in before.certificates if shown.get(one.kind) != one] if before else []
    certificates, names = [rules.certificate_entry(one) for one in kept], ["lot"] * len(kept)
    for number, kind in enumerate(kinds):
        parts = {part: typed.get(f"certificate-{number}-{part}", "") for part in ("number", "issuer", "issued_on")}
        if any(parts.values()):
            certificates.append({"kind": kind, **parts})
            names.append(f"certificate-{number}")
    inspection: dict[str, object] | None = None
    if any(typed.get(f"inspection-{part}") for part in ("passed", "report_no", "body", "inspected_on")):
        parts = {part: typed.get(f"inspection-{part}", "") for part in ("report_no", "body", "inspected_on")}
        verdict = {"yes": True, "no": False}.get(typed.get("inspection-passed", ""))
        inspection = {**parts, "passed": verdict}
    document: dict[str, object] = {
        "gtin": product.gtin, "lot": typed.get("lot", ""), "production_date": typed.get("production_date", ""),
        "expiry_date": typed.get("expiry_date") or None, "quantity": typed.get("quantity", ""),
        "uom": typed.get("uom", ""), "certificates": certificates, "inspection": inspection,
    }  # fmt: skip
    return Entered(document, tuple(names))


def _wrong(error: TraceError, entered: Entered) -> tuple[FieldError, ...]:
    """The mistake at the field of the form that its pointer means."""
    parts = error.where.strip("/").split("/")
    field = parts[0] if parts[0] in WRONG_FIELDS else "lot"
    if parts[0] == "inspection" and len(parts) == 2:
        field = f"inspection-{parts[1]}"
    elif parts[0] == "certificates" and len(parts) == 3:
        field = f"{entered.certificates[int(parts[1])]}-{parts[2]}"
    return (FieldError(field, sentence(error, WRONG_FIELDS[rules.column_of(error.where)])),)


def _form(
    product: Product,
    before: Batch | None,
    typed: dict[str, str],
    status: int = 200,
    errors: tuple[FieldError, ...] = (),
) -> Response:
    return page(
        "desk/batch_form",
        status,
        errors=errors,
        product=product,
        before=before,
        profile=load_profiles().get(product.category),
        official=before is not None and before.inspection is not None and before.inspection.origin is Origin.OFFICIAL,
        typed=typed,
        units=words(UNITS),
        language=chosen_language(),
        today=operations.today_of(services()),
    )


def _typed_of(before: Batch | None) -> dict[str, str]:
    """What the form of a known batch starts with."""
    if before is None:
        return {}
    typed = {
        "lot": before.lot, "production_date": before.production_date.isoformat(), "quantity": before.quantity,
        "uom": before.uom, "expiry_date": before.expiry_date.isoformat() if before.expiry_date else "",
    }  # fmt: skip
    for one in before.certificates:
        for part, value in rules.certificate_entry(one).items():
            typed[f"{one.kind}-{part}"] = value
    if before.inspection is not None:
        typed |= {
            "inspection-passed": "yes" if before.inspection.passed else "no",
            "inspection-report_no": before.inspection.report_no, "inspection-body": before.inspection.body,
            "inspection-inspected_on": before.inspection.inspected_on.isoformat(),
        }  # fmt: skip
    return typed


def _wanted() -> Filter:
    text = request.args.get("state", "")
    return Filter(text) if text in FILTERS else Filter.ALL


def _named() -> tuple[str, str]:
    return request.args.get("gtin", "")[:14], request.args.get("lot", "")[:20]


def _after() -> tuple[date, str, str] | None:
    parts = request.args.get("cursor", "")[:64].split("~", 2)
    if len(parts) != 3:
        return None
    try:
        return date.fromisoformat(parts[0]), parts[1], parts[2]
    except ValueError as error:
        raise InputError("this is no cursor of this server", where="cursor") from error


def _link(path: str, gtin: str, lot: str) -> str:
    return f"{path}?{urlencode({'gtin': gtin, 'lot': lot})}"
