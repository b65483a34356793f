"""Readers behind a serial-to-Ethernet converter or with a port of their own: `tcp://HOST:PORT`."""

from __future__ import annotations

import select
import socket
from dataclasses import dataclass

from gateway_agent.transports._base import MAX_CHUNK_BYTES, Delivery, LinkDown, wait_for

CONNECT_LIMIT_S = 1.5
"""Two tries of the kernel, at 0 and 1 s; then we try anew: a reader must be served 2 s after its return."""
UNSENT_LIMIT_MS = 4_000
"""Bytes that nobody confirms for so long end the connection. The kernel alone would wait a quarter of an hour, with
tries so far apart that a reader behind a mended cable is not found for minutes."""
KEEPALIVE = ((socket.TCP_KEEPIDLE, 4), (socket.TCP_KEEPINTVL, 2), (socket.TCP_KEEPCNT, 2))
"""A converter that lost power says nothing: after 8 s the kernel notices (the session's own silence sooner)."""


@dataclass(frozen=True, slots=True)
class TcpAddress:
    host: str
    port: int


class TcpTransport:
    """A byte stream over TCP."""

    def __init__(self, address: TcpAddress) -> None:
        self._address = address
        self._socket: socket.socket | None = None

    def open(self) -> None:
        try:
            connection = socket.create_connection((self._address.host, self._address.port), CONNECT_LIMIT_S)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNSENT_LIMIT_MS)
            for option, value in KEEPALIVE:
                connection.setsockopt(socket.IPPROTO_TCP, option, value)
        except OSError as error:
            raise LinkDown(str(error), where=self._name, remedy="switch the reader on or correct reader.url") from error
        self._socket = connection

    def read(self, timeout_s: float) -> Delivery | None:
        connection = self._opened()
        try:
            if not wait_for(connection.fileno(), select.POLLIN, timeout_s):
                return None
            data = connection.recv(MAX_CHUNK_BYTES)
        except OSError as error:
            raise LinkDown(str(error), where=self._name) from error
        if not data:
            raise LinkDown("the reader closed the connection", where=self._name)
        return Delivery(data)

    def write(self, data: bytes) -> None:
        try:
            self._opened().sendall(data)
        except OSError as error:
            raise LinkDown(str(error), where=self._name) from error

    def close(self) -> None:
        connection, self._socket = self._socket, None
        if connection is not None:
            connection.close()

    @property
    def _name(self) -> str:
        return f"tcp {self._address.host}:{self._address.port}"

    def _opened(self) -> socket.socket:
        if self._socket is None:
            raise LinkDown("the connection is not open", where=self._name)
        return self._socket
