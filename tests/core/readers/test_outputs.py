"""Output lines (GPO) of readers: switched beside the inventory, kept by the device, refusals said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from trace_core.readers import protocols
from trace_core.readers._base import (
    DeviceEvent,
    DeviceState,
    FieldTag,
    HostOutput,
    HostSession,
    Send,
    SwitchingDevice,
    SwitchingHost,
    TagRead,
)
from trace_core.readers._base import DeviceSession as Device

SWITCHING = sorted(name for name, protocol in protocols().items() if protocol.outputs)
TAG = FieldTag(bytes.fromhex("3034257BF7194E4000000005"))
STEP_S = 0.02


@dataclass
class Pair:
    """Host and device on a cable without faults; `outputs` is what the host said."""

    host: HostSession
    device: Device
    now: float = 1_000.0
    outputs: list[HostOutput] = field(default_factory=list)

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            self.now += STEP_S
            for frame in self.device.tick(self.now, [TAG]):
                self.take(self.host.receive(frame, self.now))
            self.take(self.host.tick(self.now))

    def take(self, outputs: Sequence[HostOutput]) -> None:
        for output in outputs:
            self.outputs.append(output)
            if isinstance(output, Send):
                reply = self.device.receive(output.data, self.now)
                if reply:
                    self.take(self.host.receive(reply, self.now))

    def faults(self) -> list[str]:
        return [o.detail for o in self.outputs if isinstance(o, DeviceEvent) and o.state is DeviceState.FAULT]

    def reads(self) -> int:
        return sum(isinstance(output, TagRead) for output in self.outputs)


def pair(name: str) -> Pair:
    protocol = protocols()[name]
    options = {"antennas": [1]} if "antennas" in protocol.options else {}
    made = Pair(protocol.host(options), protocol.device({}))
    made.take(made.host.start(made.now))
    return made


def test_the_protocols_with_output_lines_are_these() -> None:
    assert SWITCHING == ["impinj_r2000", "llrp", "mercury"]


@pytest.mark.parametrize("name", SWITCHING)
def test_a_line_is_switched_while_tags_are_read_and_reading_goes_on(name: str) -> None:
    both = pair(name)
    both.run(2.0)
    before = both.reads()
    assert before > 0
    assert isinstance(both.host, SwitchingHost)
    assert isinstance(both.device, SwitchingDevice)
    for line in protocols()[name].outputs:
        assert not both.device.output(line)
        both.take(both.host.set_output(line, both.now, high=True))
        both.run(0.3)
        assert both.device.output(line)
        both.take(both.host.set_output(line, both.now, high=False))
        both.run(0.3)
        assert not both.device.output(line)
    both.run(1.0)
    assert both.reads() > before
    assert both.faults() == []


@pytest.mark.parametrize("name", SWITCHING)
def test_what_is_wanted_before_the_reader_answers_is_done_once_it_does_and_the_last_wish_counts(name: str) -> None:
    both = pair(name)
    line = protocols()[name].outputs[0]
    assert isinstance(both.host, SwitchingHost)
    assert isinstance(both.device, SwitchingDevice)
    for high in (True, False, True):
        both.take(both.host.set_output(line, both.now, high=high))
    both.run(2.0)
    assert both.device.output(line)


@pytest.mark.parametrize("name", SWITCHING)
def test_a_line_that_the_reader_does_not_have_is_a_fault_and_reading_goes_on(name: str) -> None:
    both = pair(name)
    both.run(2.0)
    before = both.reads()
    assert isinstance(both.host, SwitchingHost)
    both.take(both.host.set_output(99, both.now, high=True))
    both.run(2.0)
    assert len(both.faults()) == 1
    assert both.reads() > before
