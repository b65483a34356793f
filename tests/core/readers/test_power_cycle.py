"""Power lost and back: what a device keeps is kept, everything else is as delivered, and its tags are read again."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.core.readers.rig import START_S, Rig, population
from trace_core.readers import protocols
from trace_core.readers._base import ReaderProtocol
from trace_core.readers.chafon.frames import Frame as Chafon
from trace_core.readers.feig_obid.frames import Frame as Feig
from trace_core.readers.impinj_r2000.frames import Frame as Invelion
from trace_core.readers.llrp.device import LlrpDevice
from trace_core.readers.llrp.messages import Message, MessageType
from trace_core.readers.mercury.frames import Frame as Mercury

STEP_S = 2.0
"""Longer than any device is dark."""
KEEPALIVE_OFF_ON = bytes.fromhex("00 00DC0009 01 00001388")


def _feig(control: int, data: bytes) -> bytes:
    return Feig(0, control, data).to_bytes()


def _llrp(kind: MessageType, body: bytes) -> bytes:
    return Message(kind, 7, body).to_bytes()


_BLOCK = bytes(range(14))
KEPT = [
    ("impinj_r2000", {}, Invelion(1, 0x76, b"\x14").to_bytes(), Invelion(1, 0x77, b"").to_bytes()),
    ("impinj_r2000", {}, Invelion(1, 0x67, b"ABCDEFGHIJKL").to_bytes(), Invelion(1, 0x68, b"").to_bytes()),
    ("chafon", {}, Chafon(0, 0x2F, b"\x0a").to_bytes(), Chafon(0, 0x21).to_bytes()),
    ("chafon", {"model": "R18"}, Chafon(0, 0x35, b"\x00\x01\x00\x00\x00\x00").to_bytes(), Chafon(0, 0x36).to_bytes()),
    ("feig_obid", {}, _feig(0x81, b"\x83" + _BLOCK), _feig(0x80, b"\x03")),
]
LOST = [
    ("magicrf", {}, bytes.fromhex("BB 00 B6 00 02 07 D0 8F 7E"), bytes.fromhex("BB 00 B7 00 00 B7 7E")),
    ("impinj_r2000", {}, Invelion(1, 0x66, b"\x14").to_bytes(), Invelion(1, 0x77, b"").to_bytes()),
    ("mercury", {}, Mercury(0x92, b"\x07\xd0").to_bytes(), Mercury(0x62).to_bytes()),
    ("feig_obid", {}, _feig(0x81, b"\x03" + _BLOCK), _feig(0x80, b"\x03")),
    (
        "llrp",
        {},
        _llrp(MessageType.SET_READER_CONFIG, KEEPALIVE_OFF_ON),
        _llrp(MessageType.GET_READER_CONFIG, b"\0\0\x08\0\0\0\0"),
    ),
    (
        "mqtt_json",
        {"dialect": "zebra"},
        b'{"command":"stop","command_id":"1"}',
        b'{"command":"get_status","command_id":"2"}',
    ),
]


def _answers(name: str, options: Mapping[str, object], change: bytes, question: bytes) -> list[bytes]:
    """The answer to `question` as delivered, after `change`, and after the power was away."""
    device = protocols()[name].device(options)
    answers = []
    now = START_S
    for act in ("nothing", "change", "power"):
        now += STEP_S
        if act == "change":
            assert device.receive(change, now)
        elif act == "power":
            device.power_cycle(now)
        device.tick(now + STEP_S / 2, [])
        now += STEP_S
        answers.append(device.receive(question, now))
    return answers


@pytest.mark.parametrize(("name", "options", "change", "question"), KEPT, ids=lambda v: v if isinstance(v, str) else "")
def test_a_kept_setting_outlives_the_power(
    name: str, options: Mapping[str, object], change: bytes, question: bytes
) -> None:
    delivered, changed, after = _answers(name, options, change, question)
    assert delivered
    assert changed != delivered
    assert after == changed


@pytest.mark.parametrize(("name", "options", "change", "question"), LOST, ids=lambda v: v if isinstance(v, str) else "")
def test_a_volatile_setting_is_as_delivered_after_the_power_was_away(
    name: str, options: Mapping[str, object], change: bytes, question: bytes
) -> None:
    delivered, changed, after = _answers(name, options, change, question)
    assert delivered
    assert changed != delivered
    assert after == delivered


def test_a_scanner_that_was_stopped_runs_again_after_the_power_was_away() -> None:
    device = protocols()["scanner"].device({})
    tags = population(1, 2)
    device.receive(b"0\r", START_S)
    assert not device.tick(START_S + 1, tags)
    device.power_cycle(START_S + 2)
    assert device.tick(START_S + 3, tags)


@pytest.mark.parametrize("protocol", protocols().values(), ids=lambda p: p.name)
def test_the_same_host_reads_on_after_the_power_was_away(protocol: ReaderProtocol) -> None:
    rig = Rig(protocol)
    rig.tags = population(5, 4, protocol)
    rig.run(2.0)
    assert rig.epcs() == {tag.epc for tag in rig.tags}
    rig.device.power_cycle(rig.now)
    if isinstance(rig.device, LlrpDevice):  # the power took the connection with it: both ends begin anew
        rig.host = protocol.host({})
        rig.device.attached(rig.now)
        for output in rig.host.start(rig.now):
            rig._take([output])
    rig.reads.clear()
    rig.run(20.0)
    assert rig.epcs() == {tag.epc for tag in rig.tags}
