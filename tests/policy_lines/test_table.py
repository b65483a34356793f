"""The page of policy lines names every line, and each test that it names exists and is named after its line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
PAGE = FOLDER.parents[1] / "docs" / "reference" / "policy-lines.md"
_LINES = """
一(一) 一(二)a 一(二)b 一(二)c 一(二)d 一(三) 二(一)a 二(一)d 二(一)e 二(二)a 二(二)b 二(二)c 二(三) 二(四)a 二(四)b
二(七)b 二(七)c 二(八) 三(一)a 三(一)b 三(二) 三(三) 三(四)a 三(四)b 四(一)a 四(一)b 四(二) 四(三) 四(四)a 四(四)b
四(四)c 五(一)a 五(一)b 五(二) 五(三)a
"""
_OTHERS = """
二(一)b 二(一)c 二(五)a 二(五)b 二(五)c 二(五)d 二(五)e 二(五)f 二(六)a 二(六)b 二(六)c 二(七)a 五(三)b 六(一) 六(一)b
六(二) 六(三)a 六(三)b
"""
LINES, OTHERS = _LINES.split(), _OTHERS.split()
DIGITS = {digit: str(number) for number, digit in enumerate("一二三四五六七八", start=1)}
NOTHING = "not built"


def rows(heading: str) -> dict[str, list[str]]:
    """Line → the other cells of its row, in the table under `heading`."""
    text = PAGE.read_text(encoding="utf-8").partition(f"## {heading}")[2].partition("\n## ")[0]
    cells = [re.split(r"(?<!\\)\|", line)[1:-1] for line in text.splitlines() if line.startswith("| ")]
    return {row[0].strip(): [cell.strip() for cell in row[1:]] for row in cells if row[0].strip() != "Line"}


TABLE = rows("Lines of detection")


def test_every_line_is_in_its_table_once() -> None:
    assert list(TABLE) == LINES
    assert list(rows("Lines that other modules carry")) == OTHERS


@pytest.mark.parametrize("line", LINES)
def test_a_line_has_a_test_named_after_it_and_something_to_do(line: str) -> None:
    _, test, seen = TABLE[line]
    if test == "–":
        assert seen.startswith(NOTHING)
        return
    file, _, name = test.strip("`").partition("::")
    number = "_".join(re.sub(r"[()]", "", "".join(DIGITS.get(sign, sign) for sign in line)))
    number = re.sub(r"_(?=[a-z])", "", number)
    assert re.match(rf"test_{number}_[a-z]", name), (number, name)
    assert f"def {name}(" in (FOLDER / file).read_text(encoding="utf-8")
    assert "`" in seen


def test_every_test_of_a_line_is_on_the_page() -> None:
    named = {row[1].strip("`") for row in TABLE.values()}
    found = {
        f"{file.name}::{name}"
        for file in FOLDER.glob("test_[0-9].py")
        for name in re.findall(r"^def (test_\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert found == named - {"–"}
