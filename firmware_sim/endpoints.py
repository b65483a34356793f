"""Where a simulated reader is plugged in: a pseudo terminal, an MQTT broker or (`tcp.py`) a TCP port.

They move bytes, nothing else.
"""

from __future__ import annotations

import os
import queue
import select
import termios
import threading
import time
import tty
from pathlib import Path
from typing import Protocol

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from firmware_sim.tcp import TcpEndpoint
from trace_core.errors import ConfigError, TraceError

BITS_PER_BYTE = 10
"""Start bit, eight data bits, stop bit: 86.8 µs at 115,200 baud."""
PACED_BYTES = 16
"""Bytes handed over between two waits: the size of a UART's FIFO."""
READ_BYTES = 4_096
CONNECT_LIMIT_S = 10.0
MAX_QUEUED = 10_000
"""Payloads that a reader keeps while its broker is away; what comes then is lost and counted in `overruns`."""
MAX_PORT = 65_535
WILL_CONNECTED, WILL_LOST = b"connected", b"connection lost"
_SPEEDS = {getattr(termios, f"B{baud}"): baud for baud in (9_600, 19_200, 38_400, 57_600, 115_200, 230_400)}
_CODES = {baud: code for code, baud in _SPEEDS.items()}


class EndpointError(TraceError):
    """The port or the broker behind an endpoint is not there."""

    code = "endpoint"


class Endpoint(Protocol):
    """One end of a cable or of a topic."""

    def read(self, timeout_s: float) -> bytes:
        """What the host sent, or nothing after `timeout_s`. Raises `EndpointError`."""
        ...

    def write(self, data: bytes) -> None:
        """Send one frame or payload. Raises `EndpointError`."""
        ...

    def close(self) -> None: ...


class PtyEndpoint:
    """A serial port that the host opens under `path`, in raw mode, as slow as a real line of `baud`.

    `link` is a file name that always points to the port, as udev gives one; the name of the port itself changes
    with every `replug`. What the host does not take in time is lost and counted in `overruns`, as on a UART.
    """

    def __init__(self, *, baud: int = 115_200, link: Path | None = None) -> None:
        self.baud = baud
        self.overruns = 0
        self._link = link
        self._lock = threading.Lock()
        self._free_at = 0.0
        self._master = self._slave = -1
        self._path = ""
        self.replug()

    @property
    def path(self) -> str:
        """What the host opens."""
        return str(self._link) if self._link is not None else self._path

    def host_baud(self) -> int:
        """Line speed that the host set on its end; 0 when it is none of the usual ones, or nothing is plugged in."""
        with self._lock:
            if self._slave < 0:
                return 0
            return _SPEEDS.get(termios.tcgetattr(self._slave)[5], 0)

    def replug(self) -> None:
        """Plug in: a new port appears (behind the same link)."""
        with self._lock:
            if self._master >= 0:
                return
            self._master, self._slave = os.openpty()
            tty.setraw(self._slave)
            attributes = termios.tcgetattr(self._slave)
            attributes[4] = attributes[5] = _CODES.get(self.baud, termios.B115200)
            termios.tcsetattr(self._slave, termios.TCSANOW, attributes)
            os.set_blocking(self._master, False)
            self._path = os.ttyname(self._slave)
            if self._link is not None:
                self._link.unlink(missing_ok=True)
                self._link.symlink_to(self._path)

    def unplug(self) -> None:
        """Pull the cable: the host's reads fail from now on."""
        with self._lock:
            if self._master < 0:
                return
            if self._link is not None:
                self._link.unlink(missing_ok=True)
            os.close(self._slave)
            os.close(self._master)
            self._master = self._slave = -1

    def close(self) -> None:
        self.unplug()

    def read(self, timeout_s: float) -> bytes:
        # The lock is held while waiting: a port closed meanwhile could be another file by the time of the read.
        with self._lock:
            if self._master >= 0:
                watch = select.poll()  # not select(2), which ends at 1,024 files
                watch.register(self._master, select.POLLIN)
                return os.read(self._master, READ_BYTES) if watch.poll(1000 * timeout_s) else b""
        time.sleep(timeout_s)
        return b""

    def write(self, data: bytes) -> None:
        for start in range(0, len(data), PACED_BYTES):
            self._put(data[start : start + PACED_BYTES])

    def _put(self, piece: bytes) -> None:
        with self._lock:
            if self._master < 0:
                return  # bytes into a pulled cable are gone
            try:
                written = os.write(self._master, piece)
            except BlockingIOError:
                written = 0
            self.overruns += len(piece) - written
        now = time.monotonic()
        self._free_at = max(self._free_at, now) + len(piece) * BITS_PER_BYTE / self.baud
        time.sleep(max(0.0, self._free_at - now))


