"""Scenario files and the command line."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from firmware_sim import cli
from firmware_sim.endpoints import MqttEndpoint, PtyEndpoint, endpoint_for
from firmware_sim.line import Line
from firmware_sim.scenario import Scenario, load, parse
from tests.services import Broker
from trace_core.errors import ConfigError
from trace_core.readers import protocols

SHIPPED = sorted((Path(cli.__file__).parent / "scenarios").glob("*.toml"))
READER = '[reader]\nprotocol = "magicrf"\n'


def _load(folder: Path, text: str) -> Scenario:
    path = folder / "scenario.toml"
    path.write_text(text, encoding="utf-8")
    return load(path)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.name)
def test_a_shipped_scenario_loads(path: Path) -> None:
    scenario = load(path)
    assert scenario.title
    assert any(reader.passages for reader in scenario.readers)


def test_tags_come_stay_and_come_again(tmp_path: Path) -> None:
    tag = '[[tag]]\nepc = "3034"\narrive_s = 1.0\nstay_s = 2.0\n'
    scenario = _load(tmp_path, f"repeat_s = 10\n{READER}{tag}")
    line = Line(scenario.readers[0], 1, repeat_s=scenario.repeat_s)
    present = [bool(line.field(at)) for at in (0.5, 1.0, 2.9, 3.0, 10.5, 11.5, 13.5)]
    assert present == [False, True, True, False, False, True, False]


def test_a_tag_without_an_end_stays(tmp_path: Path) -> None:
    scenario = _load(tmp_path, f'{READER}[[tag]]\nepc = "3034"\n')
    assert Line(scenario.readers[0], 1).field(1e6)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "reader"),
        ('[reader]\nprotocol = "none"\n', "reader.protocol"),
        ("nonsense", "scenario.toml"),
        (f"tpyo = 1\n{READER}", "scenario"),
        (f"seed = true\n{READER}", "seed"),
        (f"duration_s = -1\n{READER}", "duration_s"),
        (f"{READER}options = {{ dialetc = 1 }}\n", "reader.options"),
        (f'{READER}[[tag]]\nepc = "303"\n', "tag[0].epc"),
        (f'{READER}[[tag]]\nepc = "303412"\n', "tag[0].epc"),
        (f"{READER}[[tag]]\nepc = 5\n", "tag[0].epc"),
        (f'{READER}[[tag]]\nepc = "3034"\nantena = 1\n', "tag[0]"),
        (f"{READER}[faults]\nlose = 2.0\n", "faults.lose"),
        (f"tag = 1\n{READER}", "tag"),
        (f"tag = [1]\n{READER}", "tag[0]"),
    ],
)
def test_a_mistake_in_a_scenario_is_named_with_its_place(tmp_path: Path, text: str, where: str) -> None:
    with pytest.raises(ConfigError) as caught:
        _load(tmp_path, text)
    assert where in str(caught.value)


def test_a_missing_scenario_is_refused_with_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["run", "no/such.toml"]) == 1
    assert "no/such.toml" in capsys.readouterr().err


def test_wrong_use_has_exit_code_2() -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["fly"])
    assert caught.value.code == 2


def test_protocols_lists_the_registry(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["protocols", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [p["name"] for p in listed] == list(protocols())
    assert cli.main(["protocols"]) == 0
    words = capsys.readouterr().out
    assert all(name in words for name in protocols())


def test_run_prints_the_port_and_the_result(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["run", "market_gate.toml", "--duration", "0.2", "--json"]) == 0
    begun, ended = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert begun["readers"][0]["endpoint"].startswith("/dev/")
    assert (ended["readers"], ended["damaged_frames"], ended["overruns"]) == (1, 0, 0)


def test_endpoints_are_named_by_a_url(tmp_path: Path, mosquitto: Broker) -> None:
    link = tmp_path / "port"
    for url, kind in (
        ("pty", PtyEndpoint),
        (f"pty:{link}", PtyEndpoint),
        (f"mqtt://127.0.0.1:{mosquitto.port}/a/b", MqttEndpoint),
    ):
        endpoint = endpoint_for(url, "test")
        assert isinstance(endpoint, kind)
        endpoint.close()
    for url in ("", "tcp://a", "mqtt://a", "mqtt:///x", "mqtt://a:b/c"):
        with pytest.raises(ConfigError):
            endpoint_for(url, "test")


def test_the_scenario_of_the_how_to_is_one() -> None:
    page = Path(__file__).parents[2] / "docs" / "how-to" / "simulate-readers.md"
    shown = page.read_text(encoding="utf-8").split("```toml\n")[1].partition("```")[0]
    scenario = parse(tomllib.loads(shown))
    assert len(scenario.readers[0].passages) == 8
    assert len(scenario.readers[0].incidents) == 2
