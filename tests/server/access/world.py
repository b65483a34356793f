"""Two of everything: companies, platforms, offices, inspectors. What belongs to the first is foreign to the second."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.server.commitments.make import signed
from tests.server.complaints.make import sent
from tests.server.credit.make import OTHER_SUBJECT as OTHER
from tests.server.desk import make as stock
from tests.server.portal import make
from trace_server.accounts import operations as accounts
from trace_server.accounts import own_clients
from trace_server.accounts.model import FOR_COMPANY, Role
from trace_server.app import create_app
from trace_server.cases import operations as cases
from trace_server.cases.model import Actor
from trace_server.config import Settings
from trace_server.credit.store import of_subject
from trace_server.db import Database
from trace_server.ingest import operations as ingest
from trace_server.ingest.model import ErrorBehaviour
from trace_server.objections import operations as objections
from trace_server.objections.model import TargetKind
from trace_server.objections.operations import Claim
from trace_server.recall import operations as recalls
from trace_server.repairs import operations as repairs
from trace_server.reports import operations as reports
from trace_server.reports.model import Asker, Wish
from trace_server.resolver import operations as resolver
from trace_server.resolver.model import Link
from trace_server.services import EXTENSION, Services
from trace_server.shops import operations as shops
from trace_server.users import rules, store
from trace_server.users.model import Scope, Session, Stage, User, UserState

FARM = stock.FARM
NOW = datetime(2027, 6, 2, 2, 0, tzinfo=UTC)
"""Late enough that the penalty of the farm may be repaired."""
BUREAU = "示例市市场监督管理局"
PLATFORMS = {"platform": "91320900MA1T00037K", "platform-2": "91320900900000030P"}
CITY, COUNTY = "320900", "320981"
TAG = "urn:epc:id:grai:690123499.0001.17"
HOST = "www.example.com"
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')

CLIENTS: Mapping[str, tuple[Role, str]] = {
    "firm": (Role.PRODUCER, FARM),
    "firm-2": (Role.PRODUCER, OTHER),
    **{name: (Role.PLATFORM, uscc) for name, uscc in PLATFORMS.items()},
    **dict.fromkeys(("office", "office-2"), (Role.CREDIT_OFFICE, "")),
    **dict.fromkeys(("bureau", "bureau-2"), (Role.REGULATOR, "")),
}
PEOPLE: Mapping[str, tuple[Role, Scope]] = {
    "farmer": (Role.PRODUCER, Scope(subject=FARM)),
    "neighbour": (Role.PRODUCER, Scope(subject=OTHER)),
    "city": (Role.REGULATOR, Scope(regions=(CITY,))),
    "county": (Role.REGULATOR, Scope(regions=(COUNTY,))),
    "gas": (Role.REGULATOR, Scope(categories=("gas",))),
}


@dataclass(frozen=True, slots=True)
class World:
    """`names`: what is put in the place of `{…}` in a path or body. `tokens`: client → bearer token."""

    app: Flask
    services: Services
    names: Mapping[str, str]
    tokens: Mapping[str, str]

    def call(self, who: str, method: str, path: str, body: Mapping[str, object] | None = None) -> TestResponse:
        """As a client over the interface, or as a person in a browser whose form has its token."""
        where = path.format_map(self.names)
        given = {name: self._fill(value) for name, value in (body or {}).items()}
        if who in self.tokens:
            http = self.app.test_client()
            headers = {"Authorization": f"Bearer {self.tokens[who]}"}
            return http.open(where, method=method, json=given if method in ("POST", "PUT") else None, headers=headers)
        browser = browser_of(self.app, who)
        if method == "GET":
            return browser.get(where)
        found = _TOKEN.search(browser.get("/console/account").text)
        assert found is not None
        return browser.open(where, method=method, data={**given, "csrf_token": found[1]})

    def _fill(self, value: object) -> object:
        if isinstance(value, list):
            return [self._fill(one) for one in value]
        return value.format_map(self.names) if isinstance(value, str) and "{" in value else value


def open_app(db: Database) -> tuple[Flask, Services]:
    """The application on `db` at `NOW`."""
    settings = Settings(code_secret=make.SECRET, sealed_key="s" * 32, webhook_hosts="127.0.0.1")
    app = create_app(settings, db)
    outside = Services(db, settings, lambda: NOW)
    app.extensions[EXTENSION] = outside
    return app, outside


def seat(db: Database, name: str, role: Role, scope: Scope) -> None:
    """An account with a session as two steps of a log-in leave it; the token is the name."""
    user = User(
        user_id=f"u-{name}", name=name, display_name=name, role=role, department=BUREAU, scope=scope,
        state=UserState.ACTIVE, password_hash="", sealed_totp="", totp_step=0, created_at=NOW,
    )  # fmt: skip
    session = Session(f"s-{name}", user.user_id, Stage.FULL, NOW, NOW, NOW, "test")
    with db.begin() as conn:
        store.add_user(conn, user)
        store.add_session(conn, rules.token_hash(name), session)


def browser_of(app: Flask, name: str) -> FlaskClient:
    """A browser with the session of `seat`."""
    browser = app.test_client()
    browser.set_cookie("suyuan-local", name)
    return browser


def scope_of(role: Role) -> Scope:
    """What a person of `role` must have."""
    return Scope(subject=FARM) if role in FOR_COMPANY else Scope()


def client(db: Database, name: str, role: Role, subject: str) -> str:
    """A client's token."""
    return accounts.add_client(db, NOW, "test", name=name, role=role, subject=subject)[1]