class MqttEndpoint:
    """A reader that publishes its payloads on `topic` at QoS 1, MQTT 3.1.1.

    On `will_topic` it says "connected", and the broker says "connection lost" for it; a clean end says "".
    Commands come in on `command_topic`.
    """

    def __init__(
        self,
        host: str,
        port: int,
        topic: str,
        client_id: str,
        *,
        will_topic: str | None = None,
        command_topic: str | None = None,
        queued: int = MAX_QUEUED,
    ) -> None:
        self.overruns = 0
        self._topic = topic
        self._where = f"{host}:{port}"
        self._will_topic = will_topic
        self._command_topic = command_topic
        self._commands: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._connected = threading.Event()
        self._acknowledged = threading.Condition()
        self._open = 0
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv311)
        if will_topic is not None:
            self._client.will_set(will_topic, WILL_LOST, qos=1)
        self._client.max_queued_messages_set(queued)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self._connected.set()
        self._client.on_publish = self._on_publish
        self._client.on_message = lambda _client, _data, message: self._commands.put(bytes(message.payload))
        try:
            self._client.connect(host, port, keepalive=30)
        except OSError as error:
            raise EndpointError("no broker answers", where=self._where, remedy="start the broker first") from error
        self._client.loop_start()
        if not self._connected.wait(CONNECT_LIMIT_S):
            self.close()
            raise EndpointError("the broker did not accept the reader", where=self._where)

    def read(self, timeout_s: float) -> bytes:
        try:
            return self._commands.get(timeout=timeout_s)
        except queue.Empty:
            return b""

    def write(self, data: bytes) -> None:
        self._publish(self._topic, data)

    def flush(self, timeout_s: float = 5.0) -> bool:
        """Wait until the broker has acknowledged every payload; whether it did."""
        with self._acknowledged:
            return self._acknowledged.wait_for(lambda: self._open == 0, timeout_s)

    def close(self) -> None:
        if self._will_topic is not None and self._client.is_connected():
            self._publish(self._will_topic, b"")
            self.flush(1.0)
        self._client.disconnect()
        self._client.loop_stop()

    def _publish(self, topic: str, data: bytes) -> None:
        with self._acknowledged:
            self._open += 1
        # Not under the lock: the client calls `_on_publish` while it holds the lock that `publish` waits for.
        if self._client.publish(topic, data, qos=1).rc == mqtt.MQTT_ERR_QUEUE_SIZE:
            self.overruns += 1
            with self._acknowledged:
                self._open -= 1

    def _on_connect(
        self, client: mqtt.Client, _data: object, _flags: object, reason: ReasonCode, _properties: object
    ) -> None:
        if reason.is_failure:
            return
        if self._will_topic is not None:
            self._publish(self._will_topic, WILL_CONNECTED)
        if self._command_topic is None:
            self._connected.set()
        else:  # ready when the broker has confirmed: a command before that would reach nobody
            client.subscribe(self._command_topic, qos=1)

    def _on_publish(
        self, _client: mqtt.Client, _data: object, _mid: int, _reason: ReasonCode, _properties: object
    ) -> None:
        with self._acknowledged:
            self._open -= 1
            self._acknowledged.notify_all()


def endpoint_for(url: str, name: str) -> Endpoint:
    """`pty`, `pty:/path/of/link`, `tcp://host:port` or `mqtt://host:port/topic` → endpoint.

    Raises `ConfigError`, `EndpointError`, `PortError`.
    """
    kind, _, rest = url.partition(":")
    if kind == "pty":
        return PtyEndpoint(link=Path(rest) if rest else None)
    address, _, topic = rest.removeprefix("//").partition("/")
    host, _, port = address.partition(":")
    if kind == "tcp" and host and port.isdecimal() and int(port) <= MAX_PORT and not topic:
        return TcpEndpoint(host, int(port))
    if kind != "mqtt" or not host or not topic or not (port or "1883").isdigit():
        remedy = "write pty, pty:/path/of/link, tcp://host:port or mqtt://host:port/topic"
        raise ConfigError(f"{url!r} is no endpoint", where="endpoint", remedy=remedy)
    return MqttEndpoint(host, int(port or 1883), topic, name)
