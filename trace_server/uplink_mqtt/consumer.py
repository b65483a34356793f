"""The connection to the broker: requests in, in the order they came, answers out after they are settled.

A message is confirmed to the broker when it was answered, and the broker sends only so many unconfirmed ones: the
queue here is bounded without dropping anything. No session is kept. What was under way when the broker or this process
died is sent again by the gateways, who have no acknowledgement for it.
"""

from __future__ import annotations

import queue
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from prometheus_client import Counter

from trace_core.uplink import MAX_PAYLOAD_BYTES, MQTT_METHOD, MQTT_PATH, MQTT_STATUS, mqtt_topic
from trace_server.uplink_mqtt.barring import Barrier
from trace_server.uplink_mqtt.dispatch import Dispatcher
from trace_server.uplink_mqtt.model import EVERY_GATEWAY, Answer, Request, Shard, gateway_of

KEEPALIVE_S = 30
IN_FLIGHT = 64
"""Unconfirmed messages that the broker may send: eight gateways with a full window."""
RECONNECT_MAX_S = 5
WAIT_S = 0.5
MAX_PACKET_BYTES = MAX_PAYLOAD_BYTES + 65_536
HEAD_BYTES = 2_048
"""Room for topic and properties beside the body when the broker limits packets."""
TOO_LARGE_FOR_BROKER = Answer(
    503, "application/problem+json", b'{"title": "The answer is larger than the broker takes", "status": 503}'
)

MESSAGES = Counter("suyuan_uplink_messages", "MQTT requests of gateways", ["outcome"])

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where the broker is and who we are there. `tls`: None on loopback only."""

    host: str
    port: int
    user: str = ""
    password: str = ""
    tls: ssl.SSLContext | None = None
    client_id: str = ""


@dataclass(frozen=True, slots=True)
class _Came:
    """A message, and in which connection: packet ids mean nothing in another one."""

    message: paho.MQTTMessage
    gateway_id: str
    connection: int


class Consumer:
    """`run` until `stop` is set. Connects again by itself, for as long as it takes."""

    def __init__(
        self,
        address: BrokerAddress,
        dispatcher: Dispatcher,
        shard: Shard,
        revoked: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        """`revoked`: ids of the gateways that the broker must shut out."""
        self._address = address
        self._dispatcher = dispatcher
        self._shard = shard
        self._queue: queue.Queue[_Came] = queue.Queue(IN_FLIGHT)
        self._connection = 0
        self._max_packet = 0
        self._stop = threading.Event()
        self._client = self._make_client()
        self._barrier = Barrier(
            lambda: [gateway_id for gateway_id in revoked() if shard.holds(gateway_id)],
            lambda topic, payload: self._client.publish(topic, payload, qos=1),
        )

    def stop(self) -> None:
        """Let the request that is being answered finish, then return from `run`. Safe in a signal handler."""
        self._stop.set()

    def run(self) -> None:
        """Answer until `stop`."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = 0
        properties.ReceiveMaximum = IN_FLIGHT
        properties.MaximumPacketSize = MAX_PACKET_BYTES
        client = self._client
        client.connect_async(
            self._address.host, self._address.port, KEEPALIVE_S, clean_start=True, properties=properties
        )
        client.loop_start()
        try:
            while not self._stop.is_set():
                self._barrier.look(self._connection)
                try:
                    came = self._queue.get(timeout=WAIT_S)
                except queue.Empty:
                    continue
                self._serve(came)
        finally:
            client.disconnect()
            client.loop_stop()

    def _serve(self, came: _Came) -> None:
        """Supervises one request: a mistake of ours must not stop the others."""
        try:
            request = _request(came)
            if request is None:
                MESSAGES.labels("malformed").inc()
            else:
                answer = self._dispatcher.answer(request)
                MESSAGES.labels(str(answer.status)).inc()
                self._reply(request, answer)
        except Exception:
            MESSAGES.labels("failed").inc()
            log.exception("an uplink request broke", gateway=came.gateway_id)
        if came.connection == self._connection and came.message.qos > 0:
            self._client.ack(came.message.mid, came.message.qos)

    def _reply(self, request: Request, answer: Answer) -> None:
        """An answer that finds no connection is dropped: the gateway hears nothing and sends again."""
        if not self._client.is_connected():
            MESSAGES.labels("unanswered").inc()
            return
        if self._max_packet and len(answer.body) + HEAD_BYTES > self._max_packet:
            # Sent all the same it would cost every gateway this connection.
            log.error("answer above the broker's limit", path=request.path, bytes=len(answer.body))
            answer = TOO_LARGE_FOR_BROKER
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if request.token is not None:
            properties.CorrelationData = request.token
        properties.ContentType = answer.content_type
        properties.UserProperty = [(MQTT_STATUS, str(answer.status)), *answer.headers.items()]
        leaf = "ack" if request.method == "POST" else "down"
        self._client.publish(mqtt_topic(request.gateway_id, leaf), answer.body, qos=1, properties=properties)

    def _make_client(self) -> paho.Client:
        address = self._address
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=address.client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            manual_ack=True,
        )
        if address.user:
            client.username_pw_set(address.user, address.password or None)
        if address.tls is not None:
            client.tls_set_context(address.tls)
        client.reconnect_delay_set(1, RECONNECT_MAX_S)
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        return client

    def _on_connect(
        self, client: paho.Client, _data: object, _flags: object, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if reason.is_failure:
            log.error("the broker refused the connection", reason=str(reason))
            return
        self._connection += 1
        self._max_packet = int(getattr(properties, "MaximumPacketSize", 0))
        client.subscribe(EVERY_GATEWAY, qos=1)

    def _on_connect_fail(self, _client: paho.Client, _data: object) -> None:
        log.warning("the broker cannot be reached", host=self._address.host, port=self._address.port)

    def _on_subscribe(
        self, _client: paho.Client, _data: object, _mid: int, reasons: list[ReasonCode], _properties: object
    ) -> None:
        refused = [str(reason) for reason in reasons if reason.is_failure]
        if refused:
            log.error("the broker refused the topic", topic=EVERY_GATEWAY, reason=refused[0])
        else:
            log.info("listening to gateways", shard=f"{self._shard.number}/{self._shard.count}")

    def _on_disconnect(
        self, _client: paho.Client, _data: object, _flags: object, reason: ReasonCode, _properties: object
    ) -> None:
        log.info("disconnected from the broker", reason=str(reason))

    def _on_message(self, client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        gateway_id = gateway_of(message.topic)
        if gateway_id is None or not self._shard.holds(gateway_id):
            if message.qos > 0:
                client.ack(message.mid, message.qos)
            return
        came = _Came(message, gateway_id, self._connection)
        while not self._stop.is_set():
            try:
                self._queue.put(came, timeout=WAIT_S)
            except queue.Full:  # what an earlier connection left; TCP pushes back meanwhile
                continue
            return


def _request(came: _Came) -> Request | None:
    """None when it is no request: a property missing or given twice."""
    properties = came.message.properties
    pairs = list(getattr(properties, "UserProperty", []))
    named = dict(pairs)
    if len(named) != len(pairs) or MQTT_METHOD not in named or MQTT_PATH not in named:
        log.warning("no request", gateway=came.gateway_id)
        return None
    return Request(
        gateway_id=came.gateway_id,
        method=named[MQTT_METHOD],
        path=named[MQTT_PATH],
        headers=named,
        content_type=str(getattr(properties, "ContentType", "")),
        body=bytes(came.message.payload),
        token=getattr(properties, "CorrelationData", None),
    )
