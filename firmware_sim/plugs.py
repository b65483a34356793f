"""The endpoints for one event loop over many readers: the same ports, but nothing here ever waits.

`filenos` are watched for reading; when one is ready, `take` says what came. `put` hands over as much as is taken.
"""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from firmware_sim.endpoints import MAX_PORT, MAX_QUEUED, READ_BYTES, EndpointError, PtyEndpoint
from firmware_sim.tcp import ConnectionAware, TcpEndpoint, listen
from trace_core.errors import ConfigError

RECONNECT_S = 1.0
MISC_S = 1.0
"""paho wants to look after its keepalives about so often."""
FLUSH_S = 2.0
REMEDY = "write pty, pty:/path/{id}, tcp://host:port, mqtt or mqtt://host:port/topic/{id}"


class Plug(Protocol):
    """One reader's port in an event loop."""

    overruns: int

    @property
    def where(self) -> str:
        """What the gateway opens."""
        ...

    @property
    def is_open(self) -> bool:
        """Whether bytes written now reach a cable."""
        ...

    def serve(self, session: object, clock: Callable[[], float]) -> None:
        """Tell `session` of connections, if it wants to know (`tcp.ConnectionAware`)."""
        ...

    def filenos(self) -> tuple[int, ...]: ...

    def take(self) -> bytes: ...

    def put(self, data: bytes) -> int:
        """How many bytes were taken; all or none of a message."""
        ...

    def look_after(self, now: float) -> None:
        """Called at every tick; `now` in monotonic seconds."""
        ...

    def host_baud(self) -> int: ...

    def unplug(self) -> None: ...

    def replug(self) -> None: ...

    def close(self) -> None: ...


class PtyPlug(PtyEndpoint):
    @property
    def where(self) -> str:
        return self.path

    @property
    def is_open(self) -> bool:
        return self._master >= 0

    def serve(self, session: object, clock: Callable[[], float]) -> None:
        """A serial line has no connections."""

    def filenos(self) -> tuple[int, ...]:
        return (self._master,) if self._master >= 0 else ()

    def take(self) -> bytes:
        try:
            return os.read(self._master, READ_BYTES) if self._master >= 0 else b""
        except BlockingIOError:
            return b""

    def put(self, data: bytes) -> int:
        try:
            return os.write(self._master, data) if self._master >= 0 else 0
        except BlockingIOError:
            return 0

    def look_after(self, now: float) -> None:
        """The kernel does."""


class TcpPlug(TcpEndpoint):
    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port)
        self.overruns = 0
        self._listener.setblocking(False)

    @property
    def where(self) -> str:
        return self.url

    @property
    def is_open(self) -> bool:
        return self.is_connected

    def filenos(self) -> tuple[int, ...]:
        files = (self._listener, self._client)
        return tuple(file.fileno() for file in files if file is not None and file.fileno() >= 0)

    def take(self) -> bytes:
        """A client that comes, and the bytes of the one that is there."""
        if self._listener.fileno() >= 0:
            with suppress(BlockingIOError):  # nobody new
                self._accept()
        client = self._client
        if client is None:
            return b""
        client.setblocking(False)
        try:
            data = client.recv(READ_BYTES)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""  # a reset is an end like any other
        if not data:
            self.drop()
        return data

    def put(self, data: bytes) -> int:
        if self._client is None:
            return 0
        try:
            return self._client.send(data)
        except BlockingIOError:
            return 0
        except OSError:
            self.drop()
            return 0

    def look_after(self, now: float) -> None:
        """Hang up where the device says so; called when everything it said is on its way."""
        del now
        if isinstance(self._session, ConnectionAware) and self._client is not None and self._session.hangs_up():
            self.drop()

    def host_baud(self) -> int:
        return 0

    def unplug(self) -> None:
        """Nobody listens any more: who comes is refused."""
        self.drop()
        self._listener.close()

    def replug(self) -> None:
        """On the same port. Raises `PortError` when somebody took it meanwhile."""
        if self._listener.fileno() >= 0:
            return
        self._listener = listen(self.host, self.port)
        self._listener.setblocking(False)


