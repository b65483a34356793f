"""A TCP proxy that does to a connection what bad lines, half-open sockets and hotel networks do."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

PORTAL = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 33\r\n\r\n<html>Please log in first</html>\r\n"


@dataclass
class BadLine:
    """Forwards to `port`. Change `shape` at any time; it holds for what passes from then on.

    `clear` · `deaf` (up passes, replies vanish: one-way silence) · `dead` (nothing passes, nothing closes) ·
    `cut` (reset after 40 bytes of a reply) · `slow` (100 kbit/s) · `portal` (a log-in page for whatever comes) ·
    `closed` (connections are refused)
    """

    port: int
    shape: str = "clear"
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    connections: int = 0
    sockets: list[socket.socket] = field(default_factory=list)

    @property
    def own_port(self) -> int:
        return int(self.listener.getsockname()[1])

    def serve(self) -> None:
        """Until the listener is closed."""
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            if self.shape == "closed":
                _reset(near)
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self.port), timeout=5)
            except OSError:
                _reset(near)
                continue
            self.sockets += [near, far]
            for source, sink, is_reply in ((near, far, False), (far, near, True)):
                threading.Thread(target=self._pump, args=(source, sink), kwargs={"is_reply": is_reply}).start()

    def _pump(self, source: socket.socket, sink: socket.socket, *, is_reply: bool) -> None:
        with suppress(OSError):
            while data := source.recv(4_096):
                self._pass_on(data, source, sink, is_reply=is_reply)
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _pass_on(self, data: bytes, source: socket.socket, sink: socket.socket, *, is_reply: bool) -> None:
        match self.shape:
            case "dead":
                return
            case "deaf" if is_reply:
                return
            case "portal":
                if not is_reply:
                    source.sendall(PORTAL)
                return
            case "cut" if is_reply:
                sink.sendall(data[:40])
                _reset(sink)
                return
            case "slow":
                time.sleep(len(data) * 8 / 100_000)
        sink.sendall(data)


@contextmanager
def bad_line(port: int) -> Iterator[BadLine]:
    line = BadLine(port)
    thread = threading.Thread(target=line.serve)
    thread.start()
    try:
        yield line
    finally:
        line.listener.shutdown(socket.SHUT_RDWR)
        line.listener.close()
        thread.join(5)
        for one in line.sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


def _reset(connection: socket.socket) -> None:
    """RST instead of FIN."""
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
