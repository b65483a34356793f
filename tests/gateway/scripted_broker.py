"""A broker of a few packets (MQTT 5) that answers with the reason codes it is told; one connection at a time."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

CONNECT, PUBLISH, SUBSCRIBE, PINGREQ = 1, 3, 8, 12


@dataclass
class ScriptedBroker:
    """Codes of CONNACK, SUBACK, PUBACK; `disconnect`: sent instead of a PUBACK. `max_packet`: announced limit."""

    connack: int = 0
    suback: int = 1
    puback: int = 0
    disconnect: int = 0
    max_packet: int = 0
    received: list[int] = field(default_factory=list)
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.listener.getsockname()[1]}"

    def serve(self) -> None:
        """Until the listener is closed."""
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection, suppress(OSError, EOFError):
                while self._answer(connection):
                    pass

    def _answer(self, connection: socket.socket) -> bool:
        first = _exactly(connection, 1)[0]
        length, shift = 0, 0
        while True:
            byte = _exactly(connection, 1)[0]
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        body = _exactly(connection, length)
        kind = first >> 4
        self.received.append(kind)
        if kind == CONNECT:
            limit = b"\x27" + self.max_packet.to_bytes(4, "big") if self.max_packet else b""
            connection.sendall(bytes([0x20, 3 + len(limit), 0, self.connack, len(limit)]) + limit)
            return self.connack < 0x80
        if kind == SUBSCRIBE:
            connection.sendall(bytes([0x90, 5]) + body[:2] + bytes([0, self.suback, self.suback]))
        elif kind == PUBLISH and self.disconnect:
            connection.sendall(bytes([0xE0, 2, self.disconnect, 0]))
            return False
        elif kind == PUBLISH:
            topic = int.from_bytes(body[:2], "big")
            connection.sendall(bytes([0x40, 4]) + body[2 + topic : 4 + topic] + bytes([self.puback, 0]))
        elif kind == PINGREQ:
            connection.sendall(b"\xd0\x00")
        return True


@contextmanager
def scripted_broker(**codes: int) -> Iterator[ScriptedBroker]:
    broker = ScriptedBroker(**codes)  # type: ignore[arg-type]
    thread = threading.Thread(target=broker.serve, daemon=True)
    thread.start()
    try:
        yield broker
    finally:
        broker.listener.shutdown(socket.SHUT_RDWR)
        broker.listener.close()
        thread.join(5)


def _exactly(connection: socket.socket, count: int) -> bytes:
    parts = b""
    while len(parts) < count:
        part = connection.recv(count - len(parts))
        if not part:
            raise EOFError
        parts += part
    return parts
