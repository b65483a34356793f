"""Each rule has a page that says what the rule declares."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.server.detect.make import DETECTORS
from trace_server.cases.cli import detectors
from trace_server.detect.page import page, reference

DOCS = Path(__file__).parents[3] / "docs"
FOLDER = DOCS / "detectors"


@pytest.mark.parametrize("rule", DETECTORS)
def test_the_page_of_a_rule_says_what_it_declares(rule: str) -> None:
    assert (FOLDER / f"{rule}.md").read_text() == page(DETECTORS[rule])


def test_there_is_no_page_of_a_rule_that_is_gone() -> None:
    assert {path.stem for path in FOLDER.glob("D*.md")} == set(DETECTORS)


def test_the_reference_page_lists_every_rule_as_it_is() -> None:
    assert (DOCS / "reference" / "detectors.md").read_text() == reference(DETECTORS.values())


def test_the_command_writes_all_of_these_pages(tmp_path: Path) -> None:
    result = CliRunner().invoke(detectors, ["docs", str(tmp_path)], catch_exceptions=False)
    assert result.exit_code == 0
    written = {path.relative_to(tmp_path).as_posix(): path.read_text() for path in tmp_path.rglob("*.md")}
    assert written.keys() == {f"detectors/{rule}.md" for rule in DETECTORS} | {"reference/detectors.md"}
    assert all((DOCS / name).read_text() == text for name, text in written.items())
