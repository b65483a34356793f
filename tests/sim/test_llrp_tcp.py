"""A simulated LLRP reader on a real TCP port, read with the gateway's own pump and transport."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from firmware_sim.cli import main
from firmware_sim.device import SimulatedReader
from firmware_sim.endpoints import endpoint_for
from firmware_sim.faults import CableFaults, FaultyEndpoint
from firmware_sim.tcp import PortError, TcpEndpoint
from gateway_agent.config import ReaderConfig
from gateway_agent.reading import DeviceReport, Item, Pump, Reading
from gateway_agent.transports.tcp import TcpAddress, TcpTransport
from trace_core.errors import ConfigError
from trace_core.readers import protocols
from trace_core.readers._base import FieldTag
from trace_core.readers.llrp.device import LlrpDevice
from trace_core.readers.llrp.messages import Message, MessageType

LLRP = protocols()["llrp"]
TAGS = [
    FieldTag(bytes.fromhex("3034B75F19600021F0138250"), rssi_dbm=-52.0),
    FieldTag(bytes.fromhex("E2801160600002054CC2096F3000F5AA"), antenna=2, rssi_dbm=-70.0),
]
EPCS = {tag.epc for tag in TAGS}
FAST = {"keepalive_s": 0.5}
ACCEPTED, REFUSED = "010000060000", "010000060002"


class Gateway:
    """The gateway's pump in a thread."""

    def __init__(self, port: int, **options: object) -> None:
        address = TcpAddress("127.0.0.1", port)
        self.items: list[Item] = []
        self._stop = threading.Event()
        accepting = threading.Event()
        accepting.set()
        config = ReaderConfig("gate", LLRP, address, {**FAST, **options})
        pump = Pump([config], TcpTransport(address), self.items.append, accepting=accepting, stop=self._stop)
        self._thread = threading.Thread(target=pump.run)

    def __enter__(self) -> Gateway:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(5.0)

    def until_all_are_read(self) -> None:
        self.items.clear()
        until(lambda: self.epcs() == EPCS)

    def epcs(self) -> set[bytes]:
        return {item.read.epc for item in tuple(self.items) if isinstance(item, Reading)}

    def states(self) -> list[str]:
        return [item.event.state.value for item in tuple(self.items) if isinstance(item, DeviceReport)]


def until(done: Callable[[], bool], limit_s: float = 10.0) -> None:
    end = time.monotonic() + limit_s
    while not done():
        assert time.monotonic() < end, "it did not come to it in time"
        time.sleep(0.01)


def reader_on(endpoint: TcpEndpoint | FaultyEndpoint) -> SimulatedReader:
    reader = SimulatedReader(LLRP, LLRP.device({}), endpoint, seed=1)
    reader.replace(TAGS)
    return reader


@pytest.fixture
def endpoint() -> TcpEndpoint:
    return TcpEndpoint()


@pytest.fixture
def reader(endpoint: TcpEndpoint) -> Iterator[SimulatedReader]:
    with reader_on(endpoint) as reader:
        yield reader


def test_tags_reach_the_gateway_over_tcp(reader: SimulatedReader, endpoint: TcpEndpoint) -> None:
    with Gateway(endpoint.port) as gateway:
        until(lambda: gateway.epcs() == EPCS)
        assert gateway.states() == ["online"]
        read = next(item.read for item in gateway.items if isinstance(item, Reading))
        assert read.reader_time is not None
        assert abs(read.reader_time.timestamp() - time.time()) < 5.0
    until(lambda: not endpoint.is_connected)
    assert reader.failure is None


def test_a_second_client_is_told_why_and_the_first_goes_on(reader: SimulatedReader, endpoint: TcpEndpoint) -> None:
    with Gateway(endpoint.port) as gateway:
        until(lambda: gateway.epcs() == EPCS)
        assert everything_from(endpoint.port).hex().endswith(REFUSED)
        assert endpoint.turned_away == 1
        gateway.until_all_are_read()
        assert not gateway.states()


def test_a_gateway_that_is_turned_away_gets_in_when_the_place_is_free(
    reader: SimulatedReader, endpoint: TcpEndpoint
) -> None:
    first = socket.create_connection(("127.0.0.1", endpoint.port))
    until(lambda: endpoint.is_connected)
    with Gateway(endpoint.port) as gateway:
        until(lambda: "fault" in gateway.states())
        first.close()
        until(lambda: gateway.epcs() == EPCS)


