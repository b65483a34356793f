"""What the public reads of a piece of equipment, at the page of its tag and at the page of its printed code."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from tests.server.portal import make
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Role
from trace_server.app import create_app
from trace_server.catalog import operations as catalog
from trace_server.config import Settings
from trace_server.db import Database
from trace_server.equipment import operations
from trace_server.equipment.operations import Caller, Result
from trace_server.equipment.rules import Registration
from trace_server.portal.pages import PORTAL
from trace_server.services import EXTENSION, Services
from trace_server.trace.cli import acts

NOW, TODAY = make.NOW, date(2026, 11, 24)
CALLER = Caller("test")
TAG = "urn:epc:id:grai:6901234.00001.17"
LIFT = "urn:epc:id:giai:6901234.L17"
MAX_BYTES = 14 * 1024
CYLINDER = Registration(
    uri=TAG,
    owner=make.PRODUCER,
    source="使用登记资料",
    device_code="232010890202200017",
    registration_no="瓶10苏J00001(22)",
    maintainer=make.HAULIER,
    medium="lpg",
    in_use_on=date(2022, 6, 1),
    inspection_due=date(2027, 5, 1),
    scrap_on=date(2030, 5, 1),
)


@pytest.fixture
def http(database: Database) -> Iterator[FlaskClient]:
    app = create_app(Settings(code_secret=make.SECRET, public_url="https://trace.example"), database)
    app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], clock=lambda: NOW)
    make.load(database)
    yield app.test_client()
    app.extensions[PORTAL].close()


def register(db: Database, **changes: Any) -> None:
    operations.register(db, NOW, CALLER, replace(CYLINDER, **changes))


def filled(tag: str = TAG, **changes: Any) -> dict[str, Any]:
    told = {"suyuan:act": "filling", "suyuan:medium": "lpg", "suyuan:weightKg": 14.5} | changes
    return (
        make.event("ObjectEvent", "2026-11-23T09:00:00", "accepting", make.DOCK, action="OBSERVE", epcList=[tag]) | told
    )


STATES: Sequence[tuple[dict[str, Any], str, str]] = (
    ({}, "正常", "检验在有效期内"),
    ({"inspection_due": date(2026, 11, 23)}, "提示", "已超期 1 天"),
    ({"inspection_due": date(2026, 12, 1)}, "提示", "还剩 7 天"),
    ({"scrap_on": date(2026, 11, 24)}, "提示", "已报废"),
    ({"registration_no": ""}, "提示", "没有查到这台设备的使用登记"),
)


def test_the_page_of_a_tag_says_whether_the_thing_may_be_used(database: Database, http: FlaskClient) -> None:
    shown = ("下次检验", "维保单位", "示例冷链物流有限公司", "最近充装", "2026年11月23日")
    for number, (changes, word, sentence) in enumerate(STATES):
        tag = f"urn:epc:id:grai:6901234.00001.{number}"
        register(database, uri=tag, device_code=f"23201089020220001{number}", **changes)
        make.capture(database, filled(tag))
        answer = http.get(f"/8003/06901234000016{number}")
        page = answer.get_data(as_text=True)
        assert answer.status_code == 200
        assert f"<h1>{word}</h1>" in page
        for text in (sentence, *shown, changes.get("registration_no", "瓶10苏J00001(22)")):
            assert text in page, (number, text)
        assert len(gzip.compress(page.encode())) <= MAX_BYTES
    english = http.get("/8003/069012340000160?lang=en").get_data(as_text=True)
    assert "Next inspection due" in english
    assert "LPG cylinder" in english


def test_the_page_of_a_lift_names_its_last_maintenance_and_its_links_lead_there(
    database: Database, http: FlaskClient
) -> None:
    register(database, uri=LIFT, kind="lift", device_code="", medium="")
    visit = make.event("ObjectEvent", "2026-11-20T09:00:00", "inspecting", make.DOCK, action="OBSERVE", epcList=[LIFT])
    make.capture(database, visit)
    page = http.get("/8004/6901234L17").get_data(as_text=True)
    assert "最近维保" in page
    assert "2026年11月20日" in page
    assert "最近充装" not in page
    links = http.get("/8004/6901234L17?linkType=linkset")
    assert links.status_code == 200
    assert "设备信息" in links.get_data(as_text=True)


def test_a_tag_that_nobody_registered_has_a_page_that_says_so(http: FlaskClient) -> None:
    page = http.get("/8004/6901234L99").get_data(as_text=True)
    assert "不是本平台登记的" in page


def sold_as_goods(db: Database) -> None:
    """The carton's code is now the code of a cylinder with a printed label."""
    changed = make.product(category="special_equipment", name="示例牌液化石油气瓶", name_en="Example LPG cylinder")
    done = catalog.import_document(db, {"products": [changed]}, actor="test", now=NOW)
    assert not done.errors, done.errors


def test_the_page_of_a_printed_code_shows_the_register_instead_of_the_journey(
    database: Database, http: FlaskClient
) -> None:
    sold_as_goods(database)
    unknown = http.get(make.signed_path()).get_data(as_text=True)
    assert "没有查到这台设备的使用登记" in unknown
    register(database, uri=make.ITEM, inspection_due=date(2026, 11, 1))
    make.capture(database, filled(make.ITEM))
    page = http.get(make.signed_path()).get_data(as_text=True)
    for text in ("<h1>提示</h1>", "检验已超期", "已超期 23 天", "最近充装", "下次检验"):
        assert text in page, text
    assert "流通记录</h2>" not in page
    result = Result(TODAY, "QP-1", "示例特检院", passed=True, next_due=TODAY + timedelta(days=700))
    operations.inspect(database, NOW, CALLER, make.ITEM, result, revision=1)
    after = http.get(make.signed_path()).get_data(as_text=True)
    for text in ("<h1>正常</h1>", "QP-1", "示例特检院", "官方信息"):
        assert text in after, text
    operations.scrap(database, NOW, CALLER, make.ITEM, revision=2, reason="报废")
    assert "这台设备已报废" in http.get(make.signed_path()).get_data(as_text=True)
    for language in ("zh-CN", "en"):
        packed = http.get(make.signed_path(language=language), headers={"Accept-Encoding": "gzip"}).get_data()
        assert len(packed) <= MAX_BYTES


def test_the_acts_of_a_thing_are_listed_as_its_events_tell_them(database: Database, http: FlaskClient) -> None:
    refused = {"suyuan:refusedAct": "overdue"}
    check = make.event("ObjectEvent", "2026-11-23T08:50:00", "inspecting", make.DOCK, action="OBSERVE", epcList=[TAG])
    make.capture(database, filled(**refused), check | {"suyuan:check": "passed", "suyuan:checkStage": "pre"})
    _, token = accounts.add_client(database, NOW, "test", name="r", role=Role.REGULATOR)
    head = {"Authorization": f"Bearer {token}"}
    answer = http.get("/api/v1/trace/acts", query_string={"uri": TAG}, headers=head)
    assert answer.json is not None
    told = [
        (act["kind"], act["medium"], act["weight_kg"], act["passed"], act["refused"]) for act in answer.json["acts"]
    ]
    assert told == [("pre_check", "", None, True, ""), ("filling", "lpg", 14.5, None, "overdue")]
    services = Services(database, Settings(code_secret=make.SECRET), lambda: NOW)
    done = CliRunner().invoke(acts, [TAG, "--json"], obj=services)
    assert json.loads(done.stdout) == answer.json
    plain = CliRunner().invoke(acts, [TAG], obj=services).stdout
    assert "filling, lpg, 14.5 kg, although refused: overdue at " in plain
