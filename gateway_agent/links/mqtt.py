"""Batches over MQTT 5: `gw/<id>/up` to the server, `gw/<id>/ack` and `gw/<id>/down` back, QoS 1.

A broker's PUBACK says that the broker has a message, not that anybody stored it: it frees the broker's in-flight slot
and settles nothing. Only the server's answer settles (matched by correlation data). No session is kept: whatever was
under way when a connection ended is sent again.
"""

from __future__ import annotations

import os
import queue
import secrets
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from gateway_agent.config import ServerConfig
from gateway_agent.links._base import Request
from gateway_agent.server_link import Reply
from trace_core.errors import Refused, Retryable
from trace_core.uplink import MQTT_METHOD, MQTT_PATH, MQTT_STATUS, mqtt_topic

KEEPALIVE_S = 30
MAX_REPLY_BYTES = 8_388_608
"""A block list may be long; the broker drops what is longer instead of sending it."""
HEAD_BYTES = 2_048
"""Room for topic and properties beside the payload when the broker limits packets."""
NOT_WANTED = frozenset({0x84, 0x85, 0x86, 0x87, 0x8A, 0x8C, 0x8F, 0x90})
"""Reason codes that stay as they are until a person changes something (MQTT 5 §2.4): version, client id, user or
password, not authorised, banned, authentication method, topic filter, topic name. The other codes ≥ 0x80 pass."""


@dataclass(frozen=True, slots=True)
class _Sent:
    """The broker has a message, or refuses to take it."""

    mid: int
    reason: ReasonCode


@dataclass(frozen=True, slots=True)
class _Down:
    """The connection ended."""

    why: str
    code: int = 0


_News = _Sent | _Down | tuple[bytes, Reply]


class MqttLink:
    """Batches and requests of one gateway through one broker."""

    window = 8

    def __init__(self, config: ServerConfig, gateway_id: str, *, name: str = "uplink") -> None:
        self._config = config
        self._gateway_id = gateway_id
        self._name = name
        self._connection: _Connection | None = None
        self.answer_limit_s = min(10.0, max(3.0, config.timeout_s))

    @property
    def url(self) -> str:
        return self._config.url

    def send(self, token: bytes, request: Request, after_send: Callable[[], None]) -> None:
        connection = self._open()
        try:
            connection.publish(token, "POST", request)
        except Retryable:
            self.close()
            raise
        after_send()

    def receive(self, timeout_s: float) -> tuple[bytes, Reply] | None:
        connection = self._connection
        if connection is None:
            raise Retryable("the connection to the broker is gone", where=self.url)
        try:
            return connection.receive(timeout_s)
        except (Retryable, Refused):
            self.close()
            raise

    def give_up(self) -> str:
        connection = self._connection
        if connection is not None and connection.unsent:
            self.close()
            return "the broker does not answer; connecting again"
        return "the broker took the batch, but no server answered: is `trace-server uplink-mqtt` running?"

    def get(self, path: str, headers: Mapping[str, str]) -> Reply:
        """Answers that come meanwhile for batches are kept for `receive`."""
        return self._ask("GET", Request(path, b"", headers))

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        return self._ask("POST", Request(path, body, headers))

    def _ask(self, method: str, request: Request) -> Reply:
        connection = self._open()
        token = secrets.token_bytes(8)
        try:
            connection.publish(token, method, request)
            return connection.wait_for(token, self.answer_limit_s)
        except (Retryable, Refused):
            self.close()
            raise

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _open(self) -> _Connection:
        if self._connection is None:
            connection = _Connection(self._config, self._gateway_id, self._name)
            try:
                connection.open()
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection


