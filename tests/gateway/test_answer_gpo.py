"""A reader's own output line as the interlock: up on allow, down on all else, down when its reader comes back."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from firmware_sim.device import SimulatedReader
from firmware_sim.endpoints import Endpoint, PtyEndpoint
from firmware_sim.tcp import TcpEndpoint
from gateway_agent.config import OutputConfig
from gateway_agent.lines import Lines
from gateway_agent.observing import Shown
from gateway_agent.outputs._base import Display
from gateway_agent.showing import output_kinds
from tests.gateway.cursor_server import CursorServer, cursor_server
from tests.gateway.make import POINT, WALL, epc
from tests.gateway.process import GatewayProcess, ended, until
from tests.gateway.test_answer_outputs import BUSY_FACTOR, LIMIT_S
from trace_core.errors import ConfigError
from trace_core.readers import protocols
from trace_core.readers._base import FieldTag, SwitchingDevice

TAGS = 8


class Wire:
    """A reader's line without a reader; `is_there` false: the cable is cut."""

    def __init__(self) -> None:
        self.said: list[tuple[str, int, bool]] = []
        self.is_there = True

    def switch(self, reader: str, number: int, high: bool) -> None:
        if not self.is_there:
            raise OSError("not there")
        self.said.append((reader, number, high))


def wired(wire: Wire) -> Lines:
    lines = Lines({"scale": (3, 4), "door": ()})
    lines.serve("scale", wire.switch)
    return lines


def display(answer: str) -> Display:
    return Display(WALL, POINT, epc(1), Shown(answer, "", 1.0, "urn:x:1", "0" * 16, 1))


@pytest.mark.parametrize(
    ("config", "where"),
    [
        (OutputConfig("reader_gpo", reader="nobody", gpo=3), "outputs.reader"),
        (OutputConfig("reader_gpo", reader="scale", gpo=5), "outputs.gpo"),
        (OutputConfig("reader_gpo", reader="door", gpo=1), "outputs.gpo"),
        (OutputConfig("reader_gpo", reader="scale", gpo=3, high_on=("yes",)), "outputs.high_on"),
    ],
)
def test_a_line_that_cannot_be_is_named(config: OutputConfig, where: str) -> None:
    with pytest.raises(ConfigError) as caught:
        output_kinds()["reader_gpo"].open(config, wired(Wire()))
    assert caught.value.where == where


def test_the_line_follows_the_newest_answer_and_every_reader_that_appears_gets_it_low() -> None:
    wire = Wire()
    lines = wired(wire)
    output = output_kinds()["reader_gpo"].open(OutputConfig("reader_gpo", reader="scale", gpo=3), lines)
    for answer in ("allow", "refuse", "warn"):
        output.show([display(answer)])
    output.show([display("allow"), display("refuse")])
    assert [high for _, _, high in wire.said] == [True, False, False, False]
    assert lines.watched("scale") == [3]
    wire.is_there = False
    with pytest.raises(OSError, match="not there"):
        output.show([display("allow")])


def test_a_pulse_ends_by_itself_and_a_refusal_ends_it_at_once() -> None:
    wire = Wire()
    config = OutputConfig("reader_gpo", reader="scale", gpo=4, pulse_s=0.1)
    output = output_kinds()["reader_gpo"].open(config, wired(wire))
    output.show([display("allow")])
    until(lambda: wire.said == [("scale", 4, True), ("scale", 4, False)], "the pulse ends")
    wire.said.clear()
    long = output_kinds()["reader_gpo"].open(OutputConfig("reader_gpo", reader="scale", gpo=4, pulse_s=60), wired(wire))
    long.show([display("allow")])
    long.show([display("refuse")])
    assert [high for _, _, high in wire.said] == [True, False]


class Clocked:
    """Wraps an endpoint: when the last byte with a tag's EPC went out."""

    def __init__(self, inner: Endpoint) -> None:
        self.inner = inner
        self.sent_at: dict[bytes, float] = {}

    def read(self, timeout_s: float) -> bytes:
        return self.inner.read(timeout_s)

    def write(self, data: bytes) -> None:
        self.inner.write(data)
        for number in range(1, TAGS + 1):
            if epc(number) in data:
                self.sent_at.setdefault(epc(number), time.monotonic())

    def close(self) -> None:
        self.inner.close()


CASES = {
    "llrp": (1, "antennas = [1]"),
    "impinj_r2000": (3, 'antennas = [1], mode = "realtime", sightings = 1'),
    "mercury": (2, "antennas = [1]"),
}


@contextmanager
def gate(folder: Path, name: str, server: CursorServer) -> Iterator[tuple[GatewayProcess, SimulatedReader, Clocked]]:
    """A gateway that raises a line of its reader for half a second on each allow."""
    protocol, (line, options) = protocols()[name], CASES[name]
    inner = TcpEndpoint() if name == "llrp" else PtyEndpoint(link=folder / "tty")
    endpoint = Clocked(inner)
    device = protocol.device({})
    with SimulatedReader(protocol, device, endpoint, seed=1) as reader:
        if isinstance(inner, TcpEndpoint):
            inner.serve(device, time.time)
        url = inner.url if isinstance(inner, TcpEndpoint) else f"serial://{inner.path}"
        tables = (
            f'[[reader]]\nname = "door"\nprotocol = "{name}"\nurl = "{url}"\noptions = {{{options}}}\n'
            f'[[read_point]]\nreader = "door"\nid = "{POINT}"\n'
        )
        gateway = GatewayProcess(folder, server.url, tables)
        text = gateway.config.read_text() + 'without_list = "allow"\n'
        output = f'{{type = "reader_gpo", reader = "door", gpo = {line}, pulse_s = 0.3}}, '
        gateway.config.write_text(text.replace("outputs = [", f"outputs = [{output}"))
        with ended(gateway):
            gateway.enrol()
            gateway.start_and_wait()
            yield gateway, reader, endpoint


@pytest.mark.parametrize("name", CASES)
def test_a_line_of_the_reader_is_up_within_300_ms_of_the_last_byte(name: str, tmp_path: Path) -> None:
    line = CASES[name][0]
    with cursor_server() as server, gate(tmp_path, name, server) as (gateway, reader, endpoint):
        device = reader.session
        assert isinstance(device, SwitchingDevice)
        until(lambda: gateway.status()["readers"][0]["state"] == "online", "the reader is there")
        waits = []
        for number in range(1, TAGS + 1):
            reader.replace([FieldTag(epc(number))])
            limit = time.monotonic() + 12
            while not device.output(line):
                assert time.monotonic() < limit, gateway.log()
                time.sleep(0.002)
            waits.append(time.monotonic() - endpoint.sent_at[epc(number)])
            until(lambda: not device.output(line), "the pulse ends")
        median, slowest = statistics.median(waits), max(waits)
        sys.stderr.write(f"{name} line: median {median * 1000:.0f} ms, slowest {slowest * 1000:.0f} ms\n")
        assert median < LIMIT_S
        assert slowest < LIMIT_S * BUSY_FACTOR
        assert gateway.terminate() == 0
