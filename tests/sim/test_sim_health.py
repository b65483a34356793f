"""Whoever watches over the simulator can tell whether it plays."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from firmware_sim import cli
from firmware_sim.health import MAX_AGE_S

SCENARIO = '[reader]\nprotocol = "magicrf"\nendpoint = "pty"\n'


def test_a_playing_simulator_renews_its_health_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    alive, scenario = tmp_path / "alive", tmp_path / "scenario.toml"
    scenario.write_text(SCENARIO)
    check = ["check", "--health-file", str(alive)]
    assert cli.main(check) == 1
    assert "no sign of life at all" in capsys.readouterr().err
    assert cli.main(["run", str(scenario), "--duration", "0.2", "--health-file", str(alive)]) == 0
    assert cli.main(check) == 0
    old = time.time() - MAX_AGE_S - 5
    os.utime(alive, (old, old))
    assert cli.main(check) == 1
    assert "no sign of life for 1" in capsys.readouterr().err


def test_without_a_health_file_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = tmp_path / "scenario.toml"
    scenario.write_text(SCENARIO)
    monkeypatch.chdir(tmp_path)
    assert cli.main(["run", str(scenario), "--duration", "0.1"]) == 0
    assert list(tmp_path.iterdir()) == [scenario]
