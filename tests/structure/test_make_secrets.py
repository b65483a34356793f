"""scripts/make-secrets makes each secret once, keeps it, and says in words what it lacks."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]


@pytest.fixture
def script(tmp_path: Path) -> Path:
    (tmp_path / "scripts").mkdir()
    return Path(shutil.copy(ROOT / "scripts" / "make-secrets", tmp_path / "scripts"))


def run(script: Path, path: str = os.environ["PATH"]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(script)], capture_output=True, text=True, timeout=30, check=False, env={**os.environ, "PATH": path}
    )


def path_with(folder: Path, openssl: str = "") -> str:
    """A search path with what the script needs, but for openssl, which is replaced or absent."""
    folder.mkdir()
    for name in ("env", "bash", "dirname", "mkdir", "head", "od", "tr", "cat", "chmod", "rm"):
        found = shutil.which(name)
        assert found, name
        (folder / name).symlink_to(found)
    if openssl:
        (folder / "openssl").write_text(f"#!/bin/sh\n{openssl}\n")
        (folder / "openssl").chmod(0o755)
    return str(folder)


def test_secrets_are_made_once_and_kept(script: Path) -> None:
    first = run(script)
    assert (first.returncode, first.stderr) == (0, "")
    secrets = script.parents[1] / "secrets"
    made = {path.name: path.read_bytes() for path in secrets.iterdir()}
    declared = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["secrets"]
    assert set(made) == {Path(entry["file"]).name for entry in declared.values()}
    assert secrets.stat().st_mode & 0o777 == 0o700
    assert run(script).returncode == 0
    assert {path.name: path.read_bytes() for path in secrets.iterdir()} == made


def test_without_openssl_it_says_so_and_exits_1(script: Path, tmp_path: Path) -> None:
    done = run(script, path_with(tmp_path / "bin"))
    assert done.returncode == 1
    assert "openssl is not installed" in done.stderr
    assert "apt install openssl" in done.stderr


def test_what_openssl_complains_of_is_shown_and_no_half_certificate_stays(script: Path, tmp_path: Path) -> None:
    done = run(script, path_with(tmp_path / "bin", 'echo half > secrets/tls_cert; echo "no entropy" >&2; exit 3'))
    assert done.returncode == 1
    assert "openssl made no certificate:\nno entropy" in done.stderr
    assert not (script.parents[1] / "secrets" / "tls_cert").exists()
