"""The worked examples of docs/explanation/grading.md are what the shipped policy gives."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from tests.server.credit.make_grades import AS_OF, graded, record
from trace_server.credit.grading.model import GradeRecord, LineKind
from trace_server.credit.model import Severity

PAGE = (Path(__file__).parents[3] / "docs" / "explanation" / "grading.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (none|(?:minor|general|serious) [^|]+) \| ([^|]+) \| ([\d.]+) \| ([A-D]) \|$", re.MULTILINE)
EXAMPLES = ROW.findall(PAGE)


def read(number: int, words: str) -> GradeRecord:
    """`general food 13 a`: severity, category, whole months ago, type."""
    severity, category, months, kind = words.split()
    at = AS_OF.year * 12 + AS_OF.month - 1 - int(months)
    day = date(at // 12, at % 12 + 1, 1)
    return record(number, decided_on=day, severity=Severity(severity), category=category, kind=kind)


def test_the_page_has_examples() -> None:
    assert len(EXAMPLES) == 8


@pytest.mark.parametrize(("records", "taken", "score", "level"), EXAMPLES)
def test_an_example_of_the_page_is_computed_from_the_policy(records: str, taken: str, score: str, level: str) -> None:
    listed = [] if records == "none" else [read(n, words) for n, words in enumerate(records.split("; "), 1)]
    found = graded(listed)
    points = sorted(-line.points for line in found.lines if line.kind is LineKind.RECORD)
    assert (found.score, found.level) == (Decimal(score), level)
    assert points == sorted(Decimal(part) for part in taken.split(" + ") if Decimal(part))
