"""Alerts: a list with its filters in the address, one alert with its evidence, and the triage."""

from __future__ import annotations

import csv
import io
from collections import Counter

from flask import Blueprint, Response, request

from trace_core.errors import InputError, NotFound, TraceError
from trace_server.cases import operations as cases
from trace_server.cases.model import Verdict
from trace_server.cases.operations import NewCase
from trace_server.console.pages._answers import go, mistakes, words
from trace_server.console.rule_words import ground, guard, param_ground, rule_word
from trace_server.console.rules import ShownAlert, actor_of, facets
from trace_server.console.words import ALERT_STATES, CATEGORIES, SUBJECT_KINDS, VERDICTS
from trace_server.detect import operations as detect
from trace_server.detect.model import Alert, AlertState
from trace_server.detect.run import registry
from trace_server.faces.rendering import FieldError
from trace_server.ingest import operations as ingest
from trace_server.ingest.wire import read_key, read_place, write_place
from trace_server.services import services
from trace_server.users.access import chosen_language, console, current_person, finish, page

blueprint = Blueprint("alerts", __name__)

PATH = "/console/alerts"
PAGE = 50
MAX_CSV = 10_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\0", "＝", "＋", "－", "＠")


@blueprint.get("/console/alerts")
@console("cases:read")
def list_alerts() -> Response:
    """Newest causes last, as they were opened; each filter is in the address."""
    return _list()


@blueprint.get("/console/alerts.csv")
@console("cases:read")
def export_alerts() -> Response:
    """Exactly the list, as CSV for a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("id", "rule", "state", "subject_kind", "subject", "region", "count", "first_seen", "last_seen"))
    now = services().clock()
    for alert in _find(MAX_CSV):
        cells = (
            alert.alert_key.hex(), alert.rule_id, alert.state, alert.kind_at(now), alert.subject, alert.region,
            alert.count, alert.first_seen.isoformat(), alert.last_seen.isoformat(),
        )  # fmt: skip
        writer.writerow([_safe(str(cell)) for cell in cells])
    response = finish(Response("\ufeff" + out.getvalue(), mimetype="text/csv"))
    response.headers["Content-Disposition"] = 'attachment; filename="alerts.csv"'
    return response


@blueprint.get("/console/alerts/<alert_id>")
@console("cases:read")
def alert_page(alert_id: str) -> Response:
    """What was seen, by which device, and why the rule thinks so."""
    return _one(read_key(alert_id, "alert"))


@blueprint.post("/console/alerts/triage")
@console("cases:handle")
def triage() -> Response:
    """A verdict on the chosen alerts, or a case with them."""
    person = current_person()
    keys = tuple(read_key(text, "alert") for text in request.form.getlist("alert")[:500])
    verdict, reason = request.form.get("verdict", ""), request.form.get("reason", "")
    actor = actor_of(person.user)
    try:
        if not keys:
            raise InputError("choose at least one alert", where="alert")
        if verdict not in VERDICTS:
            raise InputError("choose a verdict", where="verdict")
        if verdict != Verdict.SUSPECTED:
            cases.triage(services(), actor, keys, Verdict(verdict), reason)
            return go(f"{PATH}?done={len(keys)}")
        new = NewCase(
            title=request.form.get("title", "") or reason[:60],
            category=request.form.get("category", "food"),
            region=request.form.get("region", "320900"),
            subject=request.form.get("subject", "").strip(),
            alerts=keys,
            reason=reason,
        )
        return go(f"/console/cases/{cases.open_case(services(), actor, new).case_id}")
    except TraceError as error:
        errors = mistakes(error, "reason")
        back = request.form.get("back", "")
        return _one(keys[0], 400, errors) if back == "one" and keys else _list(400, errors, frozenset(keys))


def _list(status: int = 200, errors: tuple[FieldError, ...] = (), chosen: frozenset[bytes] = frozenset()) -> Response:
    outside, language = services(), chosen_language()
    found = _find(PAGE + 1)
    shown = _shown(found[:PAGE])
    filters = {name: request.args.get(name, "") for name in ("rule", "state", "kind", "region")}
    counts = detect.count_alerts(outside.db, current_person().user.scope.regions)
    rules = registry()
    names = {rule: f"{rule} {one.title_en if language == 'en' else one.title_zh}" for rule, one in rules.items()}
    states, kinds = words(ALERT_STATES), words(SUBJECT_KINDS)
    next_cursor = write_place(found[PAGE - 1].opened_at, found[PAGE - 1].alert_key) if len(found) > PAGE else ""
    return page(
        "alerts",
        status,
        errors=errors,
        alerts=shown,
        now=outside.clock(),
        language=language,
        kinds=kinds,
        states=states,
        verdicts=words(VERDICTS),
        categories=words(CATEGORIES),
        facets=[
            facets(PATH, filters, "state", _sum(counts, 1), states),
            facets(PATH, filters, "kind", _sum(counts, 2), kinds),
            facets(PATH, filters, "rule", _sum(counts, 0), names),
            facets(PATH, filters, "region", {name: n for name, n in _sum(counts, 3).items() if name}, {}),
        ],
        filters=filters,
        next_cursor=next_cursor,
        done=request.args.get("done", ""),
        chosen=chosen,
        may_handle="cases:handle" in current_person().user.permissions,
        typed=request.form,
    )


def _one(key: bytes, status: int = 200, errors: tuple[FieldError, ...] = ()) -> Response:
    outside = services()
    found = detect.find_alert(outside.db, key, current_person().user.scope.regions)
    if found is None:
        raise NotFound("there is no such alert", where="id")
    (shown,) = _shown([found])
    events = ingest.find_events_with(outside.db, [one.event_key for one in found.evidence[:100]])
    return page(
        "alert",
        status,
        errors=errors,
        shown=shown,
        alert=found,
        events={event.event_key: event for event in events},
        now=outside.clock(),
        language=chosen_language(),
        ground=ground,
        guard=guard,
        param_ground=param_ground,
        rule_word=rule_word,
        kinds=words(SUBJECT_KINDS),
        states=words(ALERT_STATES),
        verdicts=words(VERDICTS),
        categories=words(CATEGORIES),
        may_recall="recalls:manage" in current_person().user.permissions,
        may_handle="cases:handle" in current_person().user.permissions,
        typed=request.form,
    )


def _find(limit: int) -> list[Alert]:
    state = request.args.get("state", "")
    return detect.read_alerts(
        services().db,
        rule_id=request.args.get("rule", "")[:16],
        state=AlertState(state) if state in ALERT_STATES else None,
        kind=request.args.get("kind", "")[:16],
        region=request.args.get("region", "")[:6],
        regions=current_person().user.scope.regions,
        after=read_place(request.args.get("cursor", "")[:128]),
        limit=limit,
    )


def _shown(found: list[Alert]) -> list[ShownAlert]:
    rules = registry()
    verdicts = cases.triage_of(services(), [alert.alert_key for alert in found])
    return [ShownAlert(alert, rules.get(alert.rule_id), verdicts.get(alert.alert_key)) for alert in found]


def _sum(counts: dict[tuple[str, str, str, str], int], column: int) -> dict[str, int]:
    total: Counter[str] = Counter()
    for key, count in counts.items():
        total[key[column]] += count
    return dict(total)


def _safe(cell: str) -> str:
    """No spreadsheet takes the cell for a formula (ASVS 1.2.10)."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
