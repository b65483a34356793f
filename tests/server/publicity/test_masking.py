"""Nothing of a person and nothing sealed is on any page, in any file or feed that the public can ask for.

Sentinels are planted wherever such a thing is kept; then every public address of the application is read.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from flask import Flask
from werkzeug.routing import Rule

from tests.server.complaints import make as complaints
from tests.server.credit import make as credit
from tests.server.portal import make as trade
from tests.server.publicity import make
from tests.server.shops import make as online
from trace_server.accounts.access import PUBLIC, declared_access
from trace_server.app import create_app
from trace_server.config import Settings
from trace_server.credit.operations import withdraw
from trace_server.credit.steps import Paper
from trace_server.db import Database
from trace_server.portal import labels
from trace_server.portal.model import Code
from trace_server.portal.signature import CodeKeys
from trace_server.publicity import rules
from trace_server.publicity.datasets import DATASETS
from trace_server.publicity.opendata import FORMATS
from trace_server.services import EXTENSION, Services

CARD = "320902199001012394"
MOBILE = "13800000417"
SENTINELS = (
    credit.SECRET, "REP-CARD-0417", "示例庚辛", "示例丙丁", CARD, MOBILE, "138-0000-0417", "内部备注0417",
    complaints.NAME, complaints.CONTACT, complaints.WHAT, "私宅巷17号", "经办人0417", "98765.4321",
)  # fmt: skip
"""Documents, names, numbers, remarks, a report with who sent it, a private address, a clerk, a quantity."""


@pytest.fixture
def app(database: Database) -> Flask:
    settings = Settings(code_secret=trade.SECRET, sealed_key="s" * 32)
    made = create_app(settings, database)
    made.extensions[EXTENSION] = replace(made.extensions[EXTENSION], clock=lambda: trade.NOW)
    return made


def plant(outside: Services) -> dict[str, list[str]]:
    """Put the sentinels where they are kept; what the addresses of public routes may name, by variable."""
    trade.load(outside.db, batches=[trade.batch(quantity="98765.4321")])
    trade.capture(outside.db, *trade.whole_way())
    made = make.fill(outside)
    told: dict[str, Any] = {
        "CF_FRDB": "示例庚辛", "CF_FR_ZJLX": "身份证", "CF_FR_ZJHM": "REP-CARD-0417", "BZ": "内部备注0417",
        "CF_SY": f"当事人（电话{MOBILE}）销售过期食品。", "CF_NR": "罚款二万元，联系138-0000-0417",
    }  # fmt: skip
    texts = make.decided(outside, 3, "示市监罚〔2026〕901号", **told)
    person = make.person(outside, "示市监罚〔2026〕902号", CF_SY="示例丙丁在私宅销售。", BZ="住私宅巷17号")
    gone = make.person(outside, "示市监罚〔2026〕903号")
    withdraw(outside, gone, Paper("经办人0417", f"示例丙丁（{MOBILE}）申请复议，决定撤销", "示复决〔2026〕9号"))
    entry = make.member(outside, "serious", 9, reason=f"负责人身份证{CARD}，电话{MOBILE}")
    later = Services(outside.db, outside.settings, lambda: trade.NOW + timedelta(seconds=1))
    complaints.sent(later, is_named=True, name=complaints.NAME, contact=complaints.CONTACT, place="私宅巷17号")
    shop = online.shop(outside.db, uscc=trade.PRODUCER)
    code = Code(trade.GTIN, trade.LOT, trade.SERIAL)
    link = urlsplit(labels.link("https://x.test", code, CodeKeys.parse(trade.SECRET)))
    return {
        "rest": [f"{link.path.removeprefix('/01/')}?{link.query}", f"{trade.GTIN}/10/{trade.LOT}", trade.GTIN],
        "code": [credit.SUBJECT, trade.PRODUCER, "not_found"],
        "record_id": [texts, person, gone, made.gone, made.late],
        "membership_id": [entry, made.entry, made.industry_entry],
        "list_id": ["serious", "abnormal", "red", "industry_black"],
        "recall_id": [made.open_recall, made.closed_recall],
        "name": [*DATASETS, "style.css"],
        "form": [*FORMATS],
        "mark": [shop.mark],
        **{name: ["nothing"] for name in ("number", "report_no", "plan_id", "gi_id", "token", "step")},
    }


def addresses(app: Flask, values: dict[str, list[str]]) -> Iterator[str]:
    """Every public address that is read by GET, with every value that its variables may have."""
    rule: Rule
    for rule in app.url_map.iter_rules():
        if declared_access(app.view_functions[rule.endpoint]) != PUBLIC or "GET" not in (rule.methods or ()):
            continue
        names = sorted(rule.arguments)
        assert set(names) <= set(values), f"say what {rule.rule} may name"
        for chosen in product(*(values[name] for name in names)):
            path = rule.rule
            for name, value in zip(names, chosen, strict=True):
                for spelled in (f"<{name}>", f"<path:{name}>"):
                    path = path.replace(spelled, value if "?" in value else quote(value))
            yield path


def texts_of(data: bytes) -> str:
    if not data.startswith(b"PK"):
        return data.decode("utf-8")
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        return "".join(book.read(name).decode("utf-8") for name in book.namelist())


def test_no_public_page_file_or_feed_holds_anything_of_a_person(app: Flask) -> None:
    outside: Services = app.extensions[EXTENSION]
    values = plant(outside)
    http, seen = app.test_client(), 0
    extra = ["/penalties?q=食品", "/credit?q=示例", f"/find?code=(01){trade.GTIN}", "/recalls?state=closed"]
    for path in [*addresses(app, values), *extra]:
        for language in ("zh-CN", "en"):
            answer = http.get(path, headers={"Accept-Language": language})
            assert answer.status_code < 500, path
            text = texts_of(answer.data)
            assert [word for word in SENTINELS if word in text] == [], path
            seen += answer.status_code == 200
    assert seen > 60
    shown = http.get(f"/penalties/{values['record_id'][0]}").text
    assert "当事人（电话***）销售过期食品。" in shown


@pytest.mark.parametrize("code", ["91320900MA1T000210", "12320900466003210D", "52320900MJ5555555K"])
def test_the_net_for_numbers_leaves_codes_of_companies_alone(code: str) -> None:
    assert rules.without_numbers(f"代码{code}，文号123") == f"代码{code}，文号123"


@pytest.mark.parametrize("number", [CARD, CARD[:-1] + "X", MOBILE, "+86 138 0000 0417", "138-0000-0417"])
def test_the_net_for_numbers_catches_cards_and_mobiles(number: str) -> None:
    assert rules.without_numbers(f"联系{number}。") == "联系***。"
