"""Whatever a rule declares or computes has words in both languages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from trace_server.console.rule_words import RULE_WORDS, ground, guard, param_ground, rule_word
from trace_server.detect.run import registry

ROOT = Path(__file__).parents[3] / "trace_server"
RULES = registry()
SOURCES = (
    *sorted((ROOT / "detectors").glob("d*.py")),
    ROOT / "detect" / "filling.py",
    ROOT / "detect" / "indications.py",
)
HAN = re.compile(r"[\u4e00-\u9fff]")


def computed(path: Path) -> Iterator[str]:
    """Keys of every mapping that the source of a rule writes out."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Dict):
            yield from (key.value for key in node.keys if isinstance(key, ast.Constant) and isinstance(key.value, str))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_every_value_that_a_rule_computes_has_words(path: Path) -> None:
    assert [key for key in computed(path) if key not in RULE_WORDS and key not in {"act", "permit"}] == []


@pytest.mark.parametrize("rule", RULES)
def test_every_parameter_guard_and_ground_of_a_rule_is_told_in_chinese(rule: str) -> None:
    one = RULES[rule]
    for param in one.params:
        assert HAN.search(rule_word(param.name, "zh"))
        assert HAN.search(param_ground(one, param.name, "zh"))
        assert "art." not in param_ground(one, param.name, "zh")
        assert param_ground(one, param.name, "en") == param.basis
    assert HAN.search(guard(one, "zh"))
    assert not one.guard_zh.endswith("。")
    assert guard(one, "en") == one.guard
    assert HAN.search(ground(one.basis, "zh"))
    assert "art." not in ground(one.basis, "zh")


def test_words_are_chinese_and_english() -> None:
    for zh, en in RULE_WORDS.values():
        assert HAN.search(zh)
        assert not HAN.search(en)


def test_a_citation_reads_as_chinese_writes_it() -> None:
    assert ground("食品安全法 art. 34 (10), art. 124", "zh") == "食品安全法第34条第10项、第124条"
    assert ground("食品安全法 art. 42; 药品管理法 art. 12, 36", "zh") == "食品安全法第42条；药品管理法第12、36条"
    assert param_ground(RULES["D01"], "grace_s", "zh") == "系统默认值，主管部门可以调整"
    assert param_ground(RULES["D01"], "lot", "zh") == ""
