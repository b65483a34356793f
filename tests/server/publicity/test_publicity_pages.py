"""What anybody may see of a subject: what is in its window, with source and date; nothing that has stopped."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest
from flask.testing import FlaskClient

from tests.server.credit.make import (
    OTHER_SUBJECT,
    SECRET,
    SUBJECT,
    Clock,
    checked_and_published,
    paper,
    person_codes,
    published,
    recorded,
)
from trace_server.catalog import store as catalog
from trace_server.catalog.model import Subject, SubjectKind, SubjectStatus
from trace_server.credit.model import Circumstances
from trace_server.credit.operations import record_decision, repair, suspend, withdraw
from trace_server.credit.rules import parse_decision
from trace_server.services import Services

PAGE = f"/credit/{SUBJECT}"
NUMBER = "示市监罚〔2026〕1号"
MAX_PAGE_BYTES = 40_000


def register(outside: Services, code: str = SUBJECT, name: str = "示例食品有限公司") -> None:
    made = Subject(
        uscc=code,
        name=name,
        name_en="Example Foods Co., Ltd.",
        kind=SubjectKind.LEGAL_PERSON,
        region=code[2:8],
        status=SubjectStatus.ACTIVE,
        source="示例市市场监督管理局",
        as_of=date(2026, 5, 30),
    )
    with outside.db.begin() as conn:
        catalog.save_subjects(conn, outside.db.dialect, [made])


def test_a_published_decision_stands_with_source_dates_and_window(http: FlaskClient, outside: Services) -> None:
    register(outside)
    published(outside)
    text = http.get(PAGE).text
    for part in (
        "示例食品有限公司",
        SUBJECT,
        "现公示行政处罚 1 条。",
        NUMBER,
        "2026年5月15日",
        "2027年5月15日",
        "2026年8月15日起可以申请",
        "20,000 元",
        "来源：示例市市场监督管理局",
        "截至 2026年6月1日",
        "截至 2026年5月30日",
    ):
        assert part in text, part


def test_nothing_unpublished_suspended_repaired_or_expired_is_shown(
    http: FlaskClient, outside: Services, clock: Clock
) -> None:
    register(outside)
    recorded(outside, CF_WSH="示市监罚〔2026〕10号")
    suspended = published(outside, CF_WSH="示市监罚〔2026〕11号")
    suspend(outside, suspended.record_id, paper())
    withheld = recorded(outside, CF_WSH="示市监罚〔2026〕12号", CF_CFLB="警告", CF_NR_FK=None)
    checked_and_published(outside, withheld.record_id)
    mended = published(outside, CF_WSH="示市监罚〔2026〕13号")
    published(outside, CF_WSH="示市监罚〔2026〕14号", CF_GSJZQ="2026/07/01")
    clock.now = datetime(2026, 9, 1, tzinfo=UTC)
    repair(outside, mended.record_id, paper())
    text = http.get(PAGE).text
    assert "现无公示中的行政处罚。" in text
    assert not re.findall(r"示市监罚〔2026〕1\d号", text)


def test_a_withdrawn_decision_stays_as_a_notice_with_its_reason(http: FlaskClient, outside: Services) -> None:
    record = published(outside)
    withdraw(outside, record.record_id, paper("行政复议决定撤销"))
    text = http.get(PAGE).text
    for part in ("已撤销的决定", NUMBER, "行政复议决定撤销", "示复决〔2026〕3号", "现无公示中的行政处罚。"):
        assert part in text, part
    assert "抽查发现" not in text


def test_a_subject_that_was_withdrawn_before_publication_is_unknown(http: FlaskClient, outside: Services) -> None:
    record = recorded(outside)
    withdraw(outside, record.record_id, paper())
    answer = http.get(PAGE)
    assert answer.status_code == 404
    assert NUMBER not in answer.text


@pytest.mark.parametrize(
    "path", ["/credit", "/credit?q=示例", "/credit?q=x", "/credit/12", f"/credit/{OTHER_SUBJECT}", PAGE]
)
@pytest.mark.parametrize("lang", ["zh-CN", "en"])
def test_every_page_is_plain_complete_html_in_its_language(
    http: FlaskClient, outside: Services, path: str, lang: str
) -> None:
    register(outside)
    record = published(outside)
    published(outside, CF_WSH="示市监罚〔2026〕2号")
    withdraw(outside, record.record_id, paper())
    answer = http.get(path, headers={"Accept-Language": lang})
    text = answer.text
    assert f'<html lang="{lang}">' in text
    assert answer.headers["Content-Language"] == lang
    assert text.count("<h1") == 1
    assert "只记录此码被查询" not in text and "how often and on" not in text  # nothing is counted here
    assert "<script" not in text
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', text)
    assert "Set-Cookie" not in answer.headers
    assert "style-src 'sha256-" in answer.headers["Content-Security-Policy"]
    assert len(answer.data) < MAX_PAGE_BYTES
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'aria-(?:labelledby|describedby)="([^" ]+)', text)) <= set(ids)


def test_the_english_page_has_no_chinese_but_marked_official_text(http: FlaskClient, outside: Services) -> None:
    register(outside)
    published(outside)
    main = http.get(f"{PAGE}?lang=en").text.split("<main")[1].split("</main>")[0]
    rest = re.sub(r'<span lang="zh-CN">[^<]*</span>', "", main)
    rest = rest.replace("示例市市场监督管理局", "")
    assert not re.findall(r"[一-鿿]+", rest)


def test_the_language_link_keeps_the_page(http: FlaskClient, outside: Services) -> None:
    register(outside)
    assert f'href="{PAGE}?lang=en"' in http.get(PAGE).text
    assert f'href="{PAGE}?lang=zh-CN"' in http.get(f"{PAGE}?lang=en").text
    assert "q=%E7%A4%BA%E4%BE%8B&amp;lang=en" in http.get("/credit?q=示例").text


@pytest.mark.parametrize("query", [SUBJECT, SUBJECT.lower(), f" {SUBJECT} "])
def test_a_search_for_a_code_leads_to_its_archive(http: FlaskClient, query: str) -> None:
    answer = http.get("/credit", query_string={"q": query})
    assert (answer.status_code, answer.headers["Location"]) == (303, PAGE)
    english = http.get("/credit", query_string={"q": query, "lang": "en"})
    assert english.headers["Location"] == f"{PAGE}?lang=en"


def test_a_search_by_name_finds_registered_subjects_and_subjects_of_published_decisions(
    http: FlaskClient, outside: Services
) -> None:
    register(outside, OTHER_SUBJECT, "示例乳业有限公司")
    published(outside)
    recorded(outside, CF_WSH="示市监罚〔2026〕5号", CF_XDR_SHXYM="91350100M000100Y43", CF_XDR_MC="示例未公示公司")
    text = http.get("/credit?q=示例").text
    assert f"/credit/{SUBJECT}" in text
    assert f"/credit/{OTHER_SUBJECT}" in text
    assert "91350100M000100Y43" not in text
    assert f"/credit/{OTHER_SUBJECT}" in http.get("/credit?q=example&lang=en").text


def test_a_search_takes_wildcards_as_they_stand_and_lists_at_most_twenty(http: FlaskClient, outside: Services) -> None:
    published(outside)
    for query in ("%%", "__", "%示", "<script>"):
        answer = http.get("/credit", query_string={"q": query})
        assert answer.status_code == 200
        assert f"/credit/{SUBJECT}" not in answer.text
        assert "<script" not in answer.text


def test_a_wrong_code_is_explained_and_can_be_mended(http: FlaskClient) -> None:
    answer = http.get("/credit/91320900MA1T000211")
    assert answer.status_code == 400
    assert "<title>错误：" in answer.text
    assert 'value="91320900MA1T000211"' in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_person_is_on_no_page(http: FlaskClient, outside: Services) -> None:
    person = parse_decision(person_codes(), today=date(2026, 6, 1))
    record = record_decision(outside, person, Circumstances("food"), actor="clerk").record
    checked_and_published(outside, record.record_id)
    for path in ("/credit?q=示例丙丁", f"/credit?q={SECRET}"):
        text = http.get(path).text
        assert "没有名称包含" in text
        assert 'class="hits"' not in text
