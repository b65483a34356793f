"""Every reason code ≥ 0x80 of MQTT 5 means not sent: the events stay, and the sender says why (quality §6, broker)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from gateway_agent.blocklist import BlockListFile
from gateway_agent.clock import ClockJudge
from gateway_agent.config import ServerConfig
from gateway_agent.identity import make_or_load_key
from gateway_agent.links.mqtt import NOT_WANTED, MqttLink
from gateway_agent.outbox import Outbox
from gateway_agent.uplink import Sender
from tests.gateway.make import append, new_outbox
from tests.gateway.scripted_broker import PUBLISH, ScriptedBroker, scripted_broker

T = TypeVar("T")

# MQTT 5.0 §3.2.2.2, §3.9.3, §3.4.2.1, §3.14.2.1
CONNACK = (
    0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8C, 0x90, 0x95, 0x97, 0x99, 0x9A, 0x9B,
    0x9C, 0x9D, 0x9F,
)  # fmt: skip
SUBACK = (0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2)
PUBACK = (0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99)
DISCONNECT = (
    0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8D, 0x8E, 0x8F, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99,
    0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2,
)  # fmt: skip


@contextmanager
def sender_to(broker: ScriptedBroker, folder: Path) -> Iterator[tuple[Sender, Outbox, MqttLink]]:
    config = ServerConfig(broker.url, "", timeout_s=2.0, first_connect_spread_s=0.0, slow_retry_s=30.0)
    link = MqttLink(config, "gate-1")
    link.answer_limit_s = 0.3

    with closing(new_outbox(folder)) as outbox, closing(link):

        def call(run: Callable[[Outbox], T]) -> T:
            return run(outbox)

        yield (
            Sender(
                folder / "outbox.sqlite",
                call,
                link=link,
                signer=make_or_load_key(folder),
                config=config,
                judge=ClockJudge(lambda: True),
                block_list=BlockListFile(folder / "block_list.json"),
                boot_id="boot-a",
            ),
            outbox,
            link,
        )


def _refused(code: int, folder: Path, **codes: int) -> None:
    with scripted_broker(**codes) as broker, sender_to(broker, folder) as (sender, outbox, _):
        append(outbox, [1, 2, 3])
        pause_s = sender.step()
        assert pause_s is not None
        assert outbox.acked == 0
        assert "the broker" in sender.state.last_error
        if code in NOT_WANTED:
            assert pause_s == 30.0
            assert sender.state.state == "refused"
            assert sender.state.alarms
        else:
            assert 0 < pause_s <= 0.5
            assert sender.state.state == "retrying"
        assert sender.step() is not None  # and goes on trying


@pytest.mark.parametrize("code", CONNACK, ids=hex)
def test_a_refused_connection_keeps_the_events_and_says_why(tmp_path: Path, code: int) -> None:
    _refused(code, tmp_path, connack=code)


@pytest.mark.parametrize("code", SUBACK, ids=hex)
def test_a_refused_subscription_keeps_the_events_and_says_why(tmp_path: Path, code: int) -> None:
    _refused(code, tmp_path, suback=code)


@pytest.mark.parametrize("code", PUBACK, ids=hex)
def test_a_refused_batch_is_kept_and_said_why(tmp_path: Path, code: int) -> None:
    _refused(code, tmp_path, puback=code)


@pytest.mark.parametrize("code", DISCONNECT, ids=hex)
def test_a_broker_that_leaves_in_the_middle_keeps_the_events_and_its_reason(tmp_path: Path, code: int) -> None:
    _refused(code, tmp_path, disconnect=code)


def test_a_puback_alone_settles_nothing_and_frees_no_more_than_the_window(tmp_path: Path) -> None:
    with scripted_broker() as broker, sender_to(broker, tmp_path) as (sender, outbox, link):
        append(outbox, range(6_000))
        assert (sender.step() or 0) > 0
        assert outbox.acked == 0
        assert broker.received.count(PUBLISH) == link.window == 8
        assert "no server answered" in sender.state.last_error


def test_a_batch_above_the_brokers_limit_is_halved_without_being_sent(tmp_path: Path) -> None:
    with scripted_broker(max_packet=4_096) as broker, sender_to(broker, tmp_path) as (sender, outbox, _):
        outbox_numbers = [number * 7_919 for number in range(500)]
        append(outbox, outbox_numbers)
        while sender.step() == 0:
            pass
        assert 0 < sender._max_events < 500
        assert outbox.acked == 0
        assert broker.received.count(PUBLISH) > 0
