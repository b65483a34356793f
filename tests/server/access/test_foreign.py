"""Route by foreign object: what belongs to another company, office, region or category is neither shown nor changed.

Every route with an argument is in one of three tables; a new one without an entry fails. An entry of `FOREIGN` is
tried by the second of two, then by the first: it has to exist, or its refusal would prove nothing.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field

from tests.server.access.world import furnish, open_app
from trace_server.accounts.access import PUBLIC, SIGNED, declared_access
from trace_server.accounts.model import FOR_COMPANY, PERMISSIONS, Permission
from trace_server.db import Database

REFUSED = (403, 404, 409)


@dataclass(frozen=True, slots=True)
class Try:
    """`other` asks for what is `owner`'s; `{…}` are names of the world. `endpoint` "": a route without argument."""

    endpoint: str
    other: str
    owner: str
    method: str
    path: str
    body: dict[str, object] = field(default_factory=dict)


_REPAIR: dict[str, object] = {"correction": "c", "papers": ["1"]}
_COUNTS: dict[str, object] = {"in_stock": 1, "sold": 0, "returned": 0, "destroyed": 0}
_CASE_STEP: dict[str, object] = {"event": "dismiss", "text": "x", "version": "1"}
_BATCH: dict[str, object] = {
    "gtin": "{gtin}", "lot": "N1", "producer_uscc": "{farm}", "production_date": "2027-01-01", "quantity": "1",
    "uom": "KGM",
}  # fmt: skip
_PROMISE: dict[str, object] = {
    "subject_name": "示例", "subject_kind": "法人及非法人组织", "subject_code": "{farm}", "type": "主动型",
    "cause": "a", "content": "b", "liability": "c", "made_on": "2027-06-01", "valid_until": "2028-06-01",
    "acceptor_name": "示例市市场监督管理局", "acceptor_code": "11320900MB0000000U", "publicity": "可向社会公开",
}  # fmt: skip
_RANGE: dict[str, object] = {"uscc": "{farm}", "gtin": "{gtin}", "first": "B1", "last": "B9", "purpose": "p"}
_LINK: dict[str, object] = {
    "anchor": "{anchor}",
    "link_type": "gs1:instructions",
    "href": "https://{host}/x",
    "title": "x",
}

