"""The reference says what the programs are: `make reference` writes it, and every type of problem has its anchor."""

from __future__ import annotations

import pytest

from tests.reference import DOCS, index, pages
from trace_server.problems import KINDS

PAGES = pages()


@pytest.mark.parametrize("name", [name for name in PAGES if not name.startswith("detectors/")])
def test_a_page_of_the_reference_is_what_the_programs_say(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name], "run `make reference`"


def test_every_problem_type_has_an_anchor_and_a_remedy() -> None:
    page = (DOCS / "reference" / "problems.md").read_text(encoding="utf-8")
    for kind in KINDS:
        assert kind.remedy
        assert f"\n## {kind.code}\n" in page


def test_the_index_of_the_documents_names_each_page_by_its_title() -> None:
    assert (DOCS / "README.md").read_text(encoding="utf-8") == index(), "run `make reference`"
