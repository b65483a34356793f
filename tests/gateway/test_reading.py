"""The pump: what a session says reaches the queue in order, and a link that dies is opened again."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from gateway_agent.cli import known_protocols
from gateway_agent.config import ReaderConfig
from gateway_agent.reading import BadReading, Delivered, DeviceReport, Item, Pump, Reading
from gateway_agent.supervise import Supervisor
from gateway_agent.transports._base import Delivery, LinkDown
from gateway_agent.transports.serial import SerialAddress
from tests.gateway.make import epc
from tests.gateway.process import until
from trace_core.readers._base import DeviceState, LineSettings


@dataclass
class Cable:
    """A transport whose other end is the test."""

    arrivals: deque[Delivery] = field(default_factory=deque)
    down: bool = False
    opened: int = 0
    closed: int = 0

    def open(self) -> None:
        if self.down:
            raise LinkDown("no such port", where="cable")
        self.opened += 1

    def read(self, timeout_s: float) -> Delivery | None:
        if self.down:
            raise LinkDown("pulled", where="cable")
        if self.arrivals:
            return self.arrivals.popleft()
        threading.Event().wait(min(timeout_s, 0.01))
        return None

    def write(self, data: bytes) -> None:
        if self.down:
            raise LinkDown("pulled", where="cable")

    def close(self) -> None:
        self.closed += 1


@dataclass
class Bench:
    cable: Cable
    items: list[Item]
    accepting: threading.Event
    supervisor: Supervisor

    def of(self, kind: type) -> list[Item]:
        return [item for item in self.items if isinstance(item, kind)]


@contextmanager
def pumping(protocol: str, put: Callable[[Item], None] | None = None) -> Iterator[Bench]:
    bench = Bench(Cable(), [], threading.Event(), Supervisor())
    bench.accepting.set()
    stop = threading.Event()
    config = ReaderConfig("door", known_protocols()[protocol], SerialAddress("", "", LineSettings()))
    pump = Pump([config], bench.cable, put or bench.items.append, accepting=bench.accepting, stop=stop)
    thread = bench.supervisor.start("reader door", pump.run, stop)
    try:
        yield bench
    finally:
        stop.set()
        thread.join(5)
        assert not thread.is_alive()


def message(number: int) -> bytes:
    event = {"epcHex": epc(number).hex(), "antennaPort": 1}
    return json.dumps(
        {"timestamp": "2026-03-01T08:00:00Z", "eventType": "tagInventory", "tagInventoryEvent": event}
    ).encode()


def test_the_confirmation_of_a_message_follows_everything_that_was_in_it() -> None:
    with pumping("mqtt_json") as bench:
        bench.cable.arrivals += [Delivery(message(1), lambda: None), Delivery(b"{half", lambda: None)]
        until(lambda: len(bench.of(Delivered)) == 2, "both confirmed")
    kinds = [type(item) for item in bench.items if not isinstance(item, DeviceReport)]
    assert kinds == [Reading, Delivered, BadReading, Delivered]
    (reading,) = bench.of(Reading)
    assert isinstance(reading, Reading)
    assert reading.kept_elsewhere


def test_an_outage_is_reported_once_and_the_link_opened_again() -> None:
    with pumping("mqtt_json") as bench:
        until(lambda: bench.cable.opened == 1, "open")
        bench.cable.down = True
        until(lambda: bench.cable.closed >= 3, "tried again")
        bench.cable.down = False
        until(lambda: bench.cable.opened == 2, "open again", limit_s=2)
    silent = [r for r in bench.of(DeviceReport) if isinstance(r, DeviceReport) and r.event.state is DeviceState.SILENT]
    assert [report.event.detail for report in silent] == ["cable: pulled"]


def test_a_broker_is_left_alone_while_the_outbox_is_full() -> None:
    with pumping("mqtt_json") as bench:
        until(lambda: bench.cable.opened == 1, "open")
        bench.accepting.clear()
        until(lambda: bench.cable.closed == 1, "left")
        bench.cable.arrivals.append(Delivery(message(1), lambda: None))
        threading.Event().wait(0.3)
        assert (bench.cable.opened, bench.of(Reading)) == (1, [])
        bench.accepting.set()
        until(lambda: len(bench.of(Reading)) == 1, "fetched now")


def test_a_serial_reader_is_still_listened_to_so_that_its_reads_are_counted() -> None:
    with pumping("magicrf") as bench:
        until(lambda: bench.cable.opened == 1, "open")
        bench.accepting.clear()
        threading.Event().wait(0.3)
        assert bench.cable.closed == 0


def test_a_pump_that_dies_of_our_own_mistake_is_counted_and_started_again() -> None:
    seen: list[Item] = []

    def put(item: Item) -> None:
        if not seen:
            seen.append(item)
            raise RuntimeError("our own mistake")
        seen.append(item)

    with pumping("mqtt_json", put) as bench:
        bench.cable.arrivals += [Delivery(message(1)), Delivery(message(2))]
        until(lambda: len(seen) >= 2, "goes on")
        assert bench.supervisor.crashes["reader door"] == 1
        assert bench.cable.opened == 2
