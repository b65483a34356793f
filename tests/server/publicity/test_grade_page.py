"""The archive explains the grade in plain words, names the rules, and gives away nothing that is not public."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest
from flask.testing import FlaskClient

from tests.server.credit.make import SUBJECT, Clock, paper, published, recorded
from tests.server.credit.make_grades import fact
from tests.server.publicity.test_publicity_pages import register
from trace_server.credit.grade_facts import state_fact
from trace_server.credit.grade_upkeep import regrade_all
from trace_server.credit.grading.facts import FactKind
from trace_server.credit.operations import repair
from trace_server.services import Services

PAGE = f"/credit/{SUBJECT}"
FARM = {"CF_CFJG": "示例县农业农村局"}


def words(http: FlaskClient, lang: str = "zh") -> str:
    """The text of the grade's section, tags taken out."""
    page = http.get(f"{PAGE}?lang={lang}").text
    assert 'aria-labelledby="grade"' in page
    section = page.split('aria-labelledby="grade">')[1].split("</section>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", section).split())


def test_each_point_of_the_first_worked_example_is_explained(http: FlaskClient, outside: Services) -> None:
    published(outside, CF_WSH="示农罚〔2025〕1号", CF_JDRQ="2025/08/15", **FARM)
    published(outside, CF_WSH="示农罚〔2026〕2号", CF_JDRQ="2026/03/01", **FARM)
    text = words(http)
    for part in (
        "C（中），64.00 分",
        "评级方案 ABCD，规则 credit-grade 第 1-",
        "2026年6月1日评定",
        "主管部门尚未确认",
        "+100.00 基础分",
        "−14.40 处罚决定 示农罚〔2025〕1号 失信程度（一般）12 × 类别（食品）1.2 × 重复 1 × 时间 1",
        "−21.60 处罚决定 示农罚〔2026〕2号 失信程度（一般）12 × 类别（食品）1.2 × 重复 1.5 × 时间 1",
        "近期同类违法再次发生",
        "扫码、查询、投诉和系统预警都不影响等级",
        "暂不符合条件： 规定年限内有一般或严重的处罚决定",
    ):
        assert part in text, part


def test_the_english_section_has_no_chinese_but_official_text(http: FlaskClient, outside: Services) -> None:
    published(outside, CF_JDRQ="2025/06/02")
    state_fact(outside, fact(FactKind.LIST_SERIOUS), actor="clerk")
    text = words(http, "en")
    assert "D (poor), 85.60 points" in text
    assert "at most D On the list of serious violations, whatever the score" in text
    assert "the office has not confirmed them yet" in text
    assert re.findall("[一-鿿]+", text) == ["示市监罚", "号"]


def test_a_subject_that_is_too_new_is_not_rated(http: FlaskClient, outside: Services) -> None:
    register(outside)
    state_fact(outside, fact(FactKind.REGISTERED, from_day=date(2026, 3, 1)), actor="register")
    text = words(http)
    assert "NR（未评级）" in text
    assert "现已登记 3 个月" in text
    assert "分从哪里来" in text
    assert "NR (not rated)" in words(http, "en")


def test_a_decision_that_is_not_published_is_counted_without_naming_it(http: FlaskClient, outside: Services) -> None:
    register(outside)
    recorded(outside)
    page = http.get(PAGE).text
    assert "示市监罚" not in page
    text = words(http)
    assert "−14.40 尚未公示的处罚决定" in text
    assert "一般" not in text
    assert "不对公众展示的条件未满足" in text


def test_a_repaired_record_leaves_no_trace(http: FlaskClient, outside: Services, clock: Clock) -> None:
    register(outside)
    state_fact(outside, fact(FactKind.REGISTERED, from_day=date(2001, 1, 1)), actor="register")
    record = published(outside)
    clock.now = datetime(2026, 9, 1, tzinfo=UTC)
    repair(outside, record.record_id, paper())
    text = words(http)
    assert "A（优），100.00 分" in text
    assert "符合条件，可以享受：绿色通道、容缺受理" in text
    assert "−" not in text


def test_an_expired_record_breaks_the_run_untold(http: FlaskClient, outside: Services, clock: Clock) -> None:
    register(outside)
    state_fact(outside, fact(FactKind.REGISTERED, from_day=date(2001, 1, 1)), actor="register")
    published(outside)
    clock.now = datetime(2027, 6, 1, tzinfo=UTC)
    regrade_all(outside)
    text = words(http)
    assert "A（优），100.00 分" in text
    assert "处罚决定" not in text.replace("有文号的决定", "")
    assert "不对公众展示的条件未满足" in text


def test_the_page_says_up_to_which_day_the_grade_was_checked(
    http: FlaskClient, outside: Services, clock: Clock
) -> None:
    register(outside)
    regrade_all(outside)
    clock.now = datetime(2026, 6, 20, tzinfo=UTC)
    assert "截至 2026年6月1日" in words(http)
    regrade_all(outside)
    text = words(http)
    assert "2026年6月1日评定" in text
    assert "截至 2026年6月20日" in text


@pytest.mark.parametrize("kind", [FactKind.COMMITMENT_UNFULFILLED, FactKind.COMMITMENT_PARTLY])
def test_numbers_of_commitments_stay_off_the_page(http: FlaskClient, outside: Services, kind: FactKind) -> None:
    register(outside)
    state_fact(outside, fact(kind, "32090020260101000001"), actor="clerk")
    assert "信用承诺" in words(http)
    assert "32090020260101000001" not in http.get(PAGE).text


def test_without_a_grade_the_page_has_no_such_section(http: FlaskClient, outside: Services) -> None:
    register(outside)
    assert 'aria-labelledby="grade"' not in http.get(PAGE).text
