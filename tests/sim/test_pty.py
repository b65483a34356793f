"""A simulated reader on a real pseudo terminal, read with pyserial as a gateway reads it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import serial

from firmware_sim.device import SimulatedReader
from firmware_sim.endpoints import BITS_PER_BYTE, PtyEndpoint
from firmware_sim.faults import CableFaults, FaultyEndpoint
from trace_core.readers import protocols
from trace_core.readers._base import BadBytes, DeviceEvent, FieldTag, Identity, ReaderProtocol, Send, TagRead, Transport

SERIAL = [p for p in protocols().values() if Transport.SERIAL in p.transports]
TAGS = [
    FieldTag(bytes.fromhex("3034B75F19600021F0138250"), rssi_dbm=-52.0),
    FieldTag(bytes.fromhex("BB7EAADDA0FFBB7EAADDA0FF"), rssi_dbm=-60.0),
    FieldTag(bytes.fromhex("E2801160600002054CC2096F3000F5AA"), rssi_dbm=-70.0),
]
UIDS = [FieldTag(bytes.fromhex(uid)) for uid in ("E01680FF08005024", "E0040100BB7EAADD", "E007A0FF12345678")]
SETTLED_S = 1.3
"""Long enough for two heartbeats: then silence can be told from a device that has none."""
every = pytest.mark.parametrize("protocol", SERIAL, ids=lambda p: p.name)


class Gateway:
    """A pump like the gateway's: port ↔ host session."""

    def __init__(self, protocol: ReaderProtocol, path: str, *, baud: int | None = None) -> None:
        line = protocol.line
        assert line is not None
        self.port = serial.Serial(path, baud or line.baud, timeout=0.02, exclusive=True)
        self.session = protocol.host({})
        self.reads: list[TagRead] = []
        self.events: list[str] = []
        self.bad: list[BadBytes] = []
        self._take(self.session.start(time.monotonic()))

    def until(self, done: Callable[[], bool], limit_s: float = 10.0) -> None:
        end = time.monotonic() + limit_s
        while not done():
            assert time.monotonic() < end, "the reader did not come to it in time"
            data = self.port.read(self.port.in_waiting or 1)
            if data:
                self._take(self.session.receive(data, time.monotonic()))
            self._take(self.session.tick(time.monotonic()))

    def epcs(self) -> set[bytes]:
        return {read.epc for read in self.reads}

    def _take(self, outputs: object) -> None:
        assert isinstance(outputs, list)
        for output in outputs:
            if isinstance(output, Send):
                self.port.write(output.data)
            elif isinstance(output, TagRead):
                self.reads.append(output)
            elif isinstance(output, DeviceEvent):
                self.events.append(output.state.value)
            elif isinstance(output, BadBytes):
                self.bad.append(output)

    def let(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() > end, seconds + 10.0)


def tags_of(protocol: ReaderProtocol) -> list[FieldTag]:
    return UIDS if protocol.identity is Identity.UID else TAGS


@every
def test_placed_tags_are_read_over_a_real_port(protocol: ReaderProtocol) -> None:
    reader = SimulatedReader(protocol, protocol.device({}), PtyEndpoint(), seed=1)
    tags = tags_of(protocol)
    for tag in tags:
        reader.place(tag)
    with reader:
        gateway = Gateway(protocol, _path(reader))
        gateway.until(lambda: gateway.epcs() == {tag.epc for tag in tags})
        assert gateway.events == ["online"]
        assert not gateway.bad
        reader.remove(tags[0].epc)
        gateway.until(lambda: tags[0] not in reader.tags())
        gateway.let(0.3)
        gateway.reads.clear()
        gateway.let(0.8)
        assert gateway.epcs() == {tag.epc for tag in tags[1:]}
        gateway.port.close()


@every
def test_tags_are_read_through_bad_cables_and_none_is_invented(protocol: ReaderProtocol) -> None:
    faults = CableFaults(lose=0.05, garble=0.05, repeat=0.05, noise=0.05, split=0.2)
    endpoint = PtyEndpoint()
    reader = SimulatedReader(protocol, protocol.device({}), FaultyEndpoint(endpoint, faults, seed=2), seed=2)
    tags = tags_of(protocol)
    reader.replace(tags)
    with reader:
        gateway = Gateway(protocol, endpoint.path)
        gateway.until(lambda: bool(gateway.bad) and gateway.epcs() == {tag.epc for tag in tags}, 20.0)
        gateway.port.close()


@every
def test_a_reader_that_lost_power_is_reported_and_comes_back(protocol: ReaderProtocol) -> None:
    reader = SimulatedReader(protocol, protocol.device({}), PtyEndpoint(), seed=3)
    reader.place(tags_of(protocol)[0])
    with reader:
        gateway = Gateway(protocol, _path(reader))
        gateway.until(lambda: bool(gateway.reads))
        gateway.let(SETTLED_S)
        reader.mute.set()
        gateway.until(lambda: "silent" in gateway.events)
        reader.mute.clear()
        gateway.until(lambda: gateway.events[-1] == "online")
        gateway.port.close()


@every
def test_the_wrong_line_speed_gives_noise_and_no_tag(protocol: ReaderProtocol) -> None:
    reader = SimulatedReader(protocol, protocol.device({}), PtyEndpoint(), seed=4)
    reader.place(tags_of(protocol)[0])
    with reader:
        line = protocol.line
        gateway = Gateway(protocol, _path(reader), baud=9_600 if line and line.baud != 9_600 else 19_200)
        gateway.until(lambda: "silent" in gateway.events)
        assert not gateway.reads
        gateway.port.close()


@every
def test_a_port_that_comes_back_under_another_name_is_found_by_its_link(
    protocol: ReaderProtocol, tmp_path: Path
) -> None:
    link = tmp_path / "reader"
    endpoint = PtyEndpoint(link=link)
    reader = SimulatedReader(protocol, protocol.device({}), endpoint, seed=5)
    reader.place(tags_of(protocol)[0])
    with reader:
        first = Gateway(protocol, str(link))
        first.until(lambda: bool(first.reads))
        endpoint.unplug()
        assert not link.exists()
        with pytest.raises(OSError):
            first.until(lambda: False, 2.0)
        first.port.close()
        endpoint.replug()
        second = Gateway(protocol, endpoint.path)
        second.until(lambda: bool(second.reads))
        second.port.close()


def test_bytes_come_as_slowly_as_on_a_real_line() -> None:
    endpoint = PtyEndpoint(baud=115_200)
    begun = time.monotonic()
    endpoint.write(bytes(1_152))
    took = time.monotonic() - begun
    endpoint.close()
    line_time = 1_152 * BITS_PER_BYTE / 115_200
    assert line_time * 0.95 <= took < line_time * 5


def test_a_host_that_does_not_read_loses_bytes_and_blocks_nobody() -> None:
    endpoint = PtyEndpoint(baud=10_000_000)
    endpoint.write(bytes(100_000))
    assert endpoint.overruns > 0
    endpoint.close()
    endpoint.write(b"into a pulled cable")
    assert endpoint.read(0.0) == b""


def _path(reader: SimulatedReader) -> str:
    assert isinstance(reader.endpoint, PtyEndpoint)
    return reader.endpoint.path
