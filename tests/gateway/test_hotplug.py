"""Ports that go and come: seen, said as a device event, and served again within 2 s of the return. Real ptys."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest
from serial.tools import list_ports

from firmware_sim.device import SimulatedReader
from firmware_sim.endpoints import PtyEndpoint
from gateway_agent.addresses import open_transport
from gateway_agent.bus import Bus
from gateway_agent.cli import known_protocols
from gateway_agent.config import Config, parse_config
from gateway_agent.reading import DeviceReport, Item, Pump, Reading
from tests.gateway.make import POINT, epc
from tests.gateway.process import until
from trace_core.errors import ConfigError
from trace_core.readers import protocols
from trace_core.readers._base import DeviceSession, DeviceState, FieldTag, HostOutput, Send, TagRead

RETURN_LIMIT_S = 2.0
"""From the return of the reader to its first read (architecture §3.1)."""
BUSY_S = 3.0
"""Added for a machine that runs other tests at the same time; the figures are printed."""


def settings(*readers: Mapping[str, object]) -> Config:
    data: dict[str, object] = {
        "server": {"url": "http://localhost"},
        "gateway": {"state_dir": "state"},
        "reader": [dict(reader) for reader in readers],
        "read_point": [{"reader": reader["name"], "id": f"{POINT[:-1]}{n}"} for n, reader in enumerate(readers)],
    }
    return parse_config(data, Path("/nowhere/gateway.toml"), known_protocols())


def reader(url: str, name: str = "door", protocol: str = "magicrf", **options: object) -> dict[str, object]:
    return {"name": name, "protocol": protocol, "url": url, "options": options}


@dataclass
class Bench:
    items: list[Item] = field(default_factory=list)

    def reads(self, name: str = "door") -> list[bytes]:
        return [item.read.epc for item in self.items if isinstance(item, Reading) and item.reader == name]

    def said(self, name: str = "door") -> list[tuple[DeviceState, str]]:
        return [
            (item.event.state, item.event.detail)
            for item in self.items
            if isinstance(item, DeviceReport) and item.reader == name
        ]

    def states(self, name: str = "door") -> list[DeviceState]:
        return [state for state, _ in self.said(name)]

    def wait_for_reads(self, name: str = "door", limit_s: float = 12.0) -> float:
        """Seconds until the next read."""
        start, before = time.monotonic(), len(self.reads(name))
        until(lambda: len(self.reads(name)) > before, f"{name} is read, not {self.said(name)}", limit_s)
        return time.monotonic() - start

    def wait_for(self, state: DeviceState, times: int = 1) -> None:
        """Until the state was said so many times in all."""
        until(lambda: self.states().count(state) >= times, f"{times} × {state}, not {self.said()}")


@contextmanager
def pumping(config: Config) -> Iterator[Bench]:
    bench, stop, accepting = Bench(), threading.Event(), threading.Event()
    accepting.set()
    threads = [
        threading.Thread(
            target=Pump(port, open_transport(port[0].address), bench.items.append, accepting=accepting, stop=stop).run
        )
        for port in config.ports()
    ]
    for thread in threads:
        thread.start()
    try:
        yield bench
    finally:
        stop.set()
        for thread in threads:
            thread.join(5)
            assert not thread.is_alive()


@contextmanager
def simulated(port: PtyEndpoint, protocol: str = "magicrf", **options: object) -> Iterator[SimulatedReader]:
    found = protocols()[protocol]
    with SimulatedReader(found, found.device(options), port, seed=1) as device:
        device.place(FieldTag(epc(1)))
        yield device


def test_a_reader_that_is_pulled_and_plugged_in_under_another_name_is_served_again(tmp_path: Path) -> None:
    """The link is what udev keeps; the port behind it has another name each time."""
    port = PtyEndpoint(link=tmp_path / "by-path")
    with ExitStack() as others, simulated(port), pumping(settings(reader(f"serial://{port.path}"))) as bench:
        bench.wait_for_reads()
        taken = []
        for times in (1, 2, 3):
            name = Path(port.path).resolve()
            port.unplug()
            bench.wait_for(DeviceState.SILENT, times)
            time.sleep(0.5)
            for _ in range(5):  # take the name that has become free, whoever else made room meanwhile
                others.enter_context(Path("/dev/ptmx").open("rb+", buffering=0))
            port.replug()
            taken.append(bench.wait_for_reads())
            assert Path(port.path).resolve() != name
    sys.stderr.write(f"served again after {taken} s\n")
    assert max(taken) < RETURN_LIMIT_S + BUSY_S, taken
    assert sorted(taken)[1] < RETURN_LIMIT_S
    assert bench.states().count(DeviceState.SILENT) == 3


@pytest.mark.parametrize("url", ["serial:?usb=1a86:7523", "serial:?usb=1a86:7523:A9", "serial:?socket=1-1.2"])
def test_a_reader_is_found_by_its_adapter_or_its_socket_whatever_the_port_is_called(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = PtyEndpoint()

    def listed() -> list[SimpleNamespace]:
        other = SimpleNamespace(vid=0x10C4, pid=0xEA60, serial_number="B1", location="1-1.3", device="/dev/null")
        plain = SimpleNamespace(vid=None, pid=None, serial_number=None, location=None, device="/dev/ttyS0")
        mine = SimpleNamespace(vid=0x1A86, pid=0x7523, serial_number="A9", location="1-1.2:1.0", device=port.path)
        return [plain, other, *([mine] if Path(port.path).exists() else [])]

    monkeypatch.setattr(list_ports, "comports", listed)
    with simulated(port), pumping(settings(reader(url))) as bench:
        bench.wait_for_reads()
        port.unplug()
        bench.wait_for(DeviceState.SILENT)
        port.replug()
        assert bench.wait_for_reads() < RETURN_LIMIT_S + BUSY_S


@pytest.mark.parametrize("protocol", ["magicrf", "impinj_r2000", "chafon"])
def test_a_reader_that_stays_mute_is_said_and_served_when_it_speaks_again(protocol: str, tmp_path: Path) -> None:
    port = PtyEndpoint(link=tmp_path / "tty")
    with (
        simulated(port, protocol) as device,
        pumping(settings(reader(f"serial://{port.path}", protocol=protocol))) as bench,
    ):
        bench.wait_for_reads()
        device.mute.set()
        bench.wait_for(DeviceState.SILENT)
        device.mute.clear()
        assert bench.wait_for_reads() < RETURN_LIMIT_S + BUSY_S
        bench.wait_for(DeviceState.ONLINE, 2)  # a module that was polling all the time may be read before it is asked
        assert bench.states() == [DeviceState.ONLINE, DeviceState.SILENT, DeviceState.ONLINE]


def test_a_port_that_stays_mute_is_opened_anew_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway_agent.reading.ANEW_S", 0.5)
    port = PtyEndpoint(link=tmp_path / "tty")
    with simulated(port) as device, pumping(settings(reader(f"serial://{port.path}"))) as bench:
        bench.wait_for_reads()
        device.mute.set()
        bench.wait_for(DeviceState.SILENT, 2)  # once more by the session of the port that was opened anew
        device.mute.clear()
        bench.wait_for_reads()


def test_a_reader_that_changes_its_speed_is_said_and_found(tmp_path: Path) -> None:
    port = PtyEndpoint(link=tmp_path / "tty")
    with (
        simulated(port, "chafon") as device,
        pumping(settings(reader(f"serial://{port.path}?baud=57600,115200,9600", protocol="chafon"))) as bench,
    ):
        bench.wait_for_reads()
        for times, baud in ((1, 115_200), (2, 57_600)):
            device.session.baud = device.session._next_baud = baud  # type: ignore[attr-defined]
            bench.wait_for(DeviceState.FAULT, times)
            assert bench.wait_for_reads() < RETURN_LIMIT_S + BUSY_S
            state, detail = bench.said()[-1]
            assert state is DeviceState.ONLINE
            assert detail.endswith(f"found at {baud} baud")
        assert bench.states().count(DeviceState.FAULT) == 2


class Wire:
    """Two devices on one pair of wires: each hears the host, and both drive the same line."""

    def __init__(self, *devices: DeviceSession) -> None:
        self._devices = devices

    def receive(self, data: bytes, now: float) -> bytes:
        return b"".join(device.receive(data, now) for device in self._devices)

    def tick(self, now: float, tags: Sequence[FieldTag]) -> Sequence[bytes]:
        """Antenna n of the field is the field of device n."""
        frames: list[bytes] = []
        for number, device in enumerate(self._devices, 1):
            own = [FieldTag(tag.epc, tag.tid, 1, tag.rssi_dbm) for tag in tags if tag.antenna == number]
            frames += device.tick(now, own)
        return frames


@pytest.mark.parametrize("protocol", ["chafon", "impinj_r2000"])
def test_two_readers_on_one_bus_are_asked_in_turn_and_do_not_mix(protocol: str, tmp_path: Path) -> None:
    port, found = PtyEndpoint(link=tmp_path / "bus"), protocols()[protocol]
    wire = Wire(found.device({"address": 1}), found.device({"address": 2}))
    url = f"serial://{port.path}"
    config = settings(reader(url, "left", protocol, address=1), reader(url, "right", protocol, address=2))
    assert [[r.name for r in readers] for readers in config.ports()] == [["left", "right"]]
    with ExitStack() as stack:
        device = stack.enter_context(SimulatedReader(found, wire, port, seed=1))
        device.place(FieldTag(epc(1), antenna=1))
        device.place(FieldTag(epc(2), antenna=2))
        bench = stack.enter_context(pumping(config))
        until(lambda: len(bench.reads("left")) >= 5 and len(bench.reads("right")) >= 5, "both are read")
        port.unplug()
        bench_silent = {"left": 0, "right": 0}
        until(lambda: all(DeviceState.SILENT in bench.states(name) for name in bench_silent), "both are said")
        port.replug()
        assert bench.wait_for_reads("left") < RETURN_LIMIT_S + BUSY_S
        bench.wait_for_reads("right")
    assert set(bench.reads("left")) == {epc(1)}
    assert set(bench.reads("right")) == {epc(2)}


@pytest.mark.parametrize(
    ("readers", "why"),
    [
        ([reader("serial:///dev/a", "x"), reader("serial:///dev/a", "y")], "without addresses"),
        ([reader("serial:///dev/a", n, "chafon") for n in "xy"], "address each"),
        ([reader("serial:///dev/a", n, "chafon", address=1) for n in "xy"], "address each"),
        ([reader("serial:///dev/a", "x", "chafon", address=1), reader("serial:///dev/a?baud=57600", "y")], "addresses"),
        ([reader("serial:///dev/a?usb=1a86:7523")], "socket"),
        ([reader("serial:///dev/a?baud=9600,9600")], "line speed"),
    ],
)
def test_a_port_that_cannot_be_shared_or_found_is_refused(readers: list[dict[str, object]], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        settings(*readers)


class Asker:
    """Sends a request, waits for one reply, sends the next; times out after one second of its own time."""

    def __init__(self, name: bytes) -> None:
        self.name = name
        self.asked_at = 0.0
        self.timeouts = 0

    def start(self, now: float) -> Sequence[HostOutput]:
        return self._ask(now)

    def receive(self, data: bytes, now: float) -> Sequence[HostOutput]:
        return [TagRead(data), *self._ask(now)]

    def tick(self, now: float) -> Sequence[HostOutput]:
        if now - self.asked_at <= 1.0:
            return []
        self.timeouts += 1
        return self._ask(now)

    def _ask(self, now: float) -> Sequence[HostOutput]:
        self.asked_at = now
        return [Send(self.name)]


def test_on_a_bus_nobody_is_asked_before_the_other_has_answered_and_waiting_is_no_silence() -> None:
    left, right = Asker(b"left"), Asker(b"right")
    bus = Bus([("left", left), ("right", right)])
    now, asked = 0.0, []

    def sent(said: Sequence[tuple[str, Sequence[HostOutput]]]) -> list[bytes]:
        return [output.data for _, outputs in said for output in outputs if isinstance(output, Send)]

    asked += sent(bus.start(now))
    assert asked == [b"left"]
    for _ in range(50):
        for _ in range(20):  # 0.2 s until the reply: five turns of others would be a time-out
            now += 0.01
            assert sent(bus.tick(now)) == []
        said = bus.receive(b"epc of " + asked[-1], now)
        assert [name for name, outputs in said if any(isinstance(o, TagRead) for o in outputs)] == [asked[-1].decode()]
        asked += sent(said)
    assert asked[:4] == [b"left", b"right", b"left", b"right"]
    assert (left.timeouts, right.timeouts) == (0, 0)


def test_a_dead_reader_on_a_bus_does_not_take_the_bus_from_the_other() -> None:
    left, right = Asker(b"left"), Asker(b"right")
    bus = Bus([("left", left), ("right", right)])
    now, answered = 0.0, 0
    said = bus.start(now)
    while now < 20.0:
        requests = [output.data for _, outputs in said for output in outputs if isinstance(output, Send)]
        now += 0.05
        if requests == [b"right"]:
            answered += 1
            said = bus.receive(b"epc", now)
        else:
            said = bus.tick(now)
    assert answered >= 20
    assert right.timeouts == 0
    assert left.timeouts >= 4