FOREIGN = (
    Try("ingest.capture_job", "firm-2", "firm", "GET", "/api/v1/capture/{capture}"),
    Try("jobs.get_job", "firm-2", "firm", "GET", "/api/v1/jobs/{job}"),
    Try("repairs.hand_in_again", "firm-2", "office", "POST", "/api/v1/credit/repairs/{application}/again",
        _REPAIR | {"version": 1}),
    Try("exchange.list_deliveries", "office-2", "office", "GET", "/api/v1/credit/hooks/{hook}/deliveries"),
    Try("exchange.replay", "office-2", "office", "POST", "/api/v1/credit/hooks/{hook}/replay"),
    Try("exchange.change_secret", "office-2", "office", "POST", "/api/v1/credit/hooks/{hook}/secret",
        {"secret": "another secret 16"}),
    Try("exchange.end_hook", "office-2", "office", "DELETE", "/api/v1/credit/hooks/{hook}"),
    Try("commitments.one", "firm-2", "firm", "GET", "/api/v1/credit/commitments/{commitment}"),
    Try("objections.one", "firm-2", "firm", "GET", "/api/v1/credit/objections/{objection}"),
    Try("shops.answer", "platform-2", "platform", "POST", "/api/v1/platform/takedowns/{notice}/answer",
        {"outcome": "disputed", "text": "x"}),
    Try("recall.answer", "firm-2", "firm", "PUT", "/api/v1/recalls/{recall}/answer", _COUNTS),
    Try("reports.one", "firm-2", "firm", "GET", "/api/v1/reports/{own_report}"),
    Try("resolver.remove_link", "firm-2", "firm", "DELETE", "/api/v1/resolver/links/{link}?anchor={anchor}"),
    Try("subscriptions.show_subscription", "bureau-2", "bureau", "GET",
        "/api/v1/queries/milk/subscriptions/{subscription}"),
    Try("subscriptions.unsubscribe", "bureau-2", "bureau", "DELETE",
        "/api/v1/queries/milk/subscriptions/{subscription}"),
    Try("query.forget_query", "bureau-2", "bureau", "DELETE", "/api/v1/queries/milk"),
    Try("", "firm-2", "firm", "POST", "/api/v1/batches", _BATCH),
    Try("", "firm-2", "firm", "POST", "/api/v1/credit/commitments", _PROMISE),
    Try("", "firm-2", "firm", "POST", "/api/v1/ranges", _RANGE),
    Try("", "firm-2", "firm", "POST", "/api/v1/resolver/links", _LINK),
    Try("", "firm-2", "firm", "GET", "/api/v1/equipment/one?uri={tag}"),
    Try("", "firm-2", "firm", "POST", "/api/v1/equipment/steps", {"uri": "{tag}", "version": 1, "step": "put_in_use"}),
    Try("", "firm-2", "firm", "POST", "/api/v1/reports",
        {"kind": "credit", "usccs": ["{farm}"], "purpose": "投标用途"}),
    Try("console.cases.case_page", "county", "city", "GET", "/console/cases/{case}"),
    Try("console.cases.case_page", "gas", "city", "GET", "/console/cases/{case}"),
    Try("console.cases.take_step", "county", "city", "POST", "/console/cases/{case}/steps", _CASE_STEP),
    Try("console.complaints.complaint_page", "county", "city", "GET", "/console/complaints/{complaint}"),
    Try("console.commitments.commitment_page", "neighbour", "farmer", "GET", "/console/commitments/{commitment}"),
    Try("console.objections.objection_page", "neighbour", "farmer", "GET", "/console/objections/{objection}"),
    Try("console.reports.report_page", "neighbour", "farmer", "GET", "/console/reports/{report}"),
    Try("", "neighbour", "farmer", "GET", "/desk/batches/one?gtin={gtin}&lot={lot}"),
    Try("desk.archive.repair_form", "neighbour", "farmer", "GET", "/desk/archive/repair/{record}"),
    Try("", "neighbour", "farmer", "POST", "/desk/recalls", {"recall_id": "{recall}", **{
        name: str(count) for name, count in _COUNTS.items()}}),
    Try("desk.clients.rotate", "neighbour", "farmer", "POST", "/desk/clients/{client}/rotate"),
    Try("desk.clients.revoke", "neighbour", "farmer", "POST", "/desk/clients/{client}/revoke"),
)  # fmt: skip

_HANDLING = "tests.server.complaints.test_handling:"
_LOCAL = f"{_HANDLING}test_somebody_sees_his_regions_and_retaliation_is_the_offices_alone"
PROVED = {
    "console.alerts.alert_page": "tests.server.console.test_desks:test_a_county_sees_its_own_alerts_and_the_city_all",
    **{f"console.complaints.{name}": _LOCAL for name in ("photo", "identity", "reward", "take_step")},
    "desk.archive.repair": "tests.server.desk.test_duties:test_a_repair_is_applied_for_free_of_charge",
    "users.end_session": "tests.server.access.test_foreign:test_nobody_ends_anothers_session",
    "reports.file": "tests.server.reports.test_reports:test_a_company_has_reports_on_itself_only",
    "console.reports.file": "tests.server.reports.test_reports:test_a_company_has_reports_on_itself_only",
}
"""Endpoint → the test elsewhere that holds it to its owner."""

WHOLE = {
    "an authority decides on everybody's": (
        "commitments:decide", "objections:decide", "repairs:decide", "ranges:grant", "reports:withdraw",
        "credit:record", "credit:read", "restrictions:check", "lists:manage", "equipment:inspect", "shops:manage",
        "indications:manage",
    ),
    "events, recalls and quarantine are read and run for the whole city": (
        "events:read", "recalls:read", "recalls:manage", "quarantine:replay", "quarantine:read",
    ),
    "registers, files, policies and plans are the authorities' own": (
        "registers:read", "registers:write", "imports:read", "imports:submit", "policies:read", "policies:draft",
        "policies:approve", "inspections:read", "inspections:plan", "inspections:do", "gateways:read",
    ),
    "the fleet, clients and links' hosts are the administrator's": (
        "gateways:manage", "clients:manage", "users:manage", "audit:read", "resolver:manage", "masterdata:write",
    ),
}  # fmt: skip
"""Why → permissions that no company's role has and whose objects belong to nobody in particular."""