class MqttPlug:
    """A reader that publishes on `topic` at QoS 1 and takes commands on `topic`/control; its network in our loop."""

    def __init__(self, host: str, port: int, topic: str, client_id: str) -> None:
        """Raises `EndpointError`."""
        self.overruns = 0
        self._where, self._topic = f"mqtt://{host}:{port}/{topic}", topic
        self._commands: list[bytes] = []
        self._open = 0
        self._is_plugged = True
        self._looked_after = self._tried_at = 0.0
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv311)
        self._client.max_queued_messages_set(MAX_QUEUED)
        self._client.on_connect = lambda client, *_: client.subscribe(f"{topic}/control", qos=1)
        self._client.on_publish = self._on_publish
        self._client.on_message = lambda _client, _data, message: self._commands.append(bytes(message.payload))
        try:
            self._client.connect(host, port, keepalive=30)
        except OSError as error:
            remedy = "start the broker first, or write mqtt for one inside the process"
            raise EndpointError("no broker answers", where=f"{host}:{port}", remedy=remedy) from error

    @property
    def where(self) -> str:
        return self._where

    @property
    def is_open(self) -> bool:
        return self._is_plugged

    def serve(self, session: object, clock: Callable[[], float]) -> None:
        """The broker knows the connection, the device does not."""

    def filenos(self) -> tuple[int, ...]:
        connection = self._client.socket()
        return (connection.fileno(),) if connection is not None else ()

    def take(self) -> bytes:
        self._client.loop_read()
        return self._commands.pop(0) if self._commands else b""

    def put(self, data: bytes) -> int:
        if self._client.publish(self._topic, data, qos=1).rc == mqtt.MQTT_ERR_QUEUE_SIZE:
            self.overruns += 1
        else:
            self._open += 1
        return len(data)

    def look_after(self, now: float) -> None:
        if self._client.want_write():
            self._client.loop_write()
        if now - self._looked_after < MISC_S:
            return
        self._looked_after = now
        if self._client.socket() is not None:
            self._client.loop_misc()
        elif self._is_plugged and now - self._tried_at >= RECONNECT_S:
            self._tried_at = now
            try:
                self._client.reconnect()
            except OSError:  # the broker is still away: its messages wait here
                return

    def host_baud(self) -> int:
        return 0

    def unplug(self) -> None:
        """The connection breaks without a word: the broker finds out by itself."""
        self._is_plugged = False
        connection = self._client.socket()
        if isinstance(connection, socket.socket):
            connection.shutdown(socket.SHUT_RDWR)
            self._client.loop_read()

    def replug(self) -> None:
        self._is_plugged = True

    def close(self) -> None:
        """What was said is waited for, for a moment."""
        end = time.monotonic() + FLUSH_S
        while self._open and self.filenos() and time.monotonic() < end:
            watch = select.poll()  # paho's own loop uses select(2), which ends at 1,024 files
            watch.register(self.filenos()[0], select.POLLIN)
            watch.poll(50)
            self._client.loop_write()
            self._client.loop_read()
        self._client.disconnect()
        self._client.loop_write()

    def _on_publish(self, *_: object) -> None:
        self._open -= 1


def plug_for(url: str, name: str, broker: Callable[[], tuple[str, int]], *, baud: int = 0) -> Plug:
    """`url` of a scenario → its plug; `broker` gives the one inside the process, for `mqtt` without an address.

    `baud` is what a serial port is set to until a host sets it.

    Raises `ConfigError`, `EndpointError`, `PortError`.
    """
    kind, _, rest = url.partition(":")
    if kind == "pty":
        return PtyPlug(baud=baud or 115_200, link=Path(rest) if rest else None)
    if url == "mqtt":
        return MqttPlug(*broker(), f"readers/{name}", name)
    address, _, topic = rest.removeprefix("//").partition("/")
    host, _, port = address.partition(":")
    if kind == "tcp" and host and port.isdecimal() and int(port) <= MAX_PORT and not topic:
        return TcpPlug(host, int(port))
    if kind == "mqtt" and host and topic and (port or "1883").isdecimal() and int(port or 1883) <= MAX_PORT:
        return MqttPlug(host, int(port or 1883), topic, name)
    raise ConfigError(f"{url!r} is no endpoint", where="endpoint", remedy=REMEDY)
