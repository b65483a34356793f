"""`status --check` fails, with a sentence, unless the gateway runs, lives, has room and hears every reader."""

from __future__ import annotations

import os
import time
from contextlib import closing
from pathlib import Path

import pytest

from firmware_sim.device import SimulatedReader
from firmware_sim.endpoints import PtyEndpoint
from gateway_agent.cli import known_protocols, main
from gateway_agent.config import Config, load_config
from gateway_agent.health import FILE, MAX_AGE_S, Heartbeat, complaints
from gateway_agent.outbox import Commit, DeviceRow
from gateway_agent.service import is_running, single_instance
from gateway_agent.status import read_status
from tests.gateway.cursor_server import cursor_server
from tests.gateway.make import BOOT, WALL, new_outbox
from tests.gateway.process import GatewayProcess, ended, serial_reader, until
from trace_core.readers.magicrf import PROTOCOL as MAGICRF


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Of a gateway whose only reader is online."""
    gateway = GatewayProcess(tmp_path, "http://127.0.0.1:9", serial_reader("/dev/null"))
    with closing(new_outbox(gateway.state)) as outbox:
        outbox.commit(Commit(WALL, BOOT, devices=[DeviceRow("door", "online", "", WALL)]))
    Heartbeat(gateway.state).beat(0.0)
    return load_config(gateway.config, known_protocols())


def found(config: Config) -> list[str]:
    return complaints(config, read_status(config, running=True))


def test_all_is_well(config: Config) -> None:
    assert found(config) == []


def test_a_writer_that_hangs_is_noticed(config: Config) -> None:
    alive = config.gateway.state_dir / FILE
    old = time.time() - MAX_AGE_S - 5
    os.utime(alive, (old, old))
    assert found(config) == ["The gateway has shown no sign of life for 65 s."]
    alive.unlink()
    assert found(config) == ["The gateway has shown no sign of life at all."]


def test_a_full_outbox_and_a_silent_or_unknown_reader_are_named(config: Config) -> None:
    with closing(new_outbox(config.gateway.state_dir)) as outbox:
        rows = [DeviceRow("door", "silent", "no such port", WALL)]
        outbox.commit(Commit(WALL, BOOT, devices=rows, state={"level": "full"}))
    full, silent = found(config)
    assert full == "The outbox is full: reads are counted, not taken."
    assert silent == "The reader door is silent since 2026-03-01T08:00:00+00:00 (no such port)."
    text = config.path.read_text().replace('"door"', '"window"')
    config.path.write_text(text)
    assert found(load_config(config.path, known_protocols()))[-1] == "The reader window has not been heard of."


def test_the_sign_of_life_is_renewed_no_oftener_than_flash_memory_likes(tmp_path: Path) -> None:
    heartbeat = Heartbeat(tmp_path)
    heartbeat.beat(100.0)
    os.utime(tmp_path / FILE, (1.0, 1.0))
    heartbeat.beat(104.9)
    assert (tmp_path / FILE).stat().st_mtime == 1.0
    heartbeat.beat(105.0)
    assert (tmp_path / FILE).stat().st_mtime > 1.0


def test_many_may_ask_at_once_whether_a_gateway_runs_and_none_is_taken_for_one(tmp_path: Path) -> None:
    assert not is_running(tmp_path)
    with single_instance(tmp_path):
        assert is_running(tmp_path)
    assert not is_running(tmp_path)


def test_the_command_is_quiet_while_a_gateway_serves_its_reader(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    endpoint = PtyEndpoint(link=tmp_path / "port")
    with cursor_server() as server, SimulatedReader(MAGICRF, MAGICRF.device({}), endpoint, seed=1):
        gateway = GatewayProcess(tmp_path, server.url, serial_reader(endpoint.path))
        gateway.enrol()
        check = ["status", "--check", "--config", str(gateway.config)]
        with ended(gateway):
            gateway.start_and_wait()
            until(lambda: main(check) == 0, "all is well")
            capsys.readouterr()
            assert main(check) == 0
            assert capsys.readouterr() == ("", "")
            gateway.terminate()
        assert main(check) == 1
        assert capsys.readouterr() == ("", "gateway-agent: The gateway does not run.\n")