SHARED = {
    "an authority's clients act for the whole city": (
        "cases.read_case", "cases.decide", "cases.add_note", "cases.answer_transfer", "cases.take_step",
        "cases.transfer", "cases.open_joint",
    ),
    "the argument is a direction, a paper size or a kind of file, the company is the session's": (
        "desk.batches.export", "desk.labels.sheet", "desk.labels.one",
    ),
}  # fmt: skip
"""Why → endpoints of other permissions whose objects are nobody's or whose caller is not bound to a part."""


def test_every_route_with_an_argument_says_whose_object_it_is(database: Database) -> None:
    app, _ = open_app(database)
    told = {one.endpoint for one in FOREIGN} | set(PROVED) | {name for names in SHARED.values() for name in names}
    whole = {name for names in WHOLE.values() for name in names} | {PUBLIC, SIGNED}
    routes = {
        rule.endpoint: declared_access(app.view_functions[rule.endpoint])
        for rule in app.url_map.iter_rules()
        if rule.arguments
    }
    silent = {name for name, declared in routes.items() if declared not in whole} - told
    assert not silent, f"add to a table of this file: {sorted(silent)}"
    assert not told - set(routes) - {""}, "there is no such route"
    for place in PROVED.values():
        module, _, name = place.partition(":")
        assert callable(getattr(importlib.import_module(module), name)), place


def test_no_company_holds_a_permission_over_everybody() -> None:
    whole = {name for names in WHOLE.values() for name in names}
    for role in FOR_COMPANY:
        assert not whole & PERMISSIONS[role], role
    assert whole <= set(Permission)


def test_what_is_anothers_is_neither_shown_nor_changed(database: Database) -> None:
    world = furnish(database)
    for one in FOREIGN:
        found = world.call(one.other, one.method, one.path, one.body)
        assert found.status_code in REFUSED, f"{one.other} {one.method} {one.path}: {found.status_code} {found.text}"
    for one in FOREIGN:
        found = world.call(one.owner, one.method, one.path, one.body)
        assert found.status_code not in (401, 403, 404), f"{one.owner} {one.path}: {found.text[:2000]}"


LISTS = (
    ("firm-2", "firm", "/api/v1/credit/repairs", "application"),
    ("firm-2", "firm", "/api/v1/credit/commitments", "commitment"),
    ("firm-2", "firm", "/api/v1/credit/objections", "objection"),
    ("firm-2", "firm", "/api/v1/reports", "own_report"),
    ("firm-2", "firm", "/api/v1/equipment?owner={farm}", "tag"),
    ("firm-2", "firm", "/api/v1/ranges?uscc={farm}", "gtin"),
    ("firm-2", "firm", "/api/v1/recalls/notices", "recall"),
    ("platform-2", "platform", "/api/v1/platform/takedowns", "notice"),
    ("office-2", "office", "/api/v1/credit/hooks", "hook"),
    ("bureau-2", "bureau", "/api/v1/queries/milk/subscriptions", "subscription"),
    ("county", "city", "/console/cases", "case"),
    ("gas", "city", "/console/cases", "case"),
    ("county", "city", "/console/complaints", "complaint"),
    ("neighbour", "farmer", "/console/commitments", "commitment"),
    ("neighbour", "farmer", "/console/objections", "objection"),
    ("neighbour", "farmer", "/console/reports", "report"),
    ("neighbour", "farmer", "/desk/batches", "gtin"),
    ("neighbour", "farmer", "/desk/ranges", "gtin"),
    ("neighbour", "farmer", "/desk/recalls", "recall"),
    ("neighbour", "farmer", "/desk/archive", "farm"),
    ("neighbour", "farmer", "/desk/clients", "client"),
)
"""Who must not see, who must, on which list, which name of the world."""


def test_lists_hold_ones_own_only(database: Database) -> None:
    world = furnish(database)
    for other, owner, path, name in LISTS:
        hidden, shown = world.call(other, "GET", path), world.call(owner, "GET", path)
        assert (hidden.status_code, shown.status_code) == (200, 200), path
        assert world.names[name] not in hidden.text, f"{other} sees {name} on {path}"
        assert world.names[name] in shown.text, f"{owner} does not see {name} on {path}"


def test_nobody_ends_anothers_session(database: Database) -> None:
    world = furnish(database)
    world.call("neighbour", "POST", "/console/account/sessions/s-farmer/end")
    assert world.call("farmer", "GET", "/console/account").status_code == 200
    world.call("farmer", "POST", "/console/account/sessions/s-farmer/end")
    assert world.call("farmer", "GET", "/console/account").status_code == 303
