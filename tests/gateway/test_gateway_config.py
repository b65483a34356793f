"""A wrong setting is an error that names the file, the key and what to write; the documents show what exists."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from gateway_agent.cli import known_protocols
from gateway_agent.config import Config, load_config
from gateway_agent.settings import SETTINGS, settings_page
from gateway_agent.transports._base import MqttAddress
from gateway_agent.transports.serial import SerialAddress
from trace_core.errors import ConfigError

GOOD = """
[server]
url = "https://trace.example.org"
[gateway]
state_dir = "state"
[[reader]]
name = "door"
protocol = "magicrf"
url = "serial:///dev/ttyUSB0?baud=9600"
[[reader]]
name = "portal"
protocol = "mqtt_json"
url = "mqtt://broker.example:2883/readers/#?version=3.1.1&client_id=me"
[[read_point]]
reader = "door"
id = "urn:epc:id:sgln:6901234.00001.0"
biz_step = "receiving"
[[read_point]]
reader = "portal"
antenna = 1
id = "https://id.gs1.org/414/6901234000016"
min_reads = 2
rssi_min_dbm = -65
[answer]
outputs = [{type = "file", path = "answers.jsonl"}]
"""
ROOT = Path(__file__).parents[2]


def load(folder: Path, text: str) -> Config:
    path = folder / "gateway.toml"
    path.write_text(text, encoding="utf-8")
    return load_config(path, known_protocols())


def test_a_good_file_becomes_values(tmp_path: Path) -> None:
    config = load(tmp_path, GOOD)
    door, portal = config.readers
    assert isinstance(door.address, SerialAddress)
    assert (door.address.path, door.address.line.baud) == ("/dev/ttyUSB0", 9600)
    assert isinstance(portal.address, MqttAddress)
    assert (portal.address.host, portal.address.port) == ("broker.example", 2883)
    assert (portal.address.topic, portal.address.client_id) == ("readers/#", "me")
    assert config.gateway.state_dir == tmp_path / "state"
    assert config.read_points[0].biz_step == "https://ref.gs1.org/cbv/BizStep-receiving"
    assert config.read_points[1].rssi_min_dbm == -65.0
    assert config.answer.outputs[0].path == tmp_path / "answers.jsonl"


WRONG = [
    ("[server]", "[sever]", "[sever]|sever", "did you mean 'server'?"),
    ('url = "https', 'ulr = "https', "[server]: ulr", "did you mean 'url'?"),
    ("https://trace", "http://trace", "[server]: url", "use https"),
    ("https://trace.example.org", "trace.example.org", "[server]: url", "write https://"),
    ('state_dir = "state"', "", "[gateway]: state_dir", "is missing"),
    ('state_dir = "state"', 'state_dir = ""', "[gateway]: state_dir", "is empty"),
    ('state_dir = "state"', "state_dir = 7", "[gateway]: state_dir", "must be text"),
    ('state_dir = "state"', 'state_dir = "s"\nqueue_size = 0', "queue_size", "out of range"),
    ('state_dir = "state"', 'state_dir = "s"\nqueue_size = 1.5', "queue_size", "whole number"),
    ('state_dir = "state"', 'state_dir = "s"\ngroup_ms = nan', "group_ms", "out of range"),
    ('state_dir = "state"', 'state_dir = "s"\ngroup_ms = true', "group_ms", "must be a number"),
    ('state_dir = "state"', 'state_dir = "s"\nutc_offset = "8"', "utc_offset", "write +08:00"),
    ('protocol = "magicrf"', 'protocol = "magicfr"', "[[reader]] 1: protocol", "did you mean 'magicrf'?"),
    ("serial:///dev/ttyUSB0", "serail:///dev/ttyUSB0", "[[reader]] 1: url", "did you mean 'serial'?"),
    ("serial:///dev/ttyUSB0", "mqtt://host/topic", "[[reader]] 1: url", "it is over: serial"),
    ("serial:///dev/ttyUSB0?baud=9600", "tcp://host", "[[reader]] 1: url", "write tcp://HOST:PORT"),
    ("serial:///dev/ttyUSB0?baud=9600", "tcp://host:99999", "[[reader]] 1: url", "up to 65535"),
    ("baud=9600", "baud=fast", "[[reader]] 1: url", "no line speed"),
    ("baud=9600", "parity=mark", "[[reader]] 1: url", "parity=even"),
    ("baud=9600", "stopbits=3", "[[reader]] 1: url", "stopbits=1"),
    ("baud=9600", "buad=9600", "[[reader]] 1: url", "did you mean 'baud'?"),
    ("/dev/ttyUSB0?baud", "?baud", "[[reader]] 1: url", "name a device"),
    ("version=3.1.1", "version=4", "[[reader]] 2: url", "one of 5, 3.1.1"),
    ("client_id=me", "password_env=NOT_SET_ANYWHERE", "[[reader]] 2: url", "NOT_SET_ANYWHERE"),
    ("mqtt://broker.example:2883/readers/#", "mqtt://broker.example", "[[reader]] 2: url", "host and topic"),
    ('name = "portal"', 'name = "door"', "reader.name", "appears twice"),
    ('reader = "portal"', 'reader = "protal"', "[[read_point]] 2: reader", "did you mean 'portal'?"),
    ('biz_step = "receiving"', 'biz_step = "receving"', "[[read_point]] 1: biz_step", "did you mean 'receiving'?"),
    ('id = "urn:epc:id:sgln', 'id = "sgln', "[[read_point]] 1: id", "is no place"),
    ('reader = "portal"\nantenna = 1', 'reader = "door"', "read_point", "appears twice"),
    ('reader = "portal"', 'reader = "door"', "reader", "'portal' has no read point"),
    ("min_reads = 2", "min_reads = 0", "[[read_point]] 2: min_reads", "out of range"),
    ('type = "file"', 'typ = "file"', "[[outputs]] 1: typ", "did you mean 'type'?"),
    ("[answer]", '[answer]\nwithout_list = "refuse"', "[answer]: without_list", "write allow or warn"),
    ('protocol = "magicrf"', 'protocol = "magicrf"\noptions = {pwer_dbm = 20}', "options.pwer_dbm", "power_dbm"),
    ('protocol = "magicrf"', 'protocol = "magicrf"\noptions = {power_dbm = "x"}', "options", ""),
    ('protocol = "magicrf"', 'protocol = "magicrf"\noptions = 3', "options", "must be a table"),
    ("[gateway]", "[gateway", "gateway.toml", "not TOML"),
]


@pytest.mark.parametrize(("good", "bad", "where", "remedy"), WRONG, ids=[w[1][:40] for w in WRONG])
def test_a_wrong_setting_is_named_with_its_remedy(tmp_path: Path, good: str, bad: str, where: str, remedy: str) -> None:
    assert good in GOOD
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, GOOD.replace(good, bad, 1))
    assert str(tmp_path / "gateway.toml") in str(caught.value)
    assert any(part in caught.value.where for part in where.split("|"))
    assert remedy in str(caught.value)
    assert caught.value.what


def test_http_is_allowed_on_loopback(tmp_path: Path) -> None:
    assert load(tmp_path, GOOD.replace("https://trace.example.org", "http://127.0.0.1:5000/")).server.url.endswith(
        ":5000"
    )


def test_a_missing_file_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read the file"):
        load_config(tmp_path / "none.toml", known_protocols())


def test_the_settings_page_is_what_the_table_says() -> None:
    assert (ROOT / "docs" / "settings-gateway.md").read_text(encoding="utf-8") == settings_page()


def test_the_example_shows_settings_that_exist_and_loads() -> None:
    path = ROOT / "deploy" / "gateway.example.toml"
    assert {s.name.partition(".")[0] for s in SETTINGS} - {"outputs"} == tomllib.loads(path.read_text()).keys()
    assert len(load_config(path, known_protocols()).readers) == 3
