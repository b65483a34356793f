"""The public lists: newest first without a gap, punctuality told honestly, and nothing left of what has ended."""

from __future__ import annotations

import gzip
import re
from dataclasses import replace
from datetime import date, timedelta

from flask.testing import FlaskClient

from tests.server.credit.make import AUTHORITY, SUBJECT, Clock, paper
from tests.server.publicity import make
from trace_server.app import create_app
from trace_server.config import Settings
from trace_server.credit.model import Shown, State
from trace_server.credit.operations import repair, suspend, withdraw
from trace_server.credit.store import shown
from trace_server.db import open_database
from trace_server.publicity import published, rules
from trace_server.publicity.model import Timeliness, Timing
from trace_server.recall import operations as recalls
from trace_server.recall.model import Notice, Scope
from trace_server.services import Services
from trace_server.workdays.model import Calendar
from trace_server.workdays.operations import shipped

MAX_BYTES = 30_000
ROW = re.compile(r'href="/penalties/([0-9a-f-]{36})')


def rows_of(http: FlaskClient, path: str) -> list[str]:
    """Ids of all rows, following `Link: rel="next"` from page to page."""
    found: list[str] = []
    while path:
        answer = http.get(path)
        assert answer.status_code == 200
        found += ROW.findall(answer.text)
        link = answer.headers.get("Link", "")
        assert not link or link.endswith('; rel="next"')
        path = link.partition(">")[0].lstrip("<")
    return found


