"""The how-to and the example are settings that work, and name what exists."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from gateway_agent.checkpoints import CHECKPOINTS
from gateway_agent.cli import known_protocols, main
from gateway_agent.config import load_config, parse_config
from gateway_agent.showing import open_outputs

ROOT = Path(__file__).parents[2]
HOW_TO = (ROOT / "docs" / "how-to" / "connect-a-reader.md").read_text()
EXAMPLES = re.findall(r"```toml\n(.*?)```", HOW_TO, re.DOTALL)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_every_example_of_the_how_to_is_taken(number: int, tmp_path: Path) -> None:
    config = parse_config(tomllib.loads(EXAMPLES[number]), tmp_path / "gateway.toml", known_protocols())
    open_outputs(config.answer.outputs, config.lines())


def test_the_shipped_example_is_taken() -> None:
    config = load_config(ROOT / "deploy" / "gateway.example.toml", known_protocols())
    assert config.gateway.status_port
    open_outputs(config.answer.outputs)


def test_the_how_to_lists_every_kind_of_checkpoint_with_its_presets() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| .*? \| (window.*) \|$", HOW_TO, re.MULTILINE))
    assert set(rows) == {kind.name for kind in CHECKPOINTS}
    for kind in CHECKPOINTS:
        row, presets = rows[kind.name], kind.presets
        assert f"window {presets['presence_window_s']:g} s, {presets['min_reads']} read" in row
        if "rssi_min_dbm" in presets:
            assert f"−{-float(str(presets['rssi_min_dbm'])):g} dBm" in row
        assert ('report = "both"' in row) == (presets.get("report") == "both")


def test_protocols_are_listed_with_transports_line_and_sources(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["protocols", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["magicrf"]["line"]["baud"] == 115_200
    assert all(row["transports"] and row["sources"] for row in rows.values())
    assert all(row["line"] for row in rows.values() if "serial" in row["transports"])
