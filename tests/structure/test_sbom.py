"""The bill of materials names every package of the lock files, and is the same each time."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def made(root: Path = ROOT) -> str:
    command = [sys.executable, str(ROOT / "scripts" / "make-sbom"), "--root", str(root)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.fixture(scope="module")
def bill() -> dict[str, Any]:
    found = json.loads(made())
    assert isinstance(found, dict)
    return found


def test_every_locked_package_is_in_it_once_with_its_hashes(bill: dict[str, Any]) -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pinned = {
        f"pkg:pypi/{name}@{version}" for name, version in re.findall(r"^([a-z0-9-]+)==(\S+) ", lock, re.MULTILINE)
    }
    told = [part["purl"] for part in bill["components"] if part["purl"].startswith("pkg:pypi/")]
    assert sorted(told) == sorted(pinned)
    hashes = [digest for part in bill["components"] for place in part.get("externalReferences", ())
              for digest in place["hashes"]]  # fmt: skip
    assert len(hashes) == lock.count("--hash=sha256:")


def test_it_has_what_cyclonedx_asks_for(bill: dict[str, Any]) -> None:
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.6", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", bill["serialNumber"])
    refs = {part["bom-ref"] for part in bill["components"]}
    assert len(refs) == len(bill["components"])
    assert set(bill["dependencies"][0]["dependsOn"]) == refs


def test_the_same_lock_files_give_the_same_document(bill: dict[str, Any]) -> None:
    assert json.loads(made()) == bill