def test_pages_lead_through_all_decisions_newest_first_once_each(http: FlaskClient, outside: Services) -> None:
    made = [make.decided(outside, 1 + number // 3, f"号{number:02}") for number in range(45)]
    found = rows_of(http, "/penalties")
    assert sorted(found) == sorted(made)
    days = {record: 1 + number // 3 for number, record in enumerate(made)}
    assert [days[record] for record in found] == sorted(days.values())


def test_a_search_narrows_by_name_code_number_region_category_and_days(http: FlaskClient, outside: Services) -> None:
    old = make.decided(outside, 40, "示市监罚〔2026〕31号")
    new = make.decided(outside, 2, "示市监罚〔2026〕32号", CF_XDR_MC="另一食品有限公司")
    since = (outside.clock().date() - timedelta(days=10)).isoformat()
    for query, wanted in (
        ("q=〔2026〕31", [old]),
        ("q=［2026］31号", [old]),
        (f"q={SUBJECT.lower()}", [new, old]),
        ("q=另一食品", [new]),
        ("q=%25", []),
        (f"region={SUBJECT[2:6]}", [new, old]),
        ("region=11", []),
        ("category=drug", []),
        (f"from={since}", [new]),
        (f"to={since}", [old]),
    ):
        path = f"/penalties?{query}" if query != "q=%25" else "/penalties?q=%25%25"
        assert rows_of(http, path) == wanted, query


def test_a_mistake_is_said_beside_its_field_and_nothing_typed_is_lost(http: FlaskClient) -> None:
    for query in ("q=x", "region=3", "category=toys", "from=yesterday", "from=2026-05-02&to=2026-05-01"):
        answer = http.get(f"/penalties?{query}")
        assert answer.status_code == 400
        assert "<title>错误：" in answer.text
        assert "category" in query or f'value="{query.rpartition("=")[2]}"' in answer.text


def test_a_forged_cursor_and_a_double_parameter_are_refused(http: FlaskClient) -> None:
    assert http.get("/penalties?cursor=bm8").status_code == 400
    assert http.get("/penalties?q=一一&q=二二").status_code == 400


def test_a_person_is_masked_and_not_found_by_name(http: FlaskClient, outside: Services) -> None:
    record = make.person(outside)
    assert "示例丙丁" not in http.get(f"/penalties/{record}").text
    assert "示某某" in http.get(f"/penalties/{record}").text
    assert rows_of(http, "/penalties?q=示例丙丁") == []


def test_what_has_ended_is_gone_and_a_withdrawn_one_leaves_its_reason_only(
    http: FlaskClient, outside: Services, clock: Clock
) -> None:
    made = {name: make.decided(outside, 5, name) for name in ("撤销", "暂停", "修复", "过期")}
    withdraw(outside, made["撤销"], paper("行政复议决定撤销"))
    suspend(outside, made["暂停"], paper())
    clock.now += timedelta(days=100)
    repair(outside, made["修复"], paper())
    notice = http.get(f"/penalties/{made['撤销']}")
    assert notice.status_code == 200
    assert "行政复议决定撤销" in notice.text
    for gone in ("抽查发现", "示例食品", SUBJECT):
        assert gone not in notice.text
    assert made["撤销"] in http.get("/penalties/withdrawn").text
    assert rows_of(http, "/penalties") == [made["过期"]]
    for name in ("暂停", "修复"):
        assert http.get(f"/penalties/{made[name]}").status_code == 404
    clock.now += timedelta(days=2000)
    assert rows_of(http, "/penalties") == []
    for name in ("撤销", "过期"):
        assert http.get(f"/penalties/{made[name]}").status_code == 404


def test_punctuality_counts_what_is_late_and_what_is_overdue_against_its_authority(outside: Services) -> None:
    make.fill(outside)
    figures = published.count(outside)
    told = {row.authority_code: (row.on_time, row.late, row.overdue, row.waiting) for row in figures.authorities}
    # The withdrawn one was published in time before it was withdrawn.
    assert told == {make.LATE_AUTHORITY: (0, 1, 1, 0), AUTHORITY: (3, 0, 0, 1)}
    assert figures.authorities[0].authority_code == make.LATE_AUTHORITY
    assert (figures.whole.due, figures.whole.percent) == (5, "60.0")


def test_the_clock_ends_with_the_seventh_working_day(outside: Services) -> None:
    days = Calendar(shipped())
    assert rules.due_on(days, date(2026, 5, 15)) == date(2026, 5, 26)
    record = make.decided(outside, 17, "号")
    with outside.db.read() as conn:
        one = shown.decision(conn, record)
    assert one is not None
    for day, timing in ((date(2026, 5, 26), Timing.ON_TIME), (date(2026, 5, 27), Timing.LATE)):
        assert rules.decision(days, Shown(one.record, day)).timing is timing


def test_a_share_is_never_rounded_up() -> None:
    one = Timeliness("", "", on_time=9999, late=1, overdue=0, waiting=7)
    assert one.percent == "99.9"
    assert replace(one, on_time=0, late=0).percent == ""


def test_official_lists_and_those_of_others_stand_apart_and_entries_say_how_to_leave(
    http: FlaskClient, outside: Services
) -> None:
    made = make.fill(outside)
    official, _, others = http.get("/lists").text.partition('id="others"')
    assert "/lists/serious" in official
    assert "/lists/industry_black" in others
    assert "/lists/industry_black" not in official
    entry = http.get(f"/lists/entries/{made.entry}").text
    for part in ("情节严重", "总局令第44号", "怎样移出", "2027年5月2日", "2029年5月2日", "官方信息"):
        assert part in entry, part
    assert "官方信息" not in http.get(f"/lists/entries/{made.industry_entry}").text
    assert http.get("/lists/entries/nobody").status_code == 404
    assert http.get("/lists/nothing").status_code == 404


def test_an_entry_whose_period_is_over_is_gone_before_any_job_ran(
    http: FlaskClient, outside: Services, clock: Clock
) -> None:
    made = make.member(outside, "serious", 1)
    clock.now += timedelta(days=1200)
    assert http.get(f"/lists/entries/{made}").status_code == 404
    assert made not in http.get("/lists/serious").text


def test_a_list_of_many_is_led_through_once_each(http: FlaskClient, outside: Services) -> None:
    made = [make.member(outside, "abnormal", number, days_ago=number // 2) for number in range(45)]
    found: list[str] = []
    path = "/lists/abnormal"
    while path:
        answer = http.get(path)
        found += re.findall(r'href="/lists/entries/([^"?]+)', answer.text)
        path = answer.headers.get("Link", "").partition(">")[0].lstrip("<")
    assert sorted(found) == sorted(made)
    assert len(found) == len(made)


def test_recalls_stay_findable_with_what_to_do_where_and_whom_to_call(http: FlaskClient, outside: Services) -> None:
    made = make.fill(outside)
    for recall, number in ((made.open_recall, 501), (made.closed_recall, 502)):
        text = http.get(f"/recalls/{recall}").text
        for part in (
            f"示例召〔2026〕{number}号",
            "菌落总数超标",
            "停止食用",
            "原购买门店",
            "tel:051512315",
            f"R{number}",
        ):
            assert part in text, part
    assert made.closed_recall not in http.get("/recalls?state=open").text
    assert made.open_recall not in http.get("/recalls?state=closed").text
    assert {made.open_recall, made.closed_recall} <= set(re.findall(r"/recalls/(\w{16})", http.get("/recalls").text))
    home = http.get("/").text
    assert f"/recalls/{made.open_recall}" in home
    assert f"/recalls/{made.closed_recall}" not in home


def test_a_draft_of_a_recall_is_nobodys_business(http: FlaskClient, outside: Services) -> None:
    draft = recalls.create(
        outside.db, outside.clock(), "one", category="food", level=1,
        scope=Scope(batches=((make.GTIN, "D1"),)), notice=Notice("草案", "局", "因", "做", "处", "0"),
    )  # fmt: skip
    assert http.get(f"/recalls/{draft.recall_id}").status_code == 404
    assert draft.recall_id not in http.get("/recalls").text


def test_every_page_weighs_less_than_thirty_kilobytes_and_has_hotline_and_address(
    http: FlaskClient, outside: Services
) -> None:
    made = make.fill(outside)
    for number in range(25):
        make.decided(outside, 3, f"示市监罚〔2026〕{number + 700}号")
    paths = ("/", "/penalties", f"/penalties/{made.late}", f"/penalties/{made.gone}", "/penalties/withdrawn",
             "/penalties/timeliness", "/lists", "/lists/serious", f"/lists/entries/{made.entry}", "/recalls",
             f"/recalls/{made.open_recall}", "/data", "/glossary", "/accessibility", "/privacy",
             "/how-to-check")  # fmt: skip
    for path in paths:
        for language in ("zh-CN", "en"):
            answer = http.get(f"{path}?lang={language}")
            assert answer.status_code == 200, path
            assert len(gzip.compress(answer.data)) <= MAX_BYTES, path
            assert 'href="tel:12315"' in answer.text
            assert "/how-to-check" in answer.text
            assert "<script" not in answer.text


def test_the_state_withdrawn_is_only_told_of_what_was_public(http: FlaskClient, outside: Services) -> None:
    never = make.decided(outside, 5, "号", shown=False)
    withdraw(outside, never, paper())
    with outside.db.read() as conn:
        one = shown.decision(conn, never)
    assert one is not None
    assert (one.record.state, one.published_on) == (State.WITHDRAWN, None)
    assert http.get(f"/penalties/{never}").status_code == 404
    assert never not in http.get("/penalties/withdrawn").text


def test_the_home_page_leads_everywhere_also_without_the_database() -> None:
    away = open_database("postgresql://nobody@127.0.0.1:1/away")
    answer = create_app(Settings(code_secret="t" * 32), away).test_client().get("/")
    away.dispose()
    assert answer.status_code == 200
    for path in ("/credit", "/recalls", "/penalties", "/lists", "/supervision", "/data", "/verify", "/report"):
        assert f'"{path}"' in answer.text, path