class _Connection:
    """One connection from CONNECT to its end; paho's thread writes `_news`, ours reads it."""

    def __init__(self, config: ServerConfig, gateway_id: str, name: str) -> None:
        self._config = config
        self._gateway_id = gateway_id
        self._where = config.url
        self._news: queue.SimpleQueue[_News] = queue.SimpleQueue()
        self._kept: list[tuple[bytes, Reply]] = []
        self._ready = threading.Event()
        self._down: _Down | None = None
        self._max_packet = 0
        self.unsent: dict[int, bytes] = {}
        """Packet id → token of what the broker has not confirmed."""
        self._client = self._make_client(f"suyuan-{gateway_id}-{name}")

    def open(self) -> None:
        """Connect and subscribe. Raises `Retryable` or `Refused`."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = 0
        properties.MaximumPacketSize = MAX_REPLY_BYTES
        try:
            self._client.connect(
                self._config.host, self._config.port, KEEPALIVE_S, clean_start=True, properties=properties
            )
        except ssl.SSLCertVerificationError as error:
            raise Retryable(
                f"the broker's certificate is not valid: {error.verify_message}",
                where=self._where,
                remedy="check the clock and [server] ca_file",
            ) from error
        except (OSError, ValueError) as error:
            raise Retryable(f"no connection to the broker: {error!r}", where=self._where) from error
        self._client.loop_start()
        if not self._ready.wait(self._config.timeout_s):
            raise Retryable(f"the broker did not answer within {self._config.timeout_s:g} s", where=self._where)
        if self._down is not None:
            raise self._error(self._down)

    def publish(self, token: bytes, method: str, request: Request) -> None:
        """Raises `Retryable` when the connection is gone. What is too large for the broker is answered with 413."""
        if self._max_packet and len(request.body) + HEAD_BYTES > self._max_packet:
            self._kept.append((token, Reply(413, {}, b'{"title": "larger than the broker takes"}')))
            return
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.CorrelationData = token
        headers = {name: value for name, value in request.headers.items() if name != "Content-Type"}
        if "Content-Type" in request.headers:
            properties.ContentType = request.headers["Content-Type"]
        properties.UserProperty = [(MQTT_METHOD, method), (MQTT_PATH, request.path), *headers.items()]
        info = self._client.publish(mqtt_topic(self._gateway_id, "up"), request.body, qos=1, properties=properties)
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            why = f"not handed to the broker: {paho.error_string(info.rc)}"
            raise self._error(self._down or _Down(why))
        self.unsent[info.mid] = token

    def receive(self, timeout_s: float) -> tuple[bytes, Reply] | None:
        """The next answer. Raises `Retryable` or `Refused` for what the broker did not take, or when it went."""
        if self._kept:
            return self._kept.pop(0)
        limit = time.monotonic() + timeout_s
        while True:
            try:
                news = self._news.get(timeout=max(0.0, limit - time.monotonic()))
            except queue.Empty:
                return None
            match news:
                case _Sent(mid, reason):
                    self.unsent.pop(mid, None)
                    if reason.is_failure:
                        raise self._error(_Down(f"the broker did not take the batch: {reason}", reason.value))
                case _Down():
                    raise self._error(news)
                case answer:
                    return answer

    def wait_for(self, token: bytes, timeout_s: float) -> Reply:
        """The answer to `token`; other answers stay for `receive`. Raises as `receive`, and `Retryable` when late."""
        limit = time.monotonic() + timeout_s
        others: list[tuple[bytes, Reply]] = []
        try:
            while (left_s := limit - time.monotonic()) > 0:
                answer = self.receive(left_s)
                if answer is not None and answer[0] == token:
                    return answer[1]
                if answer is not None:
                    others.append(answer)
        finally:
            self._kept = others + self._kept
        raise Retryable(f"no answer within {timeout_s:g} s", where=self._where)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _error(self, down: _Down) -> Retryable | Refused:
        if down.code in NOT_WANTED:
            return Refused(down.why, where=self._where, remedy="ask the operator of the broker")
        return Retryable(down.why, where=self._where)

    def _make_client(self, client_id: str) -> paho.Client:
        config = self._config
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,  # the sender decides when, and what has to be sent again
        )
        client.connect_timeout = config.timeout_s
        password = os.environ.get(config.password_env, "") if config.password_env else None
        client.username_pw_set(self._gateway_id, password)
        if config.url.startswith("mqtts:"):
            client.tls_set_context(config.tls_context())
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        return client

    def _on_connect(
        self, client: paho.Client, _data: object, _flags: object, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self._end(f"the broker refused the connection: {reason}", reason.value)
            return
        self._max_packet = int(getattr(properties, "MaximumPacketSize", 0))
        client.subscribe([(mqtt_topic(self._gateway_id, leaf), SubscribeOptions(qos=1)) for leaf in ("ack", "down")])

    def _on_subscribe(
        self, _client: paho.Client, _data: object, _mid: int, reasons: list[ReasonCode], _properties: object
    ) -> None:
        refused = [reason for reason in reasons if reason.is_failure]
        if refused:
            self._end(f"the broker refused our topics: {refused[0]}", refused[0].value)
        self._ready.set()

    def _on_disconnect(
        self, _client: paho.Client, _data: object, _flags: object, reason: ReasonCode, _properties: object
    ) -> None:
        self._end(f"the broker closed the connection: {reason}", reason.value)

    def _on_publish(
        self, _client: paho.Client, _data: object, mid: int, reason: ReasonCode, _properties: object
    ) -> None:
        # paho holds its lock here: only note it.
        self._news.put(_Sent(mid, reason))

    def _on_message(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        token = getattr(message.properties, "CorrelationData", None)
        headers = {str(k).lower(): str(v) for k, v in getattr(message.properties, "UserProperty", [])}
        status = headers.get(MQTT_STATUS, "")
        # Whatever else lies on the topic is no answer to anything we sent.
        if isinstance(token, bytes) and status.isdecimal() and 100 <= int(status) <= 599:
            self._news.put((token, Reply(int(status), headers, bytes(message.payload))))

    def _end(self, why: str, code: int) -> None:
        if self._down is None:
            self._down = _Down(why, code)
            self._news.put(self._down)
        self._ready.set()
