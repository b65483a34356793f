"""The compose file keeps its promises as far as text can: fixed versions, no root, health checks, files that exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ONE_OFF = {"migrate"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_a_fixed_version_and_no_privileges(name: str) -> None:
    service = SERVICES[name]
    tag = service["image"].partition(":")[2]
    assert re.search(r"\d+\.\d+", tag), service["image"]
    assert str(service["user"]).split(":")[0] not in {"", "0", "root"}
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert name in ONE_OFF or service["healthcheck"]["test"]


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
