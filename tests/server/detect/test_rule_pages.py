"""Each rule has a page that says what the rule declares."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server.detect.make import DETECTORS
from trace_server.detect.page import page

FOLDER = Path(__file__).parents[3] / "docs" / "detectors"


@pytest.mark.parametrize("rule", DETECTORS)
def test_the_page_of_a_rule_says_what_it_declares(rule: str) -> None:
    assert (FOLDER / f"{rule}.md").read_text() == page(DETECTORS[rule])


def test_there_is_no_page_of_a_rule_that_is_gone() -> None:
    assert {path.stem for path in FOLDER.glob("D*.md")} == set(DETECTORS)
