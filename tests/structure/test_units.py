"""The systemd units in deploy/: each setting exists, privileges are dropped, stopping waits for the drain."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from gateway_agent.service import DRAIN_READERS_S, DRAIN_SENDER_S
from trace_server.cli import DRAIN_S

ROOT = Path(__file__).parents[2]
UNITS = sorted((ROOT / "deploy").glob("*.service"))
DRAINS = {
    "suyuan-server": DRAIN_S,
    "suyuan-worker": DRAIN_S,
    "suyuan-gateway": 2 * DRAIN_READERS_S + DRAIN_SENDER_S,
}
KNOWN = {
    # section → names, from systemd.unit(5), systemd.service(5), systemd.exec(5), systemd.kill(5)
    "Unit": "Description Documentation After Wants StartLimitIntervalSec",
    "Service": (
        "Type EnvironmentFile ExecStartPre ExecStart User Group SupplementaryGroups StateDirectory "
        "StateDirectoryMode RuntimeDirectory WorkingDirectory UMask Restart RestartSec RestartSteps "
        "RestartMaxDelaySec TimeoutStartSec TimeoutStopSec WatchdogSec NotifyAccess KillMode KillSignal "
        "NoNewPrivileges ProtectSystem ProtectHome ProtectKernelTunables ProtectKernelModules "
        "ProtectKernelLogs ProtectControlGroups ProtectClock ProtectHostname ProtectProc PrivateTmp "
        "PrivateDevices DevicePolicy DeviceAllow CapabilityBoundingSet RestrictAddressFamilies "
        "RestrictNamespaces RestrictRealtime RestrictSUIDSGID LockPersonality MemoryDenyWriteExecute "
        "SystemCallArchitectures SystemCallFilter"
    ),
    "Install": "WantedBy",
}


def parse(path: Path) -> dict[str, list[tuple[str, str]]]:
    """Section → settings in order; a name may come several times, which is why configparser will not do."""
    sections: dict[str, list[tuple[str, str]]] = {}
    for line in path.read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        if head := re.fullmatch(r"\[(\w+)\]", line):
            current = sections.setdefault(head[1], [])
        else:
            name, equals, value = line.partition("=")
            assert equals, line
            current.append((name, value))
    return sections


def settings(path: Path) -> dict[str, str]:
    return dict(parse(path)["Service"])


def test_there_is_a_unit_for_each_program_that_serves() -> None:
    assert {path.stem for path in UNITS} >= set(DRAINS)


@pytest.mark.parametrize("path", UNITS, ids=lambda p: p.stem)
def test_every_setting_is_one_that_systemd_knows(path: Path) -> None:
    for section, found in parse(path).items():
        assert not {name for name, _ in found} - set(KNOWN[section].split())


@pytest.mark.parametrize("path", UNITS, ids=lambda p: p.stem)
def test_a_unit_has_no_privileges_and_comes_back(path: Path) -> None:
    found = settings(path)
    assert found["User"] not in ("", "root")
    assert found["NoNewPrivileges"] == "yes"
    assert found["ProtectSystem"] == "strict"
    assert found["ProtectHome"] == "yes"
    assert found["CapabilityBoundingSet"] == ""
    assert found["Restart"] in ("on-failure", "always")
    assert float(found["RestartSec"]) >= 1
    assert parse(path)["Unit"].count(("StartLimitIntervalSec", "0")) == 1  # else systemd gives up after five failures


@pytest.mark.parametrize("path", UNITS, ids=lambda p: p.stem)
def test_stopping_waits_longer_than_the_drain(path: Path) -> None:
    assert float(settings(path)["TimeoutStopSec"]) > DRAINS.get(path.stem, DRAIN_S)


@pytest.mark.parametrize("path", UNITS, ids=lambda p: p.stem)
def test_a_unit_starts_a_program_that_is_installed(path: Path) -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    program, name, *words = shlex.split(settings(path)["ExecStart"])
    assert program == "/usr/bin/env"
    assert name in scripts
    assert {"run", "worker", "uplink-mqtt"} & set(words)
    if "--health-file" in words:
        runtime = settings(path)["RuntimeDirectory"]
        assert words[words.index("--health-file") + 1].startswith(f"/run/{runtime}/")


@pytest.mark.parametrize("name", ["suyuan-server", "suyuan-worker"])
def test_the_servers_units_back_off_while_the_database_is_away(name: str) -> None:
    found = settings(ROOT / "deploy" / f"{name}.service")
    assert int(found["RestartSteps"]) > 1
    assert float(found["RestartMaxDelaySec"]) > float(found["RestartSec"])
