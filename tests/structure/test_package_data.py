"""What the programs read beside their code is in the wheel too."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest
import setuptools

ROOT = Path(__file__).parents[2]
PROGRAMS = ("trace_core", "gateway_agent", "firmware_sim", "trace_server", "suyuan")
CODE = (".py", ".pyc", ".pyi", ".typed")


def test_every_file_of_data_is_part_of_the_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[str, Any] = {}
    monkeypatch.setattr(setuptools, "setup", lambda **given: told.update(given))
    monkeypatch.chdir(ROOT)
    runpy.run_path(str(ROOT / "setup.py"))
    folders = {"trace_server.templates": ROOT / "templates"} | {name: ROOT / name for name in PROGRAMS}
    packed = {
        path
        for package, patterns in told["package_data"].items()
        for pattern in patterns
        for path in folders[package].glob(pattern)
    }
    needed = {
        path
        for folder in folders.values()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix not in CODE and "__pycache__" not in path.parts
    }
    assert len(needed) > 50
    assert {str(path.relative_to(ROOT)) for path in needed - packed} == set()
