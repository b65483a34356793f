"""Transports move bytes and turn every way a link can die into `LinkDown`."""

from __future__ import annotations

import os
import resource
import socket
import time
import tty
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import astuple

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import MQTTProtocolVersion

from firmware_sim.broker import EmbeddedBroker
from firmware_sim.endpoints import PtyEndpoint
from firmware_sim.tcp import TcpEndpoint
from gateway_agent.addresses import open_transport, parse_address
from gateway_agent.fields import Fields
from gateway_agent.settings import SECTIONS
from gateway_agent.transports._base import Delivery, LinkDown, MqttAddress, Transport
from gateway_agent.transports.mqtt import MqttTransport
from gateway_agent.transports.serial import SerialAddress, SerialTransport
from gateway_agent.transports.tcp import UNSENT_LIMIT_MS, TcpAddress, TcpTransport
from tests.services import Broker, free_port
from trace_core.readers import protocols
from trace_core.readers._base import LineSettings


def serial_at(path: str, usb: str = "") -> SerialTransport:
    return SerialTransport(SerialAddress(path, usb, LineSettings()))


def mqtt_at(host: str, port: int, topic: str = "t") -> MqttTransport:
    return MqttTransport(MqttAddress(host, port, topic, "transport-test", MQTTProtocolVersion.MQTTv5))


MISSING: dict[str, Callable[[], Transport]] = {
    "no such device": lambda: serial_at("/dev/no-such-port"),
    "not a serial port": lambda: serial_at("/dev/null"),
    "no such usb device": lambda: serial_at("", "ffff:ffff"),
    "nobody listens": lambda: TcpTransport(TcpAddress("127.0.0.1", free_port())),
    "no broker": lambda: mqtt_at("127.0.0.1", free_port()),
}


@pytest.mark.parametrize("name", MISSING)
def test_what_is_not_there_is_a_link_that_is_down(name: str) -> None:
    with closing(MISSING[name]()) as transport, pytest.raises(LinkDown) as caught:
        transport.open()
    assert caught.value.where


@pytest.mark.parametrize("make", [lambda: serial_at("/x"), lambda: TcpTransport(TcpAddress("h", 1))])
def test_a_transport_that_is_not_open_is_down_not_broken(make: Callable[[], Transport]) -> None:
    transport = make()
    with pytest.raises(LinkDown):
        transport.read(0.01)
    with pytest.raises(LinkDown):
        transport.write(b"x")
    transport.close()
    transport.close()


def test_a_serial_port_hands_over_all_that_waits_in_one_read() -> None:
    master, slave = os.openpty()
    tty.setraw(slave)
    with closing(serial_at(os.ttyname(slave))) as port:
        port.open()
        assert port.read(0.01) is None
        os.write(master, bytes(range(200)))
        assert port.read(1.0) == Delivery(bytes(range(200)))
        port.write(b"\x7e\x00")
        assert os.read(master, 10) == b"\x7e\x00"
        os.close(slave)
        os.close(master)
        with pytest.raises(LinkDown):
            for _ in range(5):
                port.read(0.05)


def test_a_port_that_takes_nothing_is_down_after_a_moment() -> None:
    master, slave = os.openpty()
    tty.setraw(slave)
    with closing(serial_at(os.ttyname(slave))) as port:
        port.open()
        start = time.monotonic()
        with pytest.raises(LinkDown, match="takes nothing"):
            port.write(bytes(1_000_000))
        assert time.monotonic() - start >= 1.0
        os.close(slave)
        os.close(master)


def test_ports_work_in_a_process_with_more_than_1024_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 1_200:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(1_200, hard), hard))
    with ExitStack() as stack:
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        while (file := stack.enter_context(open(os.devnull, "rb"))).fileno() < 1_030:  # noqa: PTH123 - a handle
            assert file
        endpoint = PtyEndpoint()
        stack.callback(endpoint.close)
        listener = TcpEndpoint()
        stack.callback(listener.close)
        tcp = TcpTransport(TcpAddress("127.0.0.1", listener.port))
        for far, near in ((endpoint, serial_at(endpoint.path)), (listener, tcp)):
            stack.enter_context(closing(near))
            near.open()
            assert near.read(0.01) is None
            near.write(b"ask")
            heard = [far.read(0.2), far.read(0.2)]
            assert b"".join(heard) == b"ask"
            far.write(b"reply")
            assert near.read(1.0) == Delivery(b"reply")


def test_a_serial_port_is_ours_alone() -> None:
    master, slave = os.openpty()
    with closing(serial_at(os.ttyname(slave))) as first, closing(serial_at(os.ttyname(slave))) as second:
        first.open()
        with pytest.raises(LinkDown):
            second.open()
    os.close(slave)
    os.close(master)


