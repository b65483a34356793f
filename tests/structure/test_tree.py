"""The shape of the tree is a promise too: sizes, names, documents, dependencies."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("trace_core", "gateway_agent", "firmware_sim", "trace_server", "suyuan")
MODULES = sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))
DRAWERS = {"util", "utils", "helpers", "common", "manager", "base", "misc"}


def test_no_module_is_longer_than_400_lines() -> None:
    written = [p for p in MODULES if "versions" not in p.parts]  # a frozen migration is a list, however long
    long = {str(p.relative_to(ROOT)): n for p in written if (n := len(p.read_text().splitlines())) > 400}
    assert not long


def test_no_function_is_longer_than_60_lines() -> None:
    long = []
    for path in MODULES:
        if "migrations" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > 60:
                    long.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name} {length}")
    assert not long


def test_no_module_is_a_drawer() -> None:
    assert not [p for p in MODULES if p.stem in DRAWERS]


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        str(p.relative_to(ROOT))
        for p in MODULES
        if (text := p.read_text()).strip() and ast.get_docstring(ast.parse(text)) is None
    ]
    assert not silent


def test_every_dependency_is_justified() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = {
        re.split(r"[<>=!~\[ ]", entry)[0] for extra in project["optional-dependencies"].values() for entry in extra
    }
    page = (ROOT / "docs" / "dependencies.md").read_text()
    assert not {name for name in named if not re.search(rf"\b{re.escape(name)}\b", page)}
    assert project["dependencies"] == []


def test_lock_files_name_no_registry() -> None:
    locks = [ROOT / "requirements.lock", *(ROOT / "tests" / "judges").glob("*.lock")]
    assert len(locks) == 3
    assert not [lock.name for lock in locks if "://" in lock.read_text()]


@pytest.mark.parametrize("package", ["trace_core", "gateway_agent", "firmware_sim"])
def test_a_box_at_the_gate_needs_no_server_package(package: str) -> None:
    """Import every module in a process in which the server's packages cannot be found."""
    barred = ["flask", "sqlalchemy", "pydantic", "apiflask", "msgspec", "jinja2", "psycopg2", "alembic"]
    if package == "trace_core":
        barred += ["serial", "paho", "cryptography", "amqtt"]
    script = f"""
import importlib, pkgutil, sys
class Bar:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {barred!r}:
            raise ImportError(name + " is not on the box")
sys.meta_path.insert(0, Bar())
package = importlib.import_module({package!r})
for info in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    if not info.name.endswith("__main__"):
        importlib.import_module(info.name)
"""
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT, timeout=60)


def test_make_targets_of_the_readme_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for readme in ("README.md", "README.zh-CN.md"):
        named = set(re.findall(r"`?make (?:-s )?([a-z]+)", (ROOT / readme).read_text()))
        assert named
        assert named <= targets


def test_both_readmes_have_the_same_sections() -> None:
    sections = [
        len(re.findall(r"^## ", (ROOT / readme).read_text(), re.MULTILINE))
        for readme in ("README.md", "README.zh-CN.md")
    ]
    assert sections[0] == sections[1] > 0
