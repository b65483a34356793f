"""A simulated reader with a network port of its own: one client at a time, as such readers have it."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from trace_core.errors import TraceError

READ_BYTES = 4_096
WRITE_LIMIT_S = 5.0
"""A client that takes nothing for so long is given up."""


class PortError(TraceError):
    """The port cannot be listened on."""

    code = "port"


@runtime_checkable
class ConnectionAware(Protocol):
    """A device session that speaks first, keeps its state between connections, and ends them."""

    def attached(self, now: float) -> None:
        """A client has connected."""
        ...

    def detached(self) -> None:
        """The client is gone."""
        ...

    def turn_away(self, now: float) -> bytes:
        """What one client too many hears before its connection is closed."""
        ...

    def hangs_up(self) -> bool:
        """Whether the connection is to be closed now, after what was answered."""
        ...


class TcpEndpoint:
    """Listens on `host:port` (0: any free port). Bytes to nobody are gone, as on a pulled cable.

    Raises `PortError`.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self.turned_away = 0
        self._session: ConnectionAware | None = None
        self._clock: Callable[[], float] = time.time
        self._client: socket.socket | None = None
        self._listener = listen(host, port)
        self.host, self.port = host, int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        """What the gateway's configuration says."""
        return f"tcp://{self.host}:{self.port}"

    @property
    def is_connected(self) -> bool:
        return self._client is not None

    def serve(self, session: object, clock: Callable[[], float]) -> None:
        """Tell `session` of clients that come and go, if it wants to know; `clock` gives its time."""
        self._session = session if isinstance(session, ConnectionAware) else None
        self._clock = clock
        if self._session is not None:
            self._session.detached()

    def read(self, timeout_s: float) -> bytes:
        """At most one thing a call: a client comes, one goes, or its bytes."""
        client = self._client
        watch = select.poll()  # not select(2), which ends at 1,024 files
        for file in (self._listener, client):
            if file is not None:
                watch.register(file, select.POLLIN)
        ready = {descriptor for descriptor, _ in watch.poll(1000 * timeout_s)}
        if self._listener.fileno() in ready:
            self._accept()
            return b""
        if client is None or client.fileno() not in ready:
            return b""
        try:
            data = client.recv(READ_BYTES)
        except OSError:
            data = b""  # a reset is an end like any other
        if not data:
            self.drop()
        return data

    def write(self, data: bytes) -> None:
        if self._client is None:
            return
        try:
            self._client.sendall(data)
        except OSError:  # the client is gone or takes nothing
            self.drop()
            return
        if self._session is not None and self._session.hangs_up():
            self.drop()

    def drop(self) -> None:
        """Close the client's connection; a new client may come."""
        client, self._client = self._client, None
        if client is not None:
            client.close()
            if self._session is not None:
                self._session.detached()

    def close(self) -> None:
        self.drop()
        self._listener.close()

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        client.settimeout(WRITE_LIMIT_S)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._client is None:
            self._client = client
            if self._session is not None:
                self._session.attached(self._clock())
            return
        self.turned_away += 1
        try:
            if self._session is not None:
                client.sendall(self._session.turn_away(self._clock()))
        except OSError:  # it has gone already: nobody is left to be told
            return
        finally:
            client.close()


def listen(host: str, port: int) -> socket.socket:
    """Raises `PortError`."""
    try:
        return socket.create_server((host, port))
    except OSError as error:
        raise PortError(str(error), where=f"{host}:{port}", remedy="choose a free port") from error