def test_a_tcp_reader_is_read_and_written_and_its_end_is_noticed() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        closing(TcpTransport(TcpAddress("127.0.0.1", listener.getsockname()[1]))) as transport,
    ):
        transport.open()
        peer, _ = listener.accept()
        assert transport.read(0.01) is None
        peer.sendall(b"abc")
        assert transport.read(1.0) == Delivery(b"abc")
        transport.write(b"def")
        assert peer.recv(10) == b"def"
        peer.close()
        with pytest.raises(LinkDown, match="closed"):
            transport.read(1.0)


@pytest.mark.parametrize(
    ("protocol", "query", "line"),
    [
        ("feig_obid", "", LineSettings(38_400, 8, "E", 1)),
        ("feig_obid", "?baud=9600&parity=none&stopbits=2", LineSettings(9_600, 8, "N", 2)),
        ("magicrf", "?parity=odd", LineSettings(115_200, 8, "O", 1)),
        ("scanner", "?parity=E", LineSettings(9_600, 8, "E", 1)),
    ],
)
def test_a_port_is_opened_with_the_line_settings_of_its_protocol_or_its_url(
    protocol: str, query: str, line: LineSettings
) -> None:
    master, slave = os.openpty()
    try:
        fields = Fields({"url": f"serial://{os.ttyname(slave)}{query}"}, where="reader", known=SECTIONS["reader"])
        address = parse_address(fields, protocols()[protocol], default_client_id="test")
        assert isinstance(address, SerialAddress)
        assert address.line == line
        with closing(open_transport(address)) as transport:
            transport.open()
            assert isinstance(transport, SerialTransport)
            port = transport._opened()
            assert (port.baudrate, port.bytesize, port.parity, port.stopbits) == astuple(line)
            os.write(master, b"x")
            assert transport.read(1.0) == Delivery(b"x")
    finally:
        os.close(master)
        os.close(slave)


def test_a_reader_behind_a_cut_cable_is_given_up_within_seconds_not_minutes() -> None:
    """What the kernel is asked for: half a connection cannot be made on loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host, port = listener.getsockname()
        with closing(TcpTransport(TcpAddress(host, port))) as transport:
            transport.open()
            opened = transport._opened()

            def option(name: int) -> int:
                return opened.getsockopt(socket.IPPROTO_TCP, name)

            assert opened.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            silent_s = option(socket.TCP_KEEPIDLE) + option(socket.TCP_KEEPINTVL) * option(socket.TCP_KEEPCNT)
            assert silent_s <= 8
            assert option(socket.TCP_USER_TIMEOUT) == UNSENT_LIMIT_MS


def test_a_broker_delivers_again_what_was_not_acknowledged(mosquitto: Broker) -> None:
    with closing(mqtt_at(mosquitto.host, mosquitto.port, "transports/again")) as transport:
        transport.open()
        _publish(mosquitto, b"one")
        first = transport.read(5.0)
        assert first is not None
        assert first.data == b"one"
        transport.close()
        transport.open()
        again = transport.read(5.0)
        assert again is not None
        assert again.data == b"one"
        assert again.done is not None
        again.done()
        assert transport.read(0.3) is None
        transport.close()
        transport.open()
        assert transport.read(0.3) is None


def test_a_message_reader_takes_no_commands(mosquitto: Broker) -> None:
    with closing(mqtt_at(mosquitto.host, mosquitto.port)) as transport, pytest.raises(TypeError):
        transport.write(b"x")


def _publish(broker: Broker, payload: bytes) -> None:
    from paho.mqtt import publish

    publish.single("transports/again", payload, qos=1, hostname=broker.host, port=broker.port)


def test_a_session_that_the_broker_kept_is_ready_before_its_backlog_is_acknowledged() -> None:
    """The embedded broker confirms a subscription only when what it kept has been acknowledged, 5 s a message."""
    with EmbeddedBroker() as broker:
        address = MqttAddress(broker.host, broker.port, "t", "kept-session", MQTTProtocolVersion.MQTTv311)
        with closing(MqttTransport(address)) as transport:
            transport.open()
        publisher = paho.Client(paho.CallbackAPIVersion.VERSION2)
        publisher.connect(broker.host, broker.port)
        publisher.loop_start()
        for number in range(5):
            publisher.publish("t", str(number).encode(), qos=1).wait_for_publish(10)
        begun = time.monotonic()
        with closing(MqttTransport(address)) as transport:
            transport.open()
            assert time.monotonic() - begun < 4
            got = []
            while len(got) < 5 and time.monotonic() - begun < 20:
                delivery = transport.read(0.1)
                if delivery is not None:
                    got.append(delivery.data)
                    assert delivery.done is not None
                    delivery.done()
            assert sorted(got) == [str(number).encode() for number in range(5)]
        publisher.disconnect()
        publisher.loop_stop()
