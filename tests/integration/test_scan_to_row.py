"""A real port, a real gateway, a real server, on both databases: what passed the gate is what the tables hold."""

from __future__ import annotations

import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from firmware_sim.device import SimulatedReader
from firmware_sim.endpoints import PtyEndpoint
from tests.running import RunningServer, running, running_server
from trace_core.ids.canonical import canonical_uri
from trace_core.ids.epc import decode, encode_sgtin96
from trace_core.ids.gs1 import check_digit
from trace_core.readers import protocols
from trace_core.readers._base import FieldTag

READ_POINT = "urn:epc:id:sgln:9521007.00001.1"
GTIN = f"0952100100001{check_digit('0952100100001')}"
TAGS = [encode_sgtin96(GTIN, serial, prefix_length=7) for serial in range(1_000, 1_012)]


@pytest.fixture
def server(migrated_url: str, tmp_path: Path) -> Iterator[RunningServer]:
    with running_server(migrated_url, tmp_path) as served:
        yield served


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[SimulatedReader]:
    magicrf = protocols()["magicrf"]
    endpoint = PtyEndpoint(link=tmp_path / "tty-gate")
    with SimulatedReader(magicrf, magicrf.device({}), endpoint, seed=7) as device:
        yield device


def _configure(server: RunningServer, folder: Path, *, ca_file: str = "") -> Path:
    config = folder / "gateway.toml"
    config.write_text(
        f"""
[server]
url = "{server.url}"
ca_file = "{ca_file}"
first_connect_spread_s = 0.0
[gateway]
state_dir = "state"
[answer]
outputs = [{{type = "file", path = "state/answers.jsonl"}}]
[[reader]]
name = "gate"
protocol = "magicrf"
url = "serial://{folder / "tty-gate"}"
[[read_point]]
reader = "gate"
id = "{READ_POINT}"
biz_step = "receiving"
"""
    )
    return config


def _enrol(server: RunningServer, config: Path, folder: Path) -> None:
    code = server.command("gateway", "add", "--id", "gate-1", "--site", "Gate 1", "--read-point", READ_POINT)["code"]
    with _enrolling(config, code, folder / "enrol.log") as it:
        assert it.wait(timeout=30) == 0, (folder / "enrol.log").read_text()


def _enrolling(config: Path, code: str, log: Path) -> AbstractContextManager[subprocess.Popen[bytes]]:
    return running(["gateway_agent", "enrol", "--config", str(config), "--code", code], {}, log)


def _wait(until: Callable[[], bool], limit_s: float = 30.0) -> None:
    limit = time.monotonic() + limit_s
    while not until():
        assert time.monotonic() < limit, "it did not happen in time"
        time.sleep(0.2)


def test_every_tag_that_passed_is_held_once(server: RunningServer, reader: SimulatedReader, tmp_path: Path) -> None:
    config = _configure(server, tmp_path)
    _enrol(server, config, tmp_path)
    server.run("gateway", "approve", "gate-1")
    with running(["gateway_agent", "run", "--config", str(config)], {}, tmp_path / "gateway.log"):
        for epc in TAGS:
            reader.place(FieldTag(epc))
        _wait(lambda: len(server.events()) >= len(TAGS))
    held = Counter(uri for event in server.events() for uri in event["epcs"])
    assert held == Counter(canonical_uri(decode(epc).uri) for epc in TAGS)
    assert {event["source"] for event in server.events()} == {"gateway:gate-1"}
    assert sorted(event["seq"] for event in server.events()) == list(range(1, len(TAGS) + 1))


def test_nothing_of_a_gateway_is_taken_before_a_person_approved_it(
    server: RunningServer, reader: SimulatedReader, tmp_path: Path
) -> None:
    config = _configure(server, tmp_path)
    _enrol(server, config, tmp_path)
    answers = tmp_path / "state" / "answers.jsonl"
    config.write_text(config.read_text().replace("[gateway]", "slow_retry_s = 0.2\n[gateway]"))
    with running(["gateway_agent", "run", "--config", str(config)], {}, tmp_path / "gateway.log"):
        reader.place(FieldTag(TAGS[0]))
        _wait(lambda: answers.exists() and answers.stat().st_size > 0)
        time.sleep(1.0)
        assert server.events() == []
        server.run("gateway", "approve", "gate-1")
        _wait(lambda: len(server.events()) == 1)


def test_a_gateway_speaks_to_the_server_over_tls_and_refuses_another_certificate(tmp_path: Path) -> None:
    from tests.certificates import make_certificate
    from trace_server.db.migrate import upgrade

    mine, other = make_certificate(tmp_path / "mine"), make_certificate(tmp_path / "other")
    url = f"sqlite:///{tmp_path / 'suyuan.sqlite'}"
    upgrade(url)
    options = ("--tls-cert", str(mine.certificate), "--tls-key", str(mine.key))
    with running_server(url, tmp_path, *options, scheme="https") as server:
        code = server.command("gateway", "add", "--id", "gate-1", "--site", "Gate 1", "--read-point", READ_POINT)[
            "code"
        ]
        wrong = _configure(server, tmp_path, ca_file=str(other.certificate))
        with _enrolling(wrong, code, tmp_path / "wrong.log") as refused:
            assert refused.wait(timeout=60) == 1
        assert "certificate" in (tmp_path / "wrong.log").read_text().lower()
        right = _configure(server, tmp_path, ca_file=str(mine.certificate))
        with running(
            ["gateway_agent", "enrol", "--config", str(right), "--code", code], {}, tmp_path / "right.log"
        ) as it:
            assert it.wait(timeout=60) == 0, (tmp_path / "right.log").read_text()
