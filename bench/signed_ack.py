"""A server of the uplink alone that keeps nothing: checks signature, shape and digest chain, answers with the cursor.

The least that any server must do, so that the gateway is the slower side. Used by `bench.gateway` as a process of its
own: `python -m bench.signed_ack PORT HEX_PUBLIC_KEY [BROKER_PORT]`.
"""

from __future__ import annotations

import socket
import sys
import threading
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway_agent.uplink import UPLINK_PATH
from trace_core.uplink import (
    MQTT_METHOD,
    MQTT_PATH,
    MQTT_STATUS,
    SIGNATURE_HEADER,
    Ack,
    decode_batch,
    decode_signature,
    encode_ack,
    mqtt_topic,
    signature_input,
)

GATEWAY_ID = "bench"


class Peer:
    """The cursor, whichever way a batch comes."""

    def __init__(self, public_key: bytes) -> None:
        self._key = Ed25519PublicKey.from_public_bytes(public_key)
        self._cursor = 0

    def answer(self, payload: bytes, signature: str) -> bytes:
        """Raises when the signature or the batch is wrong: the bench is then void."""
        self._key.verify(decode_signature(signature), signature_input(payload))
        batch = decode_batch(payload)
        if batch.first_seq > self._cursor + 1:
            raise SystemExit(f"a gap: {batch.first_seq} after {self._cursor}")
        self._cursor = max(self._cursor, batch.last_seq)
        return encode_ack(Ack(batch.epoch, self._cursor, 0, datetime.now(UTC)))


def serve_http(peer: Peer, port: int) -> None:
    """One connection after the other, HTTP/1.1 kept alive."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        while True:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with connection, connection.makefile("rb") as lines:
                while line := lines.readline():
                    headers: dict[str, str] = {}
                    while (header := lines.readline().strip()) != b"":
                        name, _, value = header.decode().partition(":")
                        headers[name.lower()] = value.strip()
                    body = lines.read(int(headers.get("content-length", "0")))
                    if line.startswith(f"POST {UPLINK_PATH} ".encode()):
                        answer = peer.answer(body, headers[SIGNATURE_HEADER.lower()])
                        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(answer), answer))
                    else:
                        connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}")


def serve_mqtt(peer: Peer, broker_port: int) -> None:
    """Answers on `ack`, to the right correlation data."""

    def on_message(client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        sent = dict(message.properties.UserProperty)  # type: ignore[union-attr]
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.CorrelationData = message.properties.CorrelationData  # type: ignore[union-attr]
        is_batch = (sent[MQTT_METHOD], sent[MQTT_PATH]) == ("POST", UPLINK_PATH)
        properties.UserProperty = [(MQTT_STATUS, "200" if is_batch else "404")]
        answer = peer.answer(bytes(message.payload), sent[SIGNATURE_HEADER]) if is_batch else b"{}"
        client.publish(mqtt_topic(GATEWAY_ID, "ack" if is_batch else "down"), answer, qos=1, properties=properties)

    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client.on_message = on_message
    client.connect("127.0.0.1", broker_port)
    client.subscribe(mqtt_topic(GATEWAY_ID, "up"), qos=1)
    client.loop_forever()


def main() -> None:
    port, public_key, *broker = sys.argv[1:]
    peer = Peer(bytes.fromhex(public_key))
    if broker:
        threading.Thread(target=serve_mqtt, args=(peer, int(broker[0])), daemon=True).start()
    serve_http(peer, int(port))


if __name__ == "__main__":
    main()
