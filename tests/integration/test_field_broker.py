"""The broker as deploy/mosquitto/suyuan.conf sets it up: nobody without a name, nobody in another one's tree."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from tests.certificates import Authority
from tests.gateway.process import until
from tests.services import free_port
from trace_server.uplink_mqtt.barring import Barrier

ROOT = Path(__file__).parents[2]
PASSWORD = "only for this test"
NOT_AUTHORISED = 0x87
"""MQTT 5 §2.4"""


@dataclass(frozen=True, slots=True)
class Field:
    """A running broker and what its clients need."""

    authority: Authority
    gateways: int
    readers: int


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    folder = tmp_path_factory.mktemp("field")
    authority = Authority.make(folder / "authority")
    broker = authority.issue("broker")
    shutil.copy(broker.certificate, folder / "broker.pem")
    shutil.copy(broker.key, folder / "broker.key")
    shutil.copy(authority.ca_file, folder / "ca.pem")
    shutil.copy(ROOT / "deploy" / "mosquitto" / "suyuan.acl", folder / "suyuan.acl")
    shutil.copy(ROOT / "deploy" / "mosquitto" / "readers.acl", folder / "readers.acl")
    for name in ("dock-1", "dock-2", "gate-1"):
        words = ["mosquitto_passwd", "-b", *([] if (folder / "readers.passwd").exists() else ["-c"])]
        subprocess.run([*words, str(folder / "readers.passwd"), name, PASSWORD], check=True, capture_output=True)
    for secret in ("suyuan.acl", "readers.acl", "readers.passwd"):
        (folder / secret).chmod(0o600)
    found = Field(authority, free_port(), free_port())
    text = (ROOT / "deploy" / "mosquitto" / "suyuan.conf").read_text()
    text = text.replace("/etc/mosquitto/suyuan", str(folder)).replace(
        "listener 8883", f"listener {found.gateways} 127.0.0.1"
    )
    shutil.copy(ROOT / "deploy" / "mosquitto" / "dynamic-security.json", folder / "dynamic-security.json")
    text = text.replace("/var/lib/mosquitto", str(folder)).replace("/usr/lib/mosquitto_dynamic_security.so", plugin())
    text = text.replace("listener 8884", f"listener {found.readers} 127.0.0.1")
    (folder / "mosquitto.conf").write_text(f"user {pwd.getpwuid(os.getuid()).pw_name}\n{text}")
    program = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    assert program
    log = folder / "mosquitto.log"
    with log.open("wb") as out:
        process = subprocess.Popen([program, "-c", str(folder / "mosquitto.conf")], stdout=out, stderr=out)
    try:
        until(lambda: "running" in log.read_text() or process.poll() is not None, "the broker started")
        assert process.poll() is None, log.read_text()
        yield found
    finally:
        process.terminate()
        process.wait(10)


def plugin() -> str:
    """Where Debian's mosquitto keeps it."""
    (found,) = Path("/usr/lib").glob("*/mosquitto_dynamic_security.so")
    return str(found)


class Client:
    """One MQTT 5 client; `refusal` is the reason why the broker did not take it."""

    def __init__(self, name: str) -> None:
        self._mqtt = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=name,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,  # a second attempt after a refusal would leave its socket behind
        )
        self._answered = threading.Event()
        self._dropped = threading.Event()
        self.refusal = ""
        self.heard: list[str] = []
        self._reasons: dict[int, int] = {}
        self._mqtt.on_connect = self._on_connect
        self._mqtt.on_disconnect = lambda *_: self._dropped.set()
        self._mqtt.on_publish = lambda _c, _d, number, reason, _p: self._reasons.update({number: reason.value})
        self._mqtt.on_message = lambda _c, _d, message: self.heard.append(message.topic)

    def _on_connect(self, _client: object, _data: object, _flags: object, reason: object, _properties: object) -> None:
        self.refusal = "" if str(reason) == "Success" else str(reason)
        self._answered.set()

    @contextmanager
    def connected(self, port: int, context: ssl.SSLContext, user: str = "", password: str = "") -> Iterator[Client]:
        self._mqtt.tls_set_context(context)
        if user:
            self._mqtt.username_pw_set(user, password)
        self._mqtt.connect("127.0.0.1", port)
        self._mqtt.loop_start()
        try:
            assert self._answered.wait(10)
            yield self
        finally:
            self._mqtt.disconnect()
            self._mqtt.loop_stop()
            # Without these circles paho's client ends with its last user, and closes its inner pair of sockets.
            self._mqtt.on_connect = self._mqtt.on_publish = self._mqtt.on_message = self._mqtt.on_subscribe = None
            self._mqtt.on_disconnect = None

    @property
    def is_dropped(self) -> bool:
        """Whether the broker ended the connection."""
        return self._dropped.is_set()

    def publish(self, topic: str, payload: bytes = b"x") -> int:
        """The broker's reason code."""
        number = self._mqtt.publish(topic, payload, qos=1).mid
        until(lambda: number in self._reasons, f"an answer for {topic}")
        return self._reasons[number]

    def subscribe(self, topic: str) -> int:
        """The broker's reason code."""
        reasons: list[int] = []
        self._mqtt.on_subscribe = lambda _c, _d, _n, found, _p: reasons.extend(reason.value for reason in found)
        self._mqtt.subscribe(topic, qos=1)
        until(lambda: reasons, f"an answer for {topic}")
        return reasons[0]


