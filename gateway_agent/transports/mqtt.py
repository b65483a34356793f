"""Readers behind a broker: `mqtt://host:1883/topic/#?version=5&client_id=gate-1`, `mqtts://` with `ca_file`.

The session is persistent and a message is acknowledged to the broker only when every event in it is committed
here (`Delivery.done`), so a crash of the gateway makes the broker deliver again. What can still be lost:
- messages the reader publishes at QoS 0 while the gateway is away: the broker does not queue them;
- everything in a broker that dies without persistence: its PUBACK to the reader was never durable;
- reads that did not yet make up `min_reads` when the gateway died: their message was acknowledged.
"""

from __future__ import annotations

import queue
import ssl
import threading
from functools import partial

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gateway_agent.transports._base import Delivery, LinkDown, MqttAddress

CONNECT_LIMIT_S = 5.0
KEEPALIVE_S = 30
SESSION_EXPIRY_S = 2_592_000
"""The broker keeps our queue for 30 days without us."""
MAX_IN_FLIGHT = 200
"""Unacknowledged messages a MQTT 5 broker may send; an older broker uses its own limit."""
MAX_PACKET_BYTES = 1_048_576
INBOX = 1_000
"""Messages waiting for the pump; past it the network thread blocks and TCP pushes back."""


class MqttTransport:
    """One subscription on one broker. A lost connection is `LinkDown`; opening again resumes the session."""

    def __init__(self, address: MqttAddress) -> None:
        self._address = address
        self._client: paho.Client | None = None
        self._inbox: queue.Queue[Delivery] = queue.Queue(INBOX)
        self._ready = threading.Event()
        self._down = ""

    def open(self) -> None:
        self._inbox = queue.Queue(INBOX)
        self._ready = threading.Event()
        self._down = ""
        client = self._make_client()
        self._client = client
        try:
            self._connect(client)
        except (OSError, ValueError) as error:
            raise LinkDown(str(error), where=self._name, remedy="start the broker or correct reader.url") from error
        client.loop_start()
        if not self._ready.wait(CONNECT_LIMIT_S) and not self._down:
            self._down = f"the broker did not answer within {CONNECT_LIMIT_S:.0f} s"
        if self._down:
            raise LinkDown(self._down, where=self._name)

    def read(self, timeout_s: float) -> Delivery | None:
        try:
            return self._inbox.get(timeout=timeout_s)
        except queue.Empty:
            if self._down:
                raise LinkDown(self._down, where=self._name) from None
            return None

    def write(self, data: bytes) -> None:
        """Message readers are configured at the reader; a protocol that writes here is our mistake."""
        raise TypeError(f"{self._name} takes no commands ({len(data)} bytes)")

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            self._down = self._down or "closed"
            client.disconnect()
            client.loop_stop()

    @property
    def _name(self) -> str:
        return f"mqtt {self._address.host}:{self._address.port}/{self._address.topic}"

    def _make_client(self) -> paho.Client:
        address = self._address
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=address.client_id,
            clean_session=None if address.protocol == MQTTProtocolVersion.MQTTv5 else False,
            protocol=MQTTProtocolVersion(address.protocol),
            manual_ack=True,
            reconnect_on_failure=False,  # the pump reopens, so that its state and the session's agree
        )
        if address.user:
            client.username_pw_set(address.user, address.password)
        if address.tls:
            client.tls_set_context(ssl.create_default_context(cafile=address.ca_file or None))
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        return client

    def _connect(self, client: paho.Client) -> None:
        host, port = self._address.host, self._address.port
        if self._address.protocol != MQTTProtocolVersion.MQTTv5:
            client.connect(host, port, KEEPALIVE_S)
            return
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = SESSION_EXPIRY_S
        properties.ReceiveMaximum = MAX_IN_FLIGHT
        properties.MaximumPacketSize = MAX_PACKET_BYTES
        client.connect(host, port, KEEPALIVE_S, clean_start=False, properties=properties)

    def _on_connect(
        self, client: paho.Client, _data: object, flags: paho.ConnectFlags, reason: ReasonCode, _properties: object
    ) -> None:
        if reason.is_failure:
            self._fail(f"the broker refused the connection: {reason}")
            return
        client.subscribe(self._address.topic, qos=1)
        if flags.session_present:
            # The subscription of before still stands (MQTT 5 §3.2.2.1.1). A broker may want what it kept for us to be
            # acknowledged before it confirms a new one: waiting for that here would wait for ever.
            self._ready.set()

    def _on_subscribe(
        self, _client: paho.Client, _data: object, _mid: int, reasons: list[ReasonCode], _properties: object
    ) -> None:
        refused = [str(reason) for reason in reasons if reason.is_failure]
        if refused:
            self._fail(f"the broker refused the topic: {refused[0]}")
            return
        self._ready.set()

    def _on_disconnect(
        self, _client: paho.Client, _data: object, _flags: object, reason: ReasonCode, _properties: object
    ) -> None:
        self._fail(f"the broker closed the connection: {reason}")

    def _on_message(self, client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        delivery = Delivery(bytes(message.payload), partial(_acknowledge, client, message.mid, message.qos))
        while not self._down:
            try:
                self._inbox.put(delivery, timeout=0.5)
            except queue.Full:
                continue
            return

    def _fail(self, why: str) -> None:
        self._down = self._down or why
        self._ready.set()


def _acknowledge(client: paho.Client, mid: int, qos: int) -> None:
    # After a reconnect this client is dead and the broker delivers again; the presence window absorbs that.
    if qos > 0 and client.is_connected():
        client.ack(mid, qos)
