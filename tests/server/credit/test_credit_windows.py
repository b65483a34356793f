"""Severity and publication windows follow the dated policy, and the worked examples of the domain hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.server.credit.make import TODAY, decision
from trace_core.errors import ConfigError
from trace_server.credit.model import CATEGORIES, Circumstances, PenaltyDecision, Severity, Window
from trace_server.credit.regimes import load_policy, shipped_policy
from trace_server.credit.windows import months_after, severity_of, window_of

POLICY = shipped_policy()
OTHER_OFFICE = "示例县农业农村局"


def window(made: PenaltyDecision, around: Circumstances, today: date = TODAY) -> Window:
    return window_of(made, around, severity_of(made, around, POLICY), POLICY, today)


@pytest.mark.parametrize(
    ("changes", "severity"),
    [
        ({}, Severity.GENERAL),
        ({"CF_CFLB": "警告", "CF_NR_FK": None}, Severity.MINOR),
        ({"CF_CFLB": "警告;通报批评", "CF_NR_FK": None}, Severity.MINOR),
        ({"CF_CFLB": "警告;罚款"}, Severity.GENERAL),
        ({"CF_NR_FK": "99.999999"}, Severity.GENERAL),
        ({"CF_NR_FK": "100"}, Severity.SERIOUS),
        ({"CF_CFLB": "吊销许可证件", "CF_NR_ZKDX": "许可证"}, Severity.SERIOUS),
        ({"CF_CFLB": "责令停产停业", "CF_NR_FK": None}, Severity.GENERAL),
        ({"CF_CFLB": "限制从业", "CF_NR_FK": None}, Severity.SERIOUS),
    ],
)
def test_the_class_of_a_decision_follows_policy(changes: dict[str, object], severity: Severity) -> None:
    assert severity_of(decision(**changes), Circumstances("food"), POLICY) is severity


def test_the_line_departments_class_wins() -> None:
    around = Circumstances("food", severity=Severity.SERIOUS)
    assert severity_of(decision(), around, POLICY) is Severity.SERIOUS


@pytest.mark.parametrize(
    ("decided", "authority", "category", "severity", "expected"),
    [
        # in force on the day, nothing later: the regime itself
        ("2026/05/15", OTHER_OFFICE, "food", "general", ("ndrc-36", True, date(2026, 8, 15), date(2027, 5, 15))),
        ("2026/05/15", OTHER_OFFICE, "food", "serious", ("ndrc-36", True, date(2027, 5, 15), date(2029, 5, 15))),
        ("2026/05/15", OTHER_OFFICE, "food", "minor", ("ndrc-36", False, date(2026, 5, 15), date(2026, 8, 15))),
        # worked example: decided under the trial rules, shortened by the later and milder one
        ("2025/08/15", OTHER_OFFICE, "food", "general", ("ndrc-36", True, date(2025, 11, 15), date(2026, 8, 15))),
        (
            "2025/12/26",
            "示例市市场监管局",
            "food",
            "general",
            ("samr-107", True, date(2026, 3, 26), date(2026, 12, 26)),
        ),
    ],
)
def test_the_window_is_that_of_the_regime_in_force_or_a_later_milder_one(
    decided: str, authority: str, category: str, severity: str, expected: tuple[str, bool, date, date]
) -> None:
    made = decision(CF_JDRQ=decided, CF_CFJG=authority)
    found = window(made, Circumstances(category, severity=Severity(severity)))
    assert (found.max_end, found.min_end) == (expected[3], expected[2])
    assert found.public is expected[1]


def test_before_a_later_regime_is_in_force_the_older_one_stands() -> None:
    made = decision(CF_JDRQ="2025/08/15", CF_CFJG=OTHER_OFFICE)
    food = window(made, Circumstances("food"), today=date(2025, 9, 1))
    gift = window(made, Circumstances("gi"), today=date(2025, 9, 1))
    assert (food.regime, food.min_end, food.max_end) == ("ndrc-58", date(2026, 8, 15), date(2028, 8, 15))
    assert (gift.min_end, gift.max_end) == (date(2025, 11, 15), date(2028, 8, 15))


def test_with_keep_the_regime_of_the_day_of_the_decision_stays() -> None:
    made = decision(CF_JDRQ="2025/08/15", CF_CFJG=OTHER_OFFICE)
    keep = replace(POLICY, recompute=False)
    assert window_of(made, Circumstances("food"), Severity.GENERAL, keep, TODAY).regime == "ndrc-58"


def test_a_regime_of_one_department_does_not_bind_another() -> None:
    made = decision(CF_JDRQ="2022/01/10")
    market = window(made, Circumstances("food"), today=date(2022, 2, 1))
    assert (market.regime, market.max_end) == ("samr-45", date(2025, 1, 10))
    farm = decision(CF_JDRQ="2022/01/10", CF_CFJG=OTHER_OFFICE)
    with pytest.raises(ConfigError):
        window(farm, Circumstances("food"), today=date(2022, 2, 1))


def test_a_restriction_is_shown_as_long_as_it_lasts() -> None:
    made = decision(CF_JDRQ="2022/01/10", CF_YXQ="2032/01/09", CF_CFLB="限制从业", CF_NR_FK=None)
    assert window(made, Circumstances("food"), today=date(2022, 2, 1)).max_end == date(2032, 1, 9)


def test_an_end_named_by_the_decision_shortens_and_never_lengthens() -> None:
    assert window(decision(CF_GSJZQ="2026/07/01"), Circumstances("food")).max_end == date(2026, 7, 1)
    assert window(decision(CF_GSJZQ="2030/01/01"), Circumstances("food")).max_end == date(2027, 5, 15)


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2026, 12, 31), 0, date(2026, 12, 31)),
        (date(2026, 10, 5), 15, date(2028, 1, 5)),
    ],
)
def test_months_are_whole_calendar_months(day: date, months: int, expected: date) -> None:
    assert months_after(day, months) == expected


@given(
    decided=st.dates(date(2023, 5, 1), TODAY),
    severity=st.sampled_from(Severity),
    category=st.sampled_from(CATEGORIES),
    later=st.integers(0, 2000),
)
def test_a_window_is_never_lengthened_by_a_later_rule(
    decided: date, severity: Severity, category: str, later: int
) -> None:
    made = decision(CF_JDRQ=decided.strftime("%Y/%m/%d"), CF_CFJG=OTHER_OFFICE)
    around = Circumstances(category, severity=severity)
    first = window_of(made, around, severity, POLICY, decided)
    then = window_of(made, around, severity, POLICY, decided + timedelta(days=later))
    assert decided <= then.min_end <= then.max_end <= first.max_end


def test_every_row_names_its_legal_basis_and_regimes_say_how_sure_we_are() -> None:
    assert all(row.basis for row in POLICY.severities)
    assert all(regime.basis and regime.confidence in "LSMD" for regime in POLICY.regimes)
    assert {regime.id for regime in POLICY.regimes} == {"jiangsu-2013", "samr-45", "ndrc-58", "samr-107", "ndrc-36"}


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("policy.toml", 'regime_transition = "recompute"', 'regime_transition = "guess"'),
        ("policy.toml", 'class = "minor"', 'class = "tiny"'),
        ("policy.toml", '"simple"', '"easy"'),
        ("policy.toml", '"1000000"', '"much"'),
        ("policy.toml", "version = 1", 'version = "1"'),
        ("ndrc-36.toml", "max_months = 12", "max_months = 1"),
        ("ndrc-36.toml", 'minor = "轻微"', 'small = "轻微"'),
        ("ndrc-36.toml", "public = false", "public = 0"),
        ("ndrc-36.toml", "effective_from = 2026-04-01", "effective_from ="),
        ("ndrc-58.toml", '"food"', '"toys"'),
    ],
)
def test_a_mistake_in_a_policy_file_names_the_file(tmp_path: Path, name: str, old: str, new: str) -> None:
    from importlib.resources import files

    for entry in (files("trace_server.credit") / "policy").iterdir():
        (tmp_path / entry.name).write_bytes(entry.read_bytes())
    broken = (tmp_path / name).read_text()
    assert old in broken
    (tmp_path / name).write_text(broken.replace(old, new, 1))
    with pytest.raises(ConfigError) as caught:
        load_policy(tmp_path)
    assert name in caught.value.where


def test_the_policy_version_changes_with_any_byte(tmp_path: Path) -> None:
    from importlib.resources import files

    for entry in (files("trace_server.credit") / "policy").iterdir():
        (tmp_path / entry.name).write_bytes(entry.read_bytes())
    assert load_policy(tmp_path) == POLICY
    with (tmp_path / "ndrc-36.toml").open("a") as file:
        file.write("# a remark\n")
    assert load_policy(tmp_path).version != POLICY.version