def trust(field: Field, name: str = "") -> ssl.SSLContext:
    """TLS of a client that trusts the authority and, with a name, has a certificate of it."""
    context = ssl.create_default_context(cafile=str(field.authority.ca_file))
    if name:
        made = field.authority.issue(name)
        context.load_cert_chain(made.certificate, made.key)
    return context


def test_without_a_certificate_nobody_reaches_the_gateways_listener(field: Field) -> None:
    raw = ssl.create_default_context(cafile=str(field.authority.ca_file))
    with (
        socket.create_connection(("127.0.0.1", field.gateways), timeout=10) as plain,
        pytest.raises((ssl.SSLError, ConnectionError)),
        raw.wrap_socket(plain, server_hostname="127.0.0.1") as tls,
    ):
        tls.sendall(b"\x10\x00")
        if tls.recv(1) == b"":
            raise ConnectionResetError("closed without an answer")


def test_a_gateway_writes_and_hears_its_own_tree_only(field: Field) -> None:
    with (
        Client("gate-1").connected(field.gateways, trust(field, "gate-1")) as gate,
        Client("server").connected(field.gateways, trust(field, "trace-server")) as server,
    ):
        assert (gate.refusal, server.refusal) == ("", "")
        assert gate.subscribe("gw/#") == 1  # granted, QoS 1; it hears what it may all the same
        server.subscribe("gw/+/up")
        reasons = [gate.publish(f"gw/{topic}") for topic in ("gate-1/up", "gate-2/up", "gate-1/ack", "gate-2/ack")]
        assert [reason == NOT_AUTHORISED for reason in reasons] == [False, True, True, True]
        assert gate.publish("readers/dock-1/reads") == NOT_AUTHORISED
        assert server.publish("gw/gate-2/ack") != NOT_AUTHORISED
        assert server.publish("gw/gate-1/ack") != NOT_AUTHORISED
        until(lambda: gate.heard, "its own answer")
        until(lambda: server.heard, "its request")
    assert (gate.heard, server.heard) == (["gw/gate-1/ack"], ["gw/gate-1/up"])


def test_the_broker_drops_a_revoked_gateway_and_takes_nothing_of_it_afterwards(field: Field) -> None:
    with (
        Client("gate-9").connected(field.gateways, trust(field, "gate-9")) as gate,
        Client("gate-8").connected(field.gateways, trust(field, "gate-8")) as other,
        Client("server-9").connected(field.gateways, trust(field, "trace-server")) as server,
    ):
        assert gate.publish("gw/gate-9/up") != NOT_AUTHORISED
        barrier = Barrier(lambda: ["gate-9"], server.publish)
        barrier.look(1)
        until(lambda: gate.is_dropped, "its open connection is dropped")
        assert other.publish("gw/gate-8/up") != NOT_AUTHORISED
    with Client("gate-9-again").connected(field.gateways, trust(field, "gate-9")) as again:
        assert again.publish("gw/gate-9/up") == NOT_AUTHORISED


def test_a_reader_needs_a_name_and_writes_below_it_only(field: Field) -> None:
    with Client("nobody").connected(field.readers, trust(field)) as client:
        assert client.refusal == "Not authorized"
    with Client("liar").connected(field.readers, trust(field), "dock-1", "guessed") as client:
        assert client.refusal == "Not authorized"
    with (
        Client("dock-1").connected(field.readers, trust(field), "dock-1", PASSWORD) as reader,
        Client("gate-1").connected(field.readers, trust(field), "gate-1", PASSWORD) as gate,
        Client("dock-2").connected(field.readers, trust(field), "dock-2", PASSWORD) as other,
    ):
        gate.subscribe("readers/#")
        other.subscribe("readers/#")
        assert other.publish("readers/dock-2/reads") != NOT_AUTHORISED
        assert reader.publish("readers/dock-1/reads") != NOT_AUTHORISED
        assert reader.publish("readers/dock-2/reads") == NOT_AUTHORISED
        assert reader.publish("gw/gate-1/up") == NOT_AUTHORISED
        assert gate.publish("gw/gate-1/up") == NOT_AUTHORISED
        until(lambda: gate.heard, "the reads of its reader")
    assert (gate.heard, other.heard) == (["readers/dock-1/reads"], [])


def test_every_page_and_file_that_the_settings_of_a_broker_name_exists() -> None:
    for path in [*(ROOT / "docker").glob("mosquitto*"), *(ROOT / "deploy" / "mosquitto").iterdir()]:
        named = re.findall(r"\b(?:docs|docker|deploy)/[\w./-]+\w", path.read_text())
        assert not [name for name in named if not (ROOT / name).exists()]
    page = (ROOT / "docs" / "how-to" / "broker.md").read_text()
    named = re.findall(r"`((?:docs|docker|deploy)/[\w./-]+)`", page)
    assert named
    assert not [name for name in named if not (ROOT / name).exists()]
