"""Foreign LLRP programs as judges, run as programs of their own: none of them is a dependency or is imported.

`SUYUAN_SLLURP` names the command of sllurp 2.0.1, `SUYUAN_LLRPKIT` that of llrpkit 0.3.0. A variable that is set
and does not work is a failure.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from firmware_sim.device import SimulatedReader
from firmware_sim.tcp import TcpEndpoint
from tests.services import free_port
from tests.sim.test_llrp_tcp import EPCS, LLRP, TAGS, Gateway, until

LIMIT_S = 20.0


def judge(variable: str) -> str:
    command = os.environ.get(variable, "")
    if not command:  # `make test` installs the judges and names them; without it there is nobody to ask
        pytest.skip(f"{variable} does not name the command")
    return command


@pytest.fixture
def sllurp() -> str:
    return judge("SUYUAN_SLLURP")


@pytest.fixture
def llrpkit() -> str:
    return judge("SUYUAN_LLRPKIT")


@contextmanager
def running(arguments: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A program whose output goes to `log`; it is interrupted at the end."""
    with log.open("wb") as out, subprocess.Popen(arguments, stdout=out, stderr=subprocess.STDOUT) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            try:
                process.wait(LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def simulated_reader(**options: object) -> Iterator[TcpEndpoint]:
    endpoint = TcpEndpoint()
    with SimulatedReader(LLRP, LLRP.device(options), endpoint, seed=1) as reader:
        reader.replace(TAGS)
        yield endpoint
        assert reader.failure is None


def seen_in(log: Path) -> set[bytes]:
    words = re.findall(rb"\b[0-9a-f]{24,32}\b", log.read_bytes())
    return {bytes.fromhex(word.decode()) for word in words}


@pytest.mark.parametrize("version", ["1.0.1", "1.1"])
def test_sllurp_inventories_the_simulated_reader(sllurp: str, tmp_path: Path, version: str) -> None:
    log = tmp_path / "sllurp.log"
    with simulated_reader(reader_version=version) as endpoint:
        arguments = [sllurp, "inventory", "-p", str(endpoint.port), "-a", "0", "-n", "5", "-t", "2", endpoint.host]
        with running(arguments, log) as process:
            until(lambda: seen_in(log) >= EPCS or process.poll() is not None, LIMIT_S)
        assert seen_in(log) == EPCS, log.read_text(errors="replace")
        assert b"Error" not in log.read_bytes()
        until(lambda: not endpoint.is_connected)


def test_sllurp_reads_at_the_antenna_and_power_that_it_chose(sllurp: str, tmp_path: Path) -> None:
    log = tmp_path / "sllurp.log"
    with simulated_reader() as endpoint:
        arguments = [sllurp, "inventory", "-p", str(endpoint.port), "-a", "2", "-X", "7", "-n", "1", endpoint.host]
        with running(arguments, log) as process:
            until(lambda: bool(seen_in(log)) or process.poll() is not None, LIMIT_S)
        assert seen_in(log) == {tag.epc for tag in TAGS if tag.antenna == 2}, log.read_text(errors="replace")


def test_llrpkit_reads_the_capabilities_of_the_simulated_reader(llrpkit: str) -> None:
    with simulated_reader(reader_antennas=8) as endpoint:
        arguments = [llrpkit, "capabilities", endpoint.host, "--port", str(endpoint.port)]
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=LIMIT_S, check=True)
    assert re.search(r"antenna ports +8", done.stdout)
    assert re.search(r"transmit power +10\.00 to 33\.00 dBm \(24 steps\)", done.stdout)


def test_llrpkit_inventories_the_simulated_reader(llrpkit: str) -> None:
    with simulated_reader() as endpoint:
        arguments = [llrpkit, "inventory", endpoint.host, "--port", str(endpoint.port), "--duration", "1"]
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=LIMIT_S, check=True)
        for tag in TAGS:
            assert re.search(rf"{tag.epc.hex()} +ant {tag.antenna} +{tag.rssi_dbm:.0f}"[:-1], done.stdout)
        until(lambda: not endpoint.is_connected)


def test_the_gateway_inventories_llrpkits_reader(llrpkit: str, tmp_path: Path) -> None:
    port = free_port()
    arguments = [llrpkit, "emulate", "--port", str(port), "--tags", "7", "--rate", "200"]
    with (
        running(arguments, tmp_path / "emulator.log"),
        Gateway(port, antennas=[1, 2, 3, 4], session=1, version="auto") as gateway,
    ):
        until(lambda: len(gateway.epcs()) == 7, LIMIT_S)
        time.sleep(1.0)
        assert gateway.states()[-1:] == ["online"]
        assert "fault" not in gateway.states()


def test_a_command_that_does_not_work_is_a_failure_and_no_skip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SUYUAN_SLLURP", "/nonexistent/sllurp")
    with pytest.raises(FileNotFoundError), running([judge("SUYUAN_SLLURP")], tmp_path / "log"):
        raise AssertionError("it must not run")
