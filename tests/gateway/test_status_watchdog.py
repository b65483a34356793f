"""systemd hears when the gateway is ready, alive and stopping, and hears nothing while the writer hangs."""

from __future__ import annotations

import os
import re
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway_agent.notify import keep_telling, notify, watchdog_period_s
from tests.gateway.cursor_server import cursor_server
from tests.gateway.process import GatewayProcess, ended, serial_reader

UNIT = Path(__file__).parents[2] / "deploy" / "suyuan-gateway.service"


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The other end of `NOTIFY_SOCKET`, with a watchdog of 0.6 s."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(15)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "600000")
        yield listening


def test_a_running_gateway_says_ready_then_alive_then_stopping(tmp_path: Path, systemd: socket.socket) -> None:
    with (
        cursor_server() as server,
        ended(GatewayProcess(tmp_path, server.url, serial_reader("/dev/null"))) as gateway,
    ):
        gateway.enrol()
        gateway.start_and_wait()
        said = [systemd.recv(100) for _ in range(4)]
        assert sorted(set(said)) == [b"READY=1", b"WATCHDOG=1"]
        assert gateway.process is not None
        os.kill(gateway.process.pid, signal.SIGTERM)
        while systemd.recv(100) != b"STOPPING=1":
            pass
        assert gateway.process.wait(20) == 0


def test_no_sign_of_life_is_sent_while_the_writer_hangs(systemd: socket.socket) -> None:
    stop, alive = threading.Event(), threading.Event()
    thread = threading.Thread(target=keep_telling, args=(alive.is_set, stop))
    thread.start()
    systemd.settimeout(1.0)
    with pytest.raises(TimeoutError):
        systemd.recv(100)
    alive.set()
    systemd.settimeout(15)
    assert systemd.recv(100) == b"WATCHDOG=1"
    stop.set()
    thread.join(5)
    assert not thread.is_alive()


def test_without_systemd_nothing_is_said_and_nothing_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    notify("READY=1")
    assert watchdog_period_s() is None
    keep_telling(lambda: True, threading.Event())


def test_a_socket_that_is_gone_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", "@nobody-listens-here")
    notify("READY=1")


def test_the_unit_asks_for_what_the_program_tells() -> None:
    settings = dict(re.findall(r"^(\w+)=(.*)$", UNIT.read_text(), re.MULTILINE))
    assert (settings["Type"], settings["NotifyAccess"], settings["Restart"]) == ("notify", "main", "always")
    assert int(settings["WatchdogSec"]) > 10
    assert "AF_UNIX" in settings["RestrictAddressFamilies"]
    assert int(settings["TimeoutStopSec"]) >= 20
