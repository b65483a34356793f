"""The program as an operator starts it: exit codes, one document on stdout, a clean end."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.server.callers import COMPANY
from tests.services import free_port
from trace_server.cli import main
from trace_server.db import migrate

PROGRAM = [sys.executable, "-m", "trace_server"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str


class Runner:
    """Runs commands as `trace-server` does, in this process: starting Python anew for each would take seconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._patch = monkeypatch
        self._capsys = capsys

    def __call__(self, url: str, *arguments: str) -> Outcome:
        self._patch.setenv("SUYUAN_DATABASE_URL", url)
        self._patch.setenv("SUYUAN_ALLOW_UNSAFE_DATABASE", "1")
        self._patch.setattr(sys, "argv", ["trace-server", *arguments])
        self._capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        said = self._capsys.readouterr()
        return Outcome(code, said.out, said.err)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Runner]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield Runner(monkeypatch, capsys)
    root.handlers, root.level = handlers, level


@contextmanager
def serving(url: str, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A running server and its port."""
    port = free_port()
    env = os.environ | {"SUYUAN_DATABASE_URL": url, "SUYUAN_ALLOW_UNSAFE_DATABASE": "1", "SUYUAN_LOG_LEVEL": "warning"}
    env["SUYUAN_CODE_SECRET"] = "for tests only, long enough to be taken"
    process = subprocess.Popen([*PROGRAM, "run", "--port", str(port), *options], env=env)
    try:
        yield process, port
    finally:
        process.terminate()
        process.wait(20)


def get(address: str, token: str = "", context: ssl.SSLContext | None = None) -> str:
    """Body of `address`, asked again until the server listens."""
    deadline = time.monotonic() + 30
    request = urllib.request.Request(address, headers={"Authorization": f"Bearer {token}"} if token else {})
    while True:
        try:
            with urllib.request.urlopen(request, timeout=5, context=context) as answer:
                return str(answer.read().decode())
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def test_a_server_serves_until_it_is_told_to_stop(migrated_url: str) -> None:
    with serving(migrated_url, "--threads", "2") as (process, port):
        assert json.loads(get(f"http://127.0.0.1:{port}/readyz")) == {"status": "ready"}
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_a_server_speaks_tls_when_it_is_given_a_certificate(migrated_sqlite: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{shutil.copy(migrated_sqlite, tmp_path / 'a.sqlite')}"
    certificate, key = self_signed(tmp_path)
    trusted = ssl.create_default_context(cafile=str(certificate))
    with serving(url, "--tls-cert", str(certificate), "--tls-key", str(key)) as (_, port):
        assert json.loads(get(f"https://127.0.0.1:{port}/healthz", context=trusted)) == {"status": "ok"}


def test_the_metrics_of_two_processes_are_one_sum_and_leave_nothing_behind(
    run: Runner, fresh_postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    migrate.upgrade(fresh_postgres_url)
    token = run(fresh_postgres_url, "client", "add", "--name", "m", "--role", "monitor").out.strip()
    with serving(fresh_postgres_url, "--workers", "2") as (_, port):
        for _ in range(20):
            get(f"http://127.0.0.1:{port}/healthz")
        text = get(f"http://127.0.0.1:{port}/metrics", token)
    line = next(line for line in text.splitlines() if 'endpoint="app.healthz"' in line and "_requests_total" in line)
    assert float(line.split()[-1]) == 20
    assert not list(tmp_path.glob("suyuan-metrics-*"))


def test_a_server_refuses_a_database_without_schema(run: Runner, tmp_path: Path) -> None:
    outcome = run(f"sqlite:///{tmp_path / 'a.sqlite'}", "run")
    assert outcome.code == 1
    assert "db upgrade" in outcome.err


def test_a_server_refuses_to_run_without_a_secret(run: Runner, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.sqlite'}"
    run(url, "db", "upgrade")
    outcome = run(url, "run")
    assert outcome.code == 1
    assert "SUYUAN_CODE_SECRET" in outcome.err


def test_an_operator_sets_up_a_server_by_commands(run: Runner, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.sqlite'}"
    assert run(url, "db", "check", "--json").code == 1
    assert json.loads(run(url, "db", "upgrade", "--json").out)["is_current"]
    assert run(url, "db", "check").code == 0
    added = run(url, "gateway", "add", "--id", "g-1", "--site", "北门", "--read-point", "urn:epc:id:sgln:1", "--json")
    assert len(json.loads(added.out)["code"]) == 24
    listed = json.loads(run(url, "gateway", "list", "--json").out)
    assert [(g["gateway_id"], g["site"], g["state"]) for g in listed] == [("g-1", "北门", "invited")]
    token = run(url, "client", "add", "--name", "erp", "--role", "producer", "--subject", COMPANY)
    assert token.out.startswith("suyuan_")
    assert token.out.strip() not in run(url, "client", "list", "--json").out
    assert json.loads(run(url, "client", "revoke", "erp", "--json").out)["state"] == "revoked"
    verified = json.loads(run(url, "audit", "verify", "--json").out)
    assert verified["intact"]
    assert verified["entries"] == 3
    assert len(json.loads(run(url, "audit", "list", "--json").out)) == 3


def test_refusals_exit_with_1_and_wrong_use_with_2(run: Runner, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.sqlite'}"
    run(url, "db", "upgrade")
    refused = run(url, "gateway", "approve", "nobody")
    assert refused.code == 1
    assert "nobody" in refused.err
    assert refused.out == ""
    assert run(url, "gateway", "approve").code == 2
    assert run(url, "client", "add", "--name", "x", "--role", "king").code == 2
    assert run("mysql://x/y", "client", "list").code == 1
    assert run(url, "run", "--workers", "2").code == 1


def test_help_needs_no_database(run: Runner) -> None:
    outcome = run("sqlite:////no/such/folder/a.sqlite", "client", "add", "--help")
    assert outcome.code == 0
    assert "--role" in outcome.out


def test_the_worker_runs_once_or_until_it_is_told_to_stop(run: Runner, migrated_url: str) -> None:
    once = run(migrated_url, "worker", "--once")
    assert once.code == 0
    assert all(json.loads(once.out).values())
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


def self_signed(folder: Path) -> tuple[Path, Path]:
    """Certificate and key files for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "cert.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return paths
