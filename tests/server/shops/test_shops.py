"""Marks, reports of platforms and takedown notices by their faces: API, command line, public page and badge."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from tests.server.detect.make import LICENCE, LOT, RECALL, SOURCE, USCC, world
from tests.server.ingest.make import GTIN, NOW
from tests.server.shops.make import HOUR, PLATFORM, URL, services, shop
from trace_core.errors import Conflict, InputError, NotAllowed
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Role
from trace_server.app import create_app
from trace_server.audit import store as audit
from trace_server.config import Settings
from trace_server.db import Database
from trace_server.shops import operations, rules
from trace_server.shops.cli import shop as command
from trace_server.shops.model import MarkEvent
from trace_server.shops.operations import NewShop

NEW = {"name": "示例网店", "platform": PLATFORM, "platform_name": "示例平台", "url": URL, "uscc": USCC}
ROW = {
    "listing_no": "A1", "seller_uscc": USCC, "gtin": GTIN, "lot": LOT, "url": URL,
    "listed_at": "2026-01-02T00:00:00+08:00", "as_of": "2026-01-02T00:00:00+08:00",
}  # fmt: skip


@pytest.fixture
def http(database: Database) -> Iterator[FlaskClient]:
    app = create_app(Settings(code_secret="k=" + "a" * 43), database)
    yield app.test_client()


def bearer(db: Database, role: Role, subject: str = "") -> dict[str, str]:
    _, token = accounts.add_client(db, NOW, "cli:a", name=f"{role.value}-{subject}", role=role, subject=subject)
    return {"Authorization": f"Bearer {token}"}


def test_a_mark_is_asked_for_by_one_and_confirmed_by_another(database: Database, http: FlaskClient) -> None:
    one, two = bearer(database, Role.REGULATOR), bearer(database, Role.REGULATOR, "x")
    made = http.post("/api/v1/shops", json=NEW, headers=one)
    assert (made.status_code, made.get_json()["state"]) == (201, "pending")
    mark = made.get_json()["mark"]
    step = {"event": "confirm", "version": 1, "reason": "核验通过"}
    steps = f"/api/v1/shops/{mark}/steps"
    assert http.post(steps, json=step, headers=one).status_code == 403
    assert http.get(f"/api/v1/shops/{mark}").get_json()["standing"] == "pending"
    assert http.post(steps, json=step, headers=two).get_json()["state"] == "active"
    assert http.post(steps, json=step, headers=two).status_code == 409
    told = http.get(f"/api/v1/shops/{mark[:5].lower()}-{mark[5:]}").get_json()
    assert (told["standing"], told["uscc"], told["is_person"]) == ("valid", USCC, False)
    assert http.get("/api/v1/shops/AAAAAAAAAA").status_code == 404
    assert [row["mark"] for row in http.get("/api/v1/shops", headers=two).get_json()["items"]] == [mark]
    assert http.get("/api/v1/shops", headers=bearer(database, Role.PLATFORM, PLATFORM)).status_code == 403
    with database.read() as conn:
        actions = [entry.action for entry in audit.entries(conn) if entry.action.startswith("shop.")]
    assert actions == ["shop.register", "shop.confirm"]


def test_a_platform_reports_is_told_and_answers(database: Database, http: FlaskClient) -> None:
    world(database, recall=RECALL)
    mine, foreign = bearer(database, Role.PLATFORM, PLATFORM), bearer(database, Role.PLATFORM, USCC)
    listings = {"listings": [ROW, ROW | {"listing_no": "A2", "lot": "OTHER"}]}
    assert http.post("/api/v1/platform/listings", json=listings, headers=mine).get_json() == {"taken": 2}
    older = {"listings": [ROW | {"as_of": "2026-01-01T00:00:00+08:00", "ended_at": "2026-01-03T00:00:00+08:00"}]}
    assert http.post("/api/v1/platform/listings", json=older, headers=mine).get_json() == {"taken": 0}
    sale = {"sale_no": "S1", "listing_no": "A1", "gtin": GTIN, "lot": LOT, "quantity": "2", "sold_at": ROW["as_of"]}
    assert http.post("/api/v1/platform/sales", json={"sales": [sale]}, headers=mine).get_json() == {"taken": 1}
    operations.issue_due(services(database))
    told = http.get("/api/v1/platform/takedowns", headers=mine).get_json()
    (notice,) = told["items"]
    assert (notice["listing_no"], notice["due_at"]) == ("A1", (NOW + 24 * HOUR).isoformat())
    assert notice["keep_until"] == "2029-11-24"
    more = http.get(f"/api/v1/platform/takedowns?cursor={told['next_cursor']}", headers=mine).get_json()
    assert more["items"] == []
    assert http.get("/api/v1/platform/takedowns", headers=foreign).get_json()["items"] == []
    url, answer = f"/api/v1/platform/takedowns/{notice['notice_id']}/answer", {"outcome": "removed", "text": "已下架"}
    assert http.post(url, json=answer, headers=foreign).status_code == 404
    done = http.post(url, json=answer | {"removed_at": "2026-01-05T00:00:00+08:00"}, headers=mine).get_json()
    assert (done["state"], done["outcome"]) == ("answered", "removed")
    office = http.get("/api/v1/takedowns", headers=bearer(database, Role.REGULATOR)).get_json()
    assert office["items"][0]["answer"] == "已下架"


@pytest.mark.parametrize(
    ("where", "change"),
    [
        ("listings", {"url": "javascript:alert(1)"}),
        ("listings", {"as_of": "2999-01-01T00:00:00Z"}),
        ("listings", {"ended_at": "2025-01-01T00:00:00Z"}),
        ("listings", {"gtin": "10614141073465"}),
        ("listings", {"seller_uscc": "91320900MA1T000211"}),
        ("listings", {"listed_at": "2026-01-02"}),
        ("sales", {"quantity": "NaN"}),
        ("sales", {"quantity": "-1"}),
    ],
)
def test_a_wrong_report_is_refused_whole(
    database: Database, http: FlaskClient, where: str, change: dict[str, Any]
) -> None:
    sale = {"sale_no": "S1", "listing_no": "A1", "gtin": GTIN, "lot": LOT, "quantity": "2", "sold_at": ROW["as_of"]}
    row = (ROW if where == "listings" else sale) | change
    headers = bearer(database, Role.PLATFORM, PLATFORM)
    assert http.post(f"/api/v1/platform/{where}", json={where: [row]}, headers=headers).status_code == 400
    assert http.get("/api/v1/platform/takedowns?cursor=eA==", headers=headers).status_code == 400


def test_the_page_and_the_badge_show_the_state_of_now_in_both_languages(database: Database, http: FlaskClient) -> None:
    world(database, licences=[SOURCE | LICENCE | {"valid_to": "2099-01-01", "state": "valid"}])
    mark = shop(database, licence_no="SC1").mark
    assert_shown(http, mark, 200, "标识有效", "The mark is valid")
    page = http.get(f"/shop/{mark}").get_data(as_text=True)
    assert URL.replace("&", "&amp;") in page
    assert f'href="/credit/{USCC}"' in page
    world(database, licences=[SOURCE | LICENCE | {"valid_to": "2099-01-01", "state": "revoked"}])
    assert_shown(http, mark, 200, "许可证无效", "No valid licence")
    operations.take_step(services(database), "two", mark, MarkEvent.SUSPEND, version=2, reason="示例")
    assert_shown(http, mark, 200, "标识已暂停", "The mark is suspended")
    operations.take_step(services(database), "two", mark, MarkEvent.REVOKE, version=3, reason="示例")
    assert_shown(http, mark, 200, "标识已撤销", "The mark is revoked")
    assert_shown(http, "<script>", 404, "没有这个标识", "There is no such mark")


def assert_shown(http: FlaskClient, mark: str, status: int, zh: str, en: str) -> None:
    for language, word in (("zh", zh), ("en", en)):
        page = http.get(f"/shop/{mark}?lang={language}")
        assert page.status_code == status
        assert f"<h1>{word}</h1>" in page.get_data(as_text=True)
        assert "<script" not in page.get_data(as_text=True)
        badge = http.get(f"/shop/{mark}/badge.svg?lang={language}")
        assert badge.status_code == status
        assert badge.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert "max-age=60" in badge.headers["Cache-Control"]
        drawn = ElementTree.fromstring(badge.get_data(as_text=True))
        assert word in drawn.attrib["aria-label"]


def test_of_a_person_the_page_tells_nothing_but_that_somebody_knows(database: Database, http: FlaskClient) -> None:
    made = shop(database, uscc="", person_ref="sealed-4711")
    page = http.get(f"/shop/{made.mark}").get_data(as_text=True)
    assert "个人，身份已核验，姓名不公开" in page
    assert "sealed-4711" not in page
    assert "person_ref" not in http.get(f"/api/v1/shops/{made.mark}").get_json()


def test_a_mark_needs_one_seller_and_an_address_of_the_web(database: Database) -> None:
    for change in (
        {"person_ref": "x"},
        {"uscc": ""},
        {"url": "ftp://x.cn"},
        {"url": "https://a:b@x.cn"},
        {"name": " "},
    ):
        with pytest.raises(InputError):
            operations.register(services(database), "one", NewShop(**NEW | change))
    made = operations.register(services(database), "one", NewShop(**NEW))
    step: dict[str, Any] = {"version": 1, "reason": "示例"}
    with pytest.raises(NotAllowed):
        operations.take_step(services(database), "one", made.mark, MarkEvent.CONFIRM, **step)
    with pytest.raises(Conflict):
        operations.take_step(services(database), "two", made.mark, MarkEvent.RESUME, **step)


def test_the_command_line_registers_confirms_and_lists(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    run, outside = CliRunner(), services(database)
    options = [part for name, value in NEW.items() for part in (f"--{name.replace('_', '-')}", value)]
    made = json.loads(run.invoke(command, ["register", *options, "--json"], obj=outside).output)
    monkeypatch.setattr("trace_server.shops.cli.operator_name", lambda: "cli:second")
    step = ["step", made["mark"], "confirm", "--version", "1", "--reason", "示例"]
    assert "active" in run.invoke(command, step, obj=outside).output
    assert made["mark"] in run.invoke(command, ["list"], obj=outside).output
    told = run.invoke(command, ["takedowns", "--platform", PLATFORM, "--json"], obj=outside)
    assert json.loads(told.output) == {"takedowns": []}


@given(st.text(max_size=80))
def test_only_addresses_of_the_web_are_taken(text: str) -> None:
    for candidate in (text, f"https://{text}", f"HTTP://{text}"):
        try:
            taken = rules.shop_url(candidate, "url")
        except InputError:
            continue
        assert taken.lower().startswith(("http://", "https://"))
        assert taken.isprintable()
        assert "@" not in taken.split("/")[2]


@given(st.text(max_size=40))
def test_a_mark_is_read_as_people_write_it(text: str) -> None:
    mark = rules.new_mark()
    assert rules.read_mark(f" {mark[:4].lower()}-{mark[4:]} ") == mark
    assert rules.read_mark(text) in ("", text.replace(" ", "").replace("-", "").upper())