def furnish(db: Database) -> World:
    """Everything that a route can name, owned by the first of two."""
    app, outside = open_app(db)
    stock.stock(db)
    tokens = {name: client(db, name, role, subject) for name, (role, subject) in CLIENTS.items()}
    for name, (role, scope) in PEOPLE.items():
        seat(db, name, role, scope)
    seat(db, "city-2", Role.REGULATOR, Scope())
    names = {"farm": FARM, "gtin": stock.GTIN, "lot": stock.LOT, "tag": TAG, "host": HOST}
    names |= _of_the_credit_side(outside) | _of_the_farm(outside) | _of_the_city(outside)
    world = World(app, outside, names, tokens)
    return World(app, outside, names | _told_over_http(world), tokens)


def _of_the_credit_side(outside: Services) -> dict[str, str]:
    with outside.db.read() as conn:
        record = of_subject(conn, FARM)[0].record_id
    application = repairs.apply(
        outside, "client:firm", record, owner=FARM, correction="已整改", promise="属实", papers=("示1号",)
    )
    claim = Claim(TargetKind.RECORD, record, "金额有误", (), "")
    wish = Wish("credit", (FARM,), "申请补贴", "", "")
    report = reports.request(outside, Asker("user:u-farmer", FARM, "farmer"), wish)
    return {
        "record": record,
        "application": application.application_id,
        "objection": objections.raise_objection(outside, "client:firm", claim, owner=FARM).objection_id,
        "commitment": signed(outside, subject_code=FARM).code,
        "report": report.report_no,
    }


def _of_the_farm(outside: Services) -> dict[str, str]:
    db = outside.db
    mine = own_clients.add(db, NOW, "user:u-farmer", FARM, "打印")[0]
    known = next(one for one in accounts.list_clients(db) if one.name == "firm")
    wrong = b'{"@context": ["https://ref.gs1.org/standards/epcis/epcis-context.jsonld"], "type": "ObjectEvent"}'
    owner = f"client:{known.client_id}"
    capture = ingest.capture_document(db, NOW, known.client_id, wrong, ErrorBehaviour.PROCEED, single=True)
    resolver.propose_host(db, NOW, "one", HOST, "the farm's own")
    resolver.approve_host(db, NOW, "two", HOST)
    anchor = f"https://id.gs1.org/01/{stock.GTIN}"
    link = resolver.add_link(db, NOW, owner, Link(anchor, "pip", f"https://{HOST}/berries", "草莓"), owner=FARM)
    job = reports.request(outside, Asker(owner, FARM, "firm"), Wish("credit", (FARM,), "申请补贴", "", ""))
    (notice,) = recalls.notices(db, holder=FARM)
    return {
        "client": mine.client_id,
        "capture": capture.job_key.hex(),
        "link": str(link.link_id),
        "anchor": anchor,
        "job": job.job_id,
        "own_report": job.report_no,
        "recall": notice.recall_id,
    }


def _of_the_city(outside: Services) -> dict[str, str]:
    new = cases.NewCase(title="涉嫌经营过期食品", category="food", region="320902")
    case = cases.open_case(outside, Actor("user:u-city", BUREAU), new)
    _, complaint = sent(outside)
    return {"case": case.case_id, "complaint": complaint.complaint_id}


def _told_over_http(world: World) -> dict[str, str]:
    """What a client tells for itself."""
    row = {
        "listing_no": "A1", "seller_uscc": FARM, "gtin": stock.GTIN, "lot": "F2610", "url": "https://example.com/1",
        "listed_at": "2026-12-02T00:00:00+08:00", "as_of": "2026-12-02T00:00:00+08:00",
    }  # fmt: skip
    told = world.app.test_client().post(
        "/api/v1/platform/listings", json={"listings": [row]},
        headers={"Authorization": f"Bearer {world.tokens['platform']}"},
    )  # fmt: skip
    assert told.get_json() == {"taken": 1}, told.text
    shops.issue_due(world.services)
    notices = world.call("platform", "GET", "/api/v1/platform/takedowns").get_json()["items"]
    hook = {"dest": "http://127.0.0.1:1/hook", "secret": "s" * 16}
    made = world.call("office", "POST", "/api/v1/credit/hooks", hook)
    assert made.status_code == 201, made.text
    kept = world.call("bureau", "POST", "/api/v1/queries", {"name": "milk", "query": {"EQ_action": ["ADD"]}})
    assert kept.status_code == 201, kept.text
    thing = {"uri": TAG, "owner": FARM, "source": "合格证", "kind": "lpg_cylinder"}
    registered = world.call("firm", "POST", "/api/v1/equipment", thing)
    assert registered.status_code == 201, registered.text
    wanted = {"dest": "http://127.0.0.1:1/hook", "signatureToken": "t" * 32, "stream": True}
    subscribed = world.call("bureau", "POST", "/api/v1/queries/milk/subscriptions", wanted)
    assert subscribed.status_code == 201, subscribed.text
    return {
        "notice": notices[0]["notice_id"],
        "hook": made.get_json()["hook_id"],
        "subscription": subscribed.get_json()["subscriptionID"],
    }