def test_clients_that_just_drop_the_connection_leave_the_reader_working(
    reader: SimulatedReader, endpoint: TcpEndpoint
) -> None:
    for linger in (struct.pack("ii", 1, 0), struct.pack("ii", 0, 0)) * 5:
        with socket.create_connection(("127.0.0.1", endpoint.port)) as client:
            client.settimeout(5.0)
            assert client.recv(100).hex().endswith(ACCEPTED)
            client.sendall(Message(MessageType.GET_READER_CAPABILITIES, 1, b"\0").to_bytes()[:7])
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        until(lambda: not endpoint.is_connected)
    with Gateway(endpoint.port) as gateway:
        until(lambda: gateway.epcs() == EPCS)
    assert reader.failure is None


def test_the_reader_hangs_up_after_it_has_answered_the_wish(reader: SimulatedReader, endpoint: TcpEndpoint) -> None:
    with socket.create_connection(("127.0.0.1", endpoint.port)) as client:
        client.settimeout(5.0)
        client.recv(100)
        client.sendall(Message(MessageType.CLOSE_CONNECTION, 9).to_bytes())
        assert client.recv(100).hex() == "04040000001200000009011f000800000000"
        assert client.recv(100) == b""


def test_a_reader_that_falls_silent_is_reported_and_set_up_again(
    reader: SimulatedReader, endpoint: TcpEndpoint
) -> None:
    with Gateway(endpoint.port) as gateway:
        until(lambda: gateway.epcs() == EPCS)
        reader.mute.set()
        until(lambda: gateway.states() == ["online", "silent"])
        reader.mute.clear()
        until(lambda: gateway.states() == ["online", "silent", "online"])
        gateway.until_all_are_read()


def test_a_reader_that_restarts_is_connected_to_again(endpoint: TcpEndpoint) -> None:
    with Gateway(endpoint.port) as gateway:
        with reader_on(endpoint):
            until(lambda: gateway.epcs() == EPCS)
        until(lambda: "silent" in gateway.states())
        with reader_on(TcpEndpoint(port=endpoint.port)):
            gateway.until_all_are_read()


def test_a_pulled_antenna_reaches_the_gateway_as_a_fault(reader: SimulatedReader, endpoint: TcpEndpoint) -> None:
    with Gateway(endpoint.port) as gateway:
        until(lambda: gateway.epcs() == EPCS)
        assert isinstance(reader.session, LlrpDevice)
        reader.session.connect_antenna(2, connected=False)
        until(lambda: gateway.states() == ["online", "fault"])


def test_a_gateway_reads_a_reader_whose_bytes_come_one_by_one(endpoint: TcpEndpoint) -> None:
    faulty = FaultyEndpoint(endpoint, CableFaults(dribble=True), seed=1)
    with reader_on(faulty), Gateway(endpoint.port) as gateway:
        until(lambda: gateway.epcs() == EPCS)


def test_bytes_for_a_client_that_is_gone_are_gone() -> None:
    endpoint = TcpEndpoint()
    endpoint.write(b"to nobody")
    client = socket.create_connection(("127.0.0.1", endpoint.port))
    assert endpoint.read(5.0) == b""
    client.sendall(b"hello")
    assert endpoint.read(5.0) == b"hello"
    stranger = socket.create_connection(("127.0.0.1", endpoint.port))
    assert endpoint.read(5.0) == b""
    assert stranger.recv(10) == b""
    stranger.close()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    for _ in range(100):
        endpoint.write(bytes(1_000))
    assert not endpoint.is_connected
    endpoint.close()


def test_a_tcp_endpoint_is_named_by_a_url_and_a_taken_port_is_said(endpoint: TcpEndpoint) -> None:
    free = endpoint_for("tcp://127.0.0.1:0", "test")
    assert isinstance(free, TcpEndpoint)
    free.close()
    with pytest.raises(PortError):
        endpoint_for(endpoint.url, "test")
    endpoint.close()
    for url in ("tcp://127.0.0.1", "tcp://127.0.0.1:70000", "tcp://127.0.0.1:5084/x", "tcp://:5084"):
        with pytest.raises(ConfigError):
            endpoint_for(url, "test")


def test_a_scenario_runs_on_a_tcp_port(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scenario = tmp_path / "gate.toml"
    scenario.write_text('title = "gate"\n[reader]\nprotocol = "llrp"\n', encoding="utf-8")
    assert main(["run", str(scenario), "--endpoint", "tcp://127.0.0.1:0", "--duration", "0.2"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("tcp://127.0.0.1:")
    assert not first.endswith(":0")
    assert second == "0 frames, 0 damaged, 0 bytes not taken"


def everything_from(port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.settimeout(5.0)
        data = b""
        while piece := client.recv(1_000):
            data += piece
        return data
