"""The code page in every state: what it says, what it never says, and what it costs."""

from __future__ import annotations

import gzip
import html.parser
import re
import statistics
import time
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.server.portal import make
from tests.server.portal.conftest import Clock
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Role
from trace_server.db import Database, open_database
from trace_server.portal.labels import link
from trace_server.portal.limits import Allowance, Limits
from trace_server.portal.model import Code
from trace_server.portal.pages import NOT_FOUND_S, PORTAL, Portal
from trace_server.portal.signature import CodeKeys
from trace_server.services import EXTENSION, Services

FORBIDDEN = ("正品", "真品", "genuine", "authentic", "保真")
VOID = {"meta", "link", "br", "input", "path", "circle", "rect"}
MAX_BYTES = 14_000


class Tags(html.parser.HTMLParser):
    """Checks that tags nest, ids are unique and nothing runs or loads from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.ids: list[str] = []
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.seen.append(tag)
        self.ids += [values["id"] or ""] if "id" in values else []
        self.faults += [f"{tag} {name}" for name in values if name.startswith("on") or name == "style"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}>")


def check(page: str) -> Tags:
    tags = Tags()
    tags.feed(page)
    assert tags.faults == []
    assert tags.open == []
    assert len(tags.ids) == len(set(tags.ids))
    assert tags.seen.count("h1") == 1
    assert not {"script", "img", "iframe", "object"} & set(tags.seen)
    assert not [word for word in FORBIDDEN if word in page.lower()]
    assert "Traceback" not in page
    return tags


def read(http: FlaskClient, path: str, status: int = 200, *, caller: str = "127.0.0.1", **headers: str) -> str:
    response = http.get(path, headers=headers, environ_base={"REMOTE_ADDR": caller})
    assert response.status_code == status
    page = response.get_data(as_text=True)
    check(page)
    assert "Set-Cookie" not in response.headers
    return page


def heading(page: str) -> str:
    found = re.search(r"<h1>(.*?)</h1>", page)
    assert found
    return found[1]


def test_a_code_with_a_whole_way_is_in_order(database: Database, http: FlaskClient) -> None:
    make.load(database)
    make.capture(database, *make.whole_way())
    page = read(http, make.signed_path())
    assert heading(page) == "正常"
    for word in ("示例牌巴氏杀菌鲜牛奶", "950 mL", make.LOT, "2026年11月20日", "还剩 10 天", "第 1 次查询"):
        assert word in page
    for word in ("示例乳业有限公司", make.PRODUCER, "SC10532090000001", "现无公示中的行政处罚", "JY-2026-11-0031"):
        assert word in page
    assert page.index("上架 · 南京") < page.index("发货 · 盐城") < page.index("赋码 · 盐城") < page.index("生产 · 盐城")
    assert "官方信息" in page
    assert "企业自行公示" in page
    assert "12315" in page


def test_quantities_exact_places_and_buyers_stay_inside(database: Database, http: FlaskClient) -> None:
    make.load(database)
    make.capture(database, *make.whole_way())
    page = read(http, make.signed_path())
    for hidden in ("4800", "市场南门", "鲜奶柜台", make.GATE, "id.gs1.org"):
        assert hidden not in page


@pytest.mark.parametrize(
    ("changes", "word", "sentence"),
    [
        ({"expiry_date": "2026-11-23"}, "提示", "已过保质期"),
        ({"expiry_date": "2026-11-25", "production_date": "2026-11-11"}, "提示", "临近保质期"),
        ({"recall": make.recall()}, "停售·召回", "停止食用或使用"),
        (
            {"inspection": {**make.batch()["inspection"], "passed": False}},
            "提示",
            "检验不合格",
        ),
    ],
)
def test_what_must_not_be_used_is_said_first(
    database: Database, http: FlaskClient, changes: dict[str, object], word: str, sentence: str
) -> None:
    make.load(database, batches=[make.batch(**changes)])
    make.capture(database, *make.whole_way())
    page = read(http, make.signed_path())
    assert heading(page) == word
    assert sentence in page[: page.index('id="goods"')]
    assert make.LOT in page


def test_a_recall_keeps_its_full_text_and_the_goods(database: Database, http: FlaskClient) -> None:
    make.load(database, batches=[make.batch(recall=make.recall())])
    page = read(http, make.signed_path())
    for word in (
        "菌落总数",
        "退货退款",
        "任意销售门店服务台",
        'href="tel:4000000000"',
        "示市监召〔2026〕3号",
        "第 1 次查询",
    ):
        assert word in page


def test_a_registered_lot_without_records_of_its_way_is_a_notice(database: Database, http: FlaskClient) -> None:
    make.load(database)
    page = read(http, make.signed_path())
    assert heading(page) == "提示"
    assert "没有流通记录" in page


def test_a_signed_code_of_an_unregistered_lot_says_so(database: Database, http: FlaskClient) -> None:
    make.load(database, batches=[])
    assert "尚未登记这一批次" in read(http, make.signed_path())


def test_a_licence_that_is_not_in_force_is_a_notice(database: Database, http: FlaskClient) -> None:
    make.load(database, licences=[make.licence(state="revoked")])
    make.capture(database, *make.whole_way())
    page = read(http, make.signed_path())
    assert heading(page) == "提示"
    assert "许可证目前不在有效状态" in page


def test_the_count_is_true_and_tells_first_and_last(database: Database, http: FlaskClient, clock: Clock) -> None:
    make.load(database)
    assert "此前没有人查询过此码" in read(http, make.signed_path())
    clock.now += timedelta(days=2)
    page = read(http, make.signed_path())
    assert "第 2 次查询" in page
    assert "首次：2026年11月24日 10 时" in page
    assert "上次：2026年11月24日" in page
    assert "第 3 次查询" in read(http, make.signed_path())


def test_more_than_twenty_queries_a_day_look_like_a_copied_label_and_calm_down(
    database: Database, http: FlaskClient, clock: Clock
) -> None:
    make.load(database)
    make.capture(database, *make.whole_way())
    for number in range(20):
        page = read(http, make.signed_path(), caller=f"10.1.{number}.1")
    assert heading(page) == "正常"
    page = read(http, make.signed_path(), caller="10.1.20.1")
    assert heading(page) == "疑似假冒"
    assert "第 21 次查询" in page
    clock.now += timedelta(days=1)
    assert heading(read(http, make.signed_path())) == "疑似假冒"
    clock.now += timedelta(days=1)
    assert heading(read(http, make.signed_path())) == "正常"


def test_one_persons_reloads_and_previews_do_not_make_goods_look_copied(database: Database, http: FlaskClient) -> None:
    make.load(database)
    make.capture(database, *make.whole_way())
    for _ in range(30):
        page = read(http, make.signed_path())
    assert heading(page) == "正常"
    assert "第 30 次查询" in page
    for number in range(22):
        http.head(make.signed_path(), environ_base={"REMOTE_ADDR": f"10.2.{number}.1"})
    assert heading(read(http, make.signed_path())) == "正常"


def test_late_events_recalls_and_corrections_change_the_next_page(database: Database, http: FlaskClient) -> None:
    make.load(database)
    assert "没有流通记录" in read(http, make.signed_path())
    make.capture(database, make.commissioned(), make.packed())
    assert "赋码" in read(http, make.signed_path())
    make.capture(database, make.shipped())
    assert "发货 · 盐城" in read(http, make.signed_path())
    make.load(database, batches=[make.batch(recall=make.recall())])
    assert heading(read(http, make.signed_path())) == "停售·召回"
    make.load(database, places=[make.place(make.DOCK, "月台", "Dock", "无锡", "Wuxi", make.PRODUCER)])
    assert "发货 · 无锡" in read(http, make.signed_path())
    make.load(database, subjects=[{**make.subject(), "status": "revoked"}])
    assert "已吊销" in read(http, make.signed_path())


def test_a_page_of_yesterday_is_not_shown_today(database: Database, http: FlaskClient, clock: Clock) -> None:
    make.load(database)
    assert "还剩 10 天" in read(http, make.signed_path())
    clock.now += timedelta(days=11)
    assert "已过期 1 天" in read(http, make.signed_path())


def test_unknown_and_badly_signed_codes_get_the_same_answer_in_the_same_time(
    database: Database, http: FlaskClient
) -> None:
    make.load(database)
    unknown = Code(make.RAW_GTIN, "L1", "S1")
    signed = f"{unknown.path}?s={CodeKeys.parse(make.SECRET).sign(unknown.uri)}"
    forged = f"{unknown.path}?s=1AAAAAAAAAAAAA"
    pages, times = [], []
    for path in (signed, forged):
        taken = []
        for _ in range(9):
            started = time.perf_counter()
            page = read(http, path, 404)
            taken.append(time.perf_counter() - started)
        times.append(statistics.median(taken))
        pages.append(re.sub(r"1[0-9A-Z]{13}", "", page))
    assert pages[0] == pages[1]
    assert "无此码" in pages[0]
    assert unknown.readable in pages[0]
    assert min(times) >= NOT_FOUND_S
    assert abs(times[0] - times[1]) < 0.01


@pytest.mark.parametrize("signature", ["", "1", "0" * 14, "x" * 500, "１ＡＡＡ", "\ud800"])
def test_a_code_without_a_right_signature_is_unknown(database: Database, http: FlaskClient, signature: str) -> None:
    make.load(database)
    response = http.get(make.CODE.path, query_string={"s": signature.encode("utf-8", "replace")})
    assert response.status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/01/06901234567893/10/L1/21/S1?s=1",  # check digit
        "/01/abc/10/L1/21/S1",
        "/01/06901234567892/10/L1/21/" + "9" * 21,
        "/01/06901234567892/10/L1/21/%00",
        "/01/06901234567892/10/L1/21/%E2%80%AE",
        "/01/06901234567892/10/L1/21/%FF",
        "/01/06901234567892/10/L1/21/S1/22/X",
        "/01/06901234567892/10/L1/21/S1?s=1&s=2",
    ],
)
def test_what_is_no_code_gets_a_form_to_type_it(http: FlaskClient, path: str) -> None:
    page = read(http, path, 400)
    assert 'name="code"' in page
    assert heading(page) == "编码不完整"


def test_an_encoded_slash_in_a_serial_is_part_of_it(database: Database, http: FlaskClient) -> None:
    make.load(database)
    code = Code(make.GTIN, make.LOT, "A/21/B")
    assert "%2F" in code.path
    assert "(21)A/21/B" in read(http, make.signed_path(code))
    assert http.get(make.signed_path(code).replace("%2F", "/")).status_code == 400


def test_without_its_database_the_page_says_what_the_signature_proves(app: Flask, http: FlaskClient) -> None:
    old = app.extensions[EXTENSION]
    away = open_database("postgresql://nobody@127.0.0.1:1/away")
    app.extensions[EXTENSION] = Services(away, old.settings, old.clock)
    started = time.perf_counter()
    response = http.get(make.signed_path())
    assert time.perf_counter() - started < 2
    assert response.status_code == 503
    assert response.headers["Retry-After"]
    page = response.get_data(as_text=True)
    check(page)
    assert heading(page) == "暂无法查询"
    assert "此码由本平台签发" in page
    assert "这不表示商品是假的" in page
    assert http.get(make.signed_path().split("?")[0]).status_code == 404


def test_over_the_limit_the_light_verdict_still_answers(database: Database, http: FlaskClient, portal: Portal) -> None:
    make.load(database, batches=[make.batch(recall=make.recall())])
    portal.limits = Limits(per_address=Allowance(burst=1, per_second=0))
    read(http, make.signed_path())
    response = http.get(make.signed_path())
    page = response.get_data(as_text=True)
    check(page)
    assert response.status_code == 429
    assert response.headers["Retry-After"]
    assert heading(page) == "停售·召回"
    assert make.LOT in page
    assert "次查询" not in page
    other = read(http, make.signed_path(Code(make.GTIN, make.LOT, "9")), 429)
    assert heading(other) == "暂无法查询"


def test_one_code_cannot_be_hammered(database: Database, http: FlaskClient, portal: Portal) -> None:
    make.load(database)
    portal.limits = Limits(per_code=Allowance(burst=2, per_second=0))
    statuses = [http.get(make.signed_path()).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]


def test_english_is_a_link_away_and_keeps_the_code(database: Database, http: FlaskClient) -> None:
    make.load(database)
    make.capture(database, *make.whole_way())
    page = read(http, make.signed_path())
    found = re.search(r'class="lang" href="([^"]+)"', page)
    assert found
    english = read(http, found[1].replace("&amp;", "&"))
    assert heading(english) == "Nothing unusual"
    assert '<html lang="en">' in english
    assert "24 November 2026" in english
    assert "Keep at 2–6 °C" in english


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("en-GB,en;q=0.9", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("fr", "zh-CN"),
        ("", "zh-CN"),
        ("en;q=x", "zh-CN"),
    ],
)
def test_the_browsers_language_is_respected(http: FlaskClient, header: str, language: str) -> None:
    response = http.get("/", headers={"Accept-Language": header})
    assert response.headers["Content-Language"] == language
    assert "Accept-Language" in response.headers["Vary"]


def test_the_page_weighs_under_one_flight_and_reads_the_same_packed(database: Database, http: FlaskClient) -> None:
    make.load(database, batches=[make.batch(recall=make.recall())])
    make.capture(database, *make.whole_way(), *(make.stocked(f"2026-11-23T{hour:02}:00:00") for hour in range(24)))
    packed = http.get(make.signed_path(language="en"), headers={"Accept-Encoding": "gzip, deflate, br"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.data) < MAX_BYTES
    plain = gzip.decompress(packed.data).decode()
    check(plain)
    assert plain.replace("no. 1", "no. 2").replace("Nobody has", "") != plain
    assert heading(plain) == "Do not use: recalled"


def test_the_policy_allows_our_style_sheet_and_nothing_else(database: Database, http: FlaskClient) -> None:
    import base64
    import hashlib

    make.load(database)
    response = http.get(make.signed_path())
    style = re.search(r"<style>(.*?)</style>", response.get_data(as_text=True), re.DOTALL)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = response.headers["Content-Security-Policy"]
    assert f"style-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert "script" not in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["Cache-Control"] == "no-store"


def test_nothing_of_the_callers_host_or_data_reaches_the_page_unescaped(database: Database, http: FlaskClient) -> None:
    make.load(database, products=[make.product(name='<b>"milk"</b>')])
    page = read(http, make.signed_path() + "&x=%3Cscript%3E", **{"X-Forwarded-Host": "evil.example"})
    assert "<b>" not in page.replace("<b>trace.example</b>", "")
    assert "evil" not in page
    assert "&lt;b&gt;" in page


@pytest.mark.parametrize("path", ["/", "/how-to-check", "/report", "/find?code=abc", "/nowhere"])
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_the_other_pages_stand_on_their_own(http: FlaskClient, path: str, language: str) -> None:
    joined = f"{path}{'&' if '?' in path else '?'}lang={language}"
    status = {"/find?code=abc": 400, "/nowhere": 404}.get(path, 200)
    page = read(http, joined, status)
    assert f'<html lang="{language}">' in page
    assert "12315" in page


def test_a_typed_code_leads_to_its_own_page_only(database: Database, http: FlaskClient) -> None:
    signature = CodeKeys.parse(make.SECRET).sign(make.CODE.uri)
    for typed, given in (
        (make.CODE.readable, f"{signature[:5].lower()}-{signature[5:]}"),
        (link("https://trace.example", make.CODE, CodeKeys.parse(make.SECRET)), ""),
        (f"https://evil.example{make.CODE.path}?x=1&s={signature}", ""),
    ):
        response = http.get("/find", query_string={"code": typed, "s": given, "lang": "en"})
        assert response.status_code == 303
        assert response.headers["Location"] == f"{make.signed_path()}&lang=en"


def test_the_portal_is_part_of_the_application(app: Flask) -> None:
    assert PORTAL in app.extensions


def test_a_hop_names_who_recorded_it_and_not_who_operates_its_place(database: Database, http: FlaskClient) -> None:
    make.load(database)
    clients = [
        accounts.add_client(database, make.NOW, "test", name=name, role=Role.AUDITOR, subject=subject)[0].client_id
        for name, subject in (("haulier", make.HAULIER), ("producer", make.PRODUCER), ("office", ""))
    ]
    at_the_market = make.received(what=make.ITEM)
    for client in clients:
        make.capture(database, at_the_market, client=client)
    page = read(http, make.signed_path())
    journey = page[page.index("<ol") :]
    assert "示例冷链物流有限公司、示例乳业有限公司" in journey or "示例乳业有限公司、示例冷链物流有限公司" in journey
    assert "示例农产品批发市场有限公司" not in journey
