"""The program as an operator starts it: exit codes, one document on stdout, a clean end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

PROGRAM = [sys.executable, "-m", "trace_server"]


def run(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("SUYUAN_")}
    env |= {"SUYUAN_DATABASE_URL": url, "SUYUAN_ALLOW_UNSAFE_DATABASE": "1"}
    return subprocess.run([*PROGRAM, *arguments], env=env, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def served(migrated_url: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A running server and its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = os.environ | {"SUYUAN_DATABASE_URL": migrated_url, "SUYUAN_ALLOW_UNSAFE_DATABASE": "1"}
    process = subprocess.Popen([*PROGRAM, "run", "--port", str(port), "--threads", "2"], env=env)
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def await_ready(address: str) -> dict[str, str]:
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=5) as answer:
                found: dict[str, str] = json.load(answer)
                return found
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def test_a_server_serves_until_it_is_told_to_stop(served: tuple[subprocess.Popen[bytes], str]) -> None:
    process, address = served
    assert await_ready(address) == {"status": "ready"}
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0


def test_a_server_refuses_a_database_without_schema(tmp_path: Path) -> None:
    outcome = run(f"sqlite:///{tmp_path / 'a.sqlite'}", "run")
    assert outcome.returncode == 1
    assert "db upgrade" in outcome.stderr


def test_an_operator_sets_up_a_server_by_commands(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.sqlite'}"
    assert run(url, "db", "check", "--json").returncode == 1
    assert json.loads(run(url, "db", "upgrade", "--json").stdout)["is_current"]
    assert run(url, "db", "check").returncode == 0
    added = run(url, "gateway", "add", "--id", "g-1", "--site", "北门", "--read-point", "urn:epc:id:sgln:1", "--json")
    assert len(json.loads(added.stdout)["code"]) == 24
    listed = json.loads(run(url, "gateway", "list", "--json").stdout)
    assert [(g["gateway_id"], g["site"], g["state"]) for g in listed] == [("g-1", "北门", "invited")]
    token = run(url, "client", "add", "--name", "erp", "--role", "producer")
    assert token.stdout.startswith("suyuan_")
    assert token.stdout.strip() not in run(url, "client", "list", "--json").stdout
    assert json.loads(run(url, "client", "revoke", "erp", "--json").stdout)["state"] == "revoked"
    verified = json.loads(run(url, "audit", "verify", "--json").stdout)
    assert verified["intact"]
    assert verified["entries"] == 3
    assert len(json.loads(run(url, "audit", "list", "--json").stdout)) == 3


def test_refusals_exit_with_1_and_wrong_use_with_2(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.sqlite'}"
    run(url, "db", "upgrade")
    refused = run(url, "gateway", "approve", "nobody")
    assert refused.returncode == 1
    assert "nobody" in refused.stderr
    assert refused.stdout == ""
    assert run(url, "gateway", "approve").returncode == 2
    assert run(url, "client", "add", "--name", "x", "--role", "king").returncode == 2
    assert run("mysql://x/y", "client", "list").returncode == 1
    assert run(url, "run", "--workers", "2").returncode == 1


def test_help_needs_no_database() -> None:
    outcome = run("sqlite:////no/such/folder/a.sqlite", "client", "add", "--help")
    assert outcome.returncode == 0
    assert "--role" in outcome.stdout


def test_the_worker_runs_once_or_until_it_is_told_to_stop(migrated_url: str) -> None:
    once = run(migrated_url, "worker", "--once")
    assert once.returncode == 0
    assert all(json.loads(once.stdout).values())
    env = os.environ | {"SUYUAN_DATABASE_URL": migrated_url, "SUYUAN_ALLOW_UNSAFE_DATABASE": "1"}
    process = subprocess.Popen([*PROGRAM, "worker"], env=env, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        assert "worker started" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        _, rest = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert "worker stopped" in rest
