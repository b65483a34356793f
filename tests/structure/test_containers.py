"""The compose file keeps its promises as far as text can: fixed versions, no root, health checks, files that exist."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.certificates import make_certificate
from tests.gateway.make import new_outbox
from tests.services import free_port, postgres_bin
from trace_server.db.migrate import upgrade

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ONE_OFF = {"migrate"}
SCRIPTS: dict[str, str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_a_fixed_version_and_no_privileges(name: str) -> None:
    service = SERVICES[name]
    tag = service["image"].partition(":")[2]
    assert re.search(r"\d+\.\d+", tag), service["image"]
    assert str(service["user"]).split(":")[0] not in {"", "0", "root"}
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert name in ONE_OFF or service["healthcheck"]["test"]


def ended(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a health check of ours here, with this folder's files and ports where nothing listens."""
    module, _, function = SCRIPTS.get(words[0], "").partition(":")
    script = f"import sys; from {module} import {function}; sys.exit({function}())"
    program = [sys.executable, "-c", script] if module else [sys.executable]
    environment = {**os.environ, "SUYUAN_DATABASE_URL": f"sqlite:///{folder / 'suyuan.sqlite'}"}
    return subprocess.run(
        [*program, *words[1:]], capture_output=True, text=True, timeout=60, check=False, env=environment
    )


def placed(words: list[str], folder: Path) -> list[str]:
    """The container's paths and names → this folder's."""
    changes = {
        "/etc/suyuan/gateway.toml": str(folder / "gateway.toml"),
        "/tmp/": f"{folder}/",
        "/run/secrets/tls_cert": str(folder / "tls" / "cert.pem"),
        "https://server:8443": f"https://127.0.0.1:{free_port()}",
    }
    pattern = "|".join(map(re.escape, changes))
    return [re.sub(pattern, lambda found: changes[found[0]], word) for word in words]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("server", "Connection refused"),
        ("worker", "the worker has shown no sign of life"),
        ("reader", "the simulator has shown no sign of life"),
        ("gateway", "The gateway does not run."),
    ],
)
def test_a_health_check_fails_when_its_program_does_not_run(name: str, words: str, tmp_path: Path) -> None:
    make_certificate(tmp_path / "tls")
    upgrade(f"sqlite:///{tmp_path / 'suyuan.sqlite'}")
    settings = (ROOT / "docker" / "gateway.toml").read_text()
    settings = settings.replace("/run/secrets/tls_cert", str(tmp_path / "tls" / "cert.pem"))
    (tmp_path / "gateway.toml").write_text(settings.replace("/var/lib/suyuan", str(tmp_path)))
    with closing(new_outbox(tmp_path / "gateway")):
        pass
    kind, *command = SERVICES[name]["healthcheck"]["test"]
    assert kind == "CMD"
    done = ended(placed(command, tmp_path), tmp_path)
    assert done.returncode == 1, done.stdout
    assert words in done.stderr


def test_the_health_checks_of_others_fail_when_nothing_listens() -> None:
    _, *command = SERVICES["postgres"]["healthcheck"]["test"]
    port = str(free_port())
    assert command[0] == "pg_isready"
    words = [str(postgres_bin() / "pg_isready"), *command[1:], "-h", "127.0.0.1", "-p", port]
    assert subprocess.run(words, check=False, timeout=30, stdout=subprocess.DEVNULL).returncode != 0


def test_what_a_health_check_looks_at_is_what_the_program_was_told_to_renew() -> None:
    for name in ("worker", "reader"):
        told = [word for word in SERVICES[name]["command"] if word.startswith("--health-file=")]
        asked = [word for word in SERVICES[name]["healthcheck"]["test"] if word.startswith("--health-file=")]
        assert told == asked != []


def test_every_file_that_is_mounted_exists() -> None:
    mounted = [volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])]
    assert not [path for path in mounted if path.startswith("./") and not (ROOT / path).exists()]


def test_every_secret_is_declared_and_made_by_the_script() -> None:
    declared = COMPOSE["secrets"]
    used = {secret for service in SERVICES.values() for secret in service.get("secrets", [])}
    assert used == set(declared)
    script = (ROOT / "scripts" / "make-secrets").read_text()
    assert not [entry["file"] for entry in declared.values() if Path(entry["file"]).name not in script]


def test_no_password_stands_in_the_file() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    assert not re.search(r"PASSWORD: |PASSWORD=(?!_FILE)", text)


def test_the_image_copies_only_what_exists() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert copied
    assert not [path for line in copied for path in line.split() if not (ROOT / path).exists()]


def test_the_gateways_settings_are_right_but_for_the_certificate(tmp_path: Path) -> None:
    settings = (ROOT / "docker" / "gateway.toml").read_text()
    certificate = tmp_path / "cert.pem"
    certificate.write_text("a certificate")
    config = tmp_path / "gateway.toml"
    config.write_text(settings.replace("/run/secrets/tls_cert", str(certificate)))
    words = [sys.executable, "-m", "gateway_agent", "check-config", "--config", str(config)]
    subprocess.run(words, check=True, timeout=30, stdout=subprocess.DEVNULL)
