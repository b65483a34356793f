"""A grading policy is dated data: checked whole when it is read, chosen by day, and never a draft."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from tests.server.credit.make_grades import POLICY_TEXT, graded, policy, record
from trace_core.errors import ConfigError
from trace_server.credit.grading.policy import Status, choose_policy
from trace_server.credit.grading.reading import load_policies, parse_policy, shipped_policies
from trace_server.credit.regimes import shipped_policy

TEXT = POLICY_TEXT.decode()


def test_the_shipped_policy_is_a_default_that_the_office_has_not_confirmed() -> None:
    (shipped,) = shipped_policies()
    assert (shipped.id, shipped.status, shipped.scheme) == ("credit-grade", Status.DEFAULT, "ABCD")
    assert graded().policy_status == "default"
    assert "grade-default" not in [regime.id for regime in shipped_policy().regimes]


def test_any_changed_byte_is_another_version() -> None:
    other = parse_policy("x.toml", POLICY_TEXT + b"\n")
    assert other.version != policy().version
    assert replace(other, version=policy().version) == policy()


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ('base = "100"', "base = 100", "base must be a str"),
        ('base = "100"', 'base = "1e2"', "not a number"),
        ('base = "100"', 'base = "-1"', "not a number"),
        ('base = "100"', 'base = "101"', "floor ≤ base ≤ cap"),
        ('base = "100"', 'base = "100"\nbonnus = 1', "unknown members.*bonnus"),
        ('minor = "4"', 'minor = "13"', "minor ≤ general"),
        ('minor = "4"\n', "", "needs exactly"),
        ('gi = "1.0"', 'toys = "1.0"', "needs exactly"),
        ('same_type_factor = "1.5"', 'same_type_factor = "0.5"', "a repeat weighs at least as much"),
        ('["confirmed", "published"]', '["confirmed", "expired"]', "only confirmed and published"),
        ('["repaired", "expired"', '["published", "expired"', "no counted state has weight zero"),
        ('["repaired", "expired"', '["mended", "expired"', "does not know"),
        ("lt_months = 24", "lt_months = 12", "from young and heavy"),
        ('weight = "0.3"', 'weight = "0.7"', "from young and heavy"),
        ("lt_months = 36", "lt_months = 99999", "between 0 and"),
        ('from_score = "75"', 'from_score = "95"', "levels go from the best down"),
        ('from_score = "0"', 'from_score = "1"', "the last level begins at the floor"),
        ('when = "on_serious_list"', 'when = "has_alerts"', "does not know 'has_alerts'"),
        ('when = "on_serious_list"\nlevel = "D"', 'when = "on_serious_list"\nlevel = "E"', "does not know 'E'"),
        ('"complaints", ', "", "never_input must name"),
        ('status = "default"', 'status = "final"', "status does not know"),
        ('label = "NR"', 'label = "A"', "is no level"),
        ("[supervision.C]", "[supervision.E]", "unknown members"),
        ("inspections_min = 3", "inspections_min = 5", "inspections_min ≤ inspections_max"),
        ("years_clean = 3", "years_clean = -1", "years_clean is out of range"),
        ("or_red_list = true\n", "", "or_red_list must be a bool"),
        ("effective_from = 2026-04-01", "effective_from = 2026-04-01\neffective_to = 2026-03-01", "effective_from ≤"),
        ("[deduction]", "[deduction", "not readable as TOML"),
    ],
)
def test_a_faulty_policy_is_refused_with_its_fault(before: str, after: str, complaint: str) -> None:
    assert before in TEXT
    with pytest.raises(ConfigError, match=complaint) as caught:
        parse_policy("grade-x.toml", TEXT.replace(before, after, 1).encode())
    assert caught.value.where.startswith("grade-x.toml")


def test_the_policy_in_force_is_chosen_by_day_and_a_draft_never() -> None:
    default = policy()
    approved = replace(default, version="2-b", status=Status.APPROVED, effective_from=date(2027, 1, 1))
    newer_default = replace(default, version="3-c", effective_from=date(2028, 1, 1))
    draft = replace(default, version="9-d", status=Status.DRAFT)
    ended = replace(default, version="4-e", effective_to=date(2026, 12, 31))
    known = (draft, newer_default, approved, default)
    assert choose_policy(known, date(2026, 3, 31)) is None
    assert choose_policy(known, date(2026, 4, 1)) is default
    assert choose_policy(known, date(2027, 1, 1)) is approved
    assert choose_policy(known, date(2028, 6, 1)) is approved
    assert choose_policy((default, newer_default), date(2028, 6, 1)) is newer_default
    assert choose_policy((draft,), date(2026, 6, 1)) is None
    assert choose_policy((ended,), date(2027, 1, 1)) is None
    assert choose_policy((default,), date(2026, 6, 1), scheme="food-risk") is None


def test_two_files_of_one_version_are_refused(tmp_path: Path) -> None:
    (tmp_path / "grade-a.toml").write_bytes(POLICY_TEXT)
    (tmp_path / "policy.toml").write_text("version = 1")
    assert len(load_policies(tmp_path)) == 1
    (tmp_path / "grade-b.toml").write_bytes(POLICY_TEXT + b"\n")
    with pytest.raises(ConfigError, match="same id and version"):
        load_policies(tmp_path)


def test_the_numbers_come_from_the_policy_alone() -> None:
    stricter = parse_policy("grade-x.toml", TEXT.replace('general = "12"', 'general = "20"').encode())
    assert graded([record()], by=stricter).level == "B"
    assert graded([record()], by=stricter).score == 76
