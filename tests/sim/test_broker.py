"""The broker in the process and the reader that publishes there, with a real MQTT client at the other end."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from firmware_sim.broker import EmbeddedBroker
from firmware_sim.device import SimulatedReader
from firmware_sim.endpoints import EndpointError, MqttEndpoint
from tests.services import Broker, free_port
from trace_core.readers import protocols
from trace_core.readers._base import DeviceEvent, FieldTag, HostOutput, TagRead

TAG = FieldTag(bytes.fromhex("3034B75F19600021F0138250"), antenna=2, rssi_dbm=-52.0)


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as running:
        yield running


class Subscriber:
    """A client that collects what comes on a topic filter."""

    def __init__(self, host: str, port: int, topic: str, *, persistent: bool = False) -> None:
        self.messages: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._subscribed = threading.Event()
        self.client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id="subscriber",
            protocol=mqtt.MQTTv311,
            clean_session=not persistent,
        )
        self.client.on_message = lambda _client, _data, message: self.messages.put(bytes(message.payload))
        self.client.on_subscribe = lambda *_: self._subscribed.set()
        self.client.connect(host, port)
        self.client.loop_start()
        self.client.subscribe(topic, qos=1)
        assert self._subscribed.wait(5.0)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def _collect(subscriber: Subscriber, count: int, limit_s: float = 10.0) -> list[bytes]:
    end = time.monotonic() + limit_s
    found: list[bytes] = []
    while len(found) < count:
        found.append(subscriber.messages.get(timeout=max(0.01, end - time.monotonic())))
    return found


def test_qos_1_messages_arrive_in_order(broker: EmbeddedBroker) -> None:
    subscriber = Subscriber(broker.host, broker.port, "readers/#")
    endpoint = MqttEndpoint(broker.host, broker.port, "readers/gate", "reader-1")
    sent = [str(number).encode() for number in range(100)]
    for payload in sent:
        endpoint.write(payload)
    assert endpoint.flush()
    assert _collect(subscriber, 100) == sent
    endpoint.close()
    subscriber.close()


def test_messages_wait_in_the_broker_for_a_persistent_session_that_is_away(broker: EmbeddedBroker) -> None:
    endpoint = MqttEndpoint(broker.host, broker.port, "readers/gate", "reader-8")
    Subscriber(broker.host, broker.port, "readers/#", persistent=True).close()
    time.sleep(1.5)  # the broker clears sessions that it does not keep once a second
    sent = [str(number).encode() for number in range(20)]
    for payload in sent:
        endpoint.write(payload)
    assert endpoint.flush()
    subscriber = Subscriber(broker.host, broker.port, "readers/#", persistent=True)
    assert _collect(subscriber, 20) == sent
    subscriber.close()
    endpoint.close()


def test_a_simulated_reader_is_read_through_the_broker(broker: EmbeddedBroker) -> None:
    _read_through(broker.host, broker.port)


def test_a_simulated_reader_is_read_through_mosquitto(mosquitto: Broker) -> None:
    _read_through(mosquitto.host, mosquitto.port)


def _read_through(host: str, port: int) -> None:
    protocol = protocols()["mqtt_json"]
    subscriber = Subscriber(host, port, "readers/#")
    endpoint = MqttEndpoint(host, port, "readers/gate/data", "reader-2", will_topic="readers/gate/will")
    reader = SimulatedReader(protocol, protocol.device({"report_ms": 50, "hostname": "gate-1"}), endpoint, seed=1)
    reader.place(TAG)
    session = protocol.host({})
    outputs: list[HostOutput] = []
    with reader:
        for payload in _collect(subscriber, 5):
            outputs += session.receive(payload, time.monotonic())
    end = time.monotonic() + 5.0
    while not (isinstance(outputs[-1], DeviceEvent) and outputs[-1].state == "silent"):
        assert time.monotonic() < end
        outputs += session.receive(subscriber.messages.get(timeout=5.0), time.monotonic())
    subscriber.close()
    reads = [output for output in outputs if isinstance(output, TagRead)]
    assert {(read.epc, read.antenna, read.reader) for read in reads} == {(TAG.epc, 2, "gate-1")}
    assert all(read.reader_time and abs(read.reader_time.timestamp() - time.time()) < 60 for read in reads)
    assert [output.state.value for output in outputs if isinstance(output, DeviceEvent)] == ["online", "silent"]


def test_the_broker_says_connection_lost_for_a_reader_that_vanishes(broker: EmbeddedBroker) -> None:
    subscriber = Subscriber(broker.host, broker.port, "will")
    endpoint = MqttEndpoint(broker.host, broker.port, "data", "reader-3", will_topic="will")
    assert _collect(subscriber, 1) == [b"connected"]
    socket = endpoint._client.socket()
    assert socket is not None
    endpoint._client.loop_stop()
    socket.close()
    assert _collect(subscriber, 1) == [b"connection lost"]
    subscriber.close()


def test_a_zebra_reader_obeys_commands_on_its_topic(broker: EmbeddedBroker) -> None:
    protocol = protocols()["mqtt_json"]
    subscriber = Subscriber(broker.host, broker.port, "z/data")
    endpoint = MqttEndpoint(broker.host, broker.port, "z/data", "reader-4", command_topic="z/command")
    reader = SimulatedReader(protocol, protocol.device({"dialect": "zebra", "report_ms": 50}), endpoint)
    with reader:
        subscriber.client.publish("z/command", b'{"command":"stop","command_id":"7","payload":{}}', qos=1)
        (answer,) = _collect(subscriber, 1)
        assert b'"response":"success"' in answer
        assert b'"command_id":"7"' in answer
        reader.place(TAG)
        with pytest.raises(queue.Empty):
            subscriber.messages.get(timeout=0.5)
    subscriber.close()


def test_payloads_wait_for_a_broker_that_is_away_and_the_rest_is_counted() -> None:
    broker = EmbeddedBroker().start()
    endpoint = MqttEndpoint(broker.host, broker.port, "data", "reader-7", queued=10)
    broker.stop()
    end = time.monotonic() + 5.0
    while endpoint._client.is_connected():
        assert time.monotonic() < end
        time.sleep(0.01)
    for number in range(30):
        endpoint.write(str(number).encode())
    assert not endpoint.flush(0.05)
    assert 0 < endpoint.overruns < 30
    endpoint.close()


def test_the_broker_stops_with_clients_connected_and_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    broker = EmbeddedBroker().start()
    endpoint = MqttEndpoint(broker.host, broker.port, "data", "reader-5")
    broker.stop()
    endpoint.close()
    assert set(threading.enumerate()) <= before


def test_no_broker_is_an_error_that_names_the_address() -> None:
    port = free_port()
    with pytest.raises(EndpointError, match=str(port)):
        MqttEndpoint("127.0.0.1", port, "data", "reader-6")
