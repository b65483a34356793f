"""Standing queries over WebSocket: bounded in number, ended when the process ends.

A socket keeps no place: what is missed while it is away is asked for again with initialRecordTime. Who must not miss
anything takes a webhook.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

from prometheus_client import Gauge
from simple_websocket import ConnectionClosed, Server

from trace_server.epcis_xml.spelling import EpcFormat
from trace_server.ingest.model import Position
from trace_server.ingest.representation import query_json
from trace_server.query.model import NamedQuery
from trace_server.services import Services
from trace_server.subscriptions import operations
from trace_server.subscriptions.schedule import Schedule

TICK_S: Final = 0.5
PING_S: Final = 25.0
SEND_S: Final = 10
"""A client that takes nothing for so long is gone."""
PER_BATCH: Final = 100
MAX_MESSAGE: Final = 1024
GOING_AWAY: Final = 1001
NOT_ACCEPTED: Final = 1003

OPEN = Gauge("suyuan_websockets", "Standing queries over WebSocket", multiprocess_mode="livesum")


@dataclass(frozen=True, slots=True)
class Watch:
    """What one socket reports, and when: as events come, or by a schedule."""

    named: NamedQuery
    schedule: Schedule | None
    report_if_empty: bool
    initial: datetime | None
    epc_format: EpcFormat


@dataclass(slots=True)
class Sockets:
    """Those of this process. Each takes one of its threads: half of them is for requests."""

    is_serving: Callable[[], bool] = lambda: True
    """False once the process shall end; set by the web server's hook."""
    _open: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def one_more(self, most: int) -> Iterator[bool]:
        """Whether there is room for one more of `most`; it is taken until the block ends."""
        with self._lock:
            has_room = self._open < most
            self._open += has_room
        OPEN.set(self._open)
        try:
            yield has_room
        finally:
            with self._lock:
                self._open -= has_room
            OPEN.set(self._open)


SOCKETS: Final = Sockets()


class Talk(Protocol):
    """An open WebSocket."""

    def send(self, data: str) -> None: ...
    def receive(self, timeout: float | None = None) -> object: ...
    def close(self, reason: int | None = None, message: str | None = None) -> None: ...


class _WholeSends:
    """The socket, with `send` as the library means it: all of the bytes, from one thread at a time, or an error."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._lock = threading.Lock()
        sock.settimeout(None)
        # Not Python's timeout: that one would also end the wait for the client's next word.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", SEND_S, 0))

    def send(self, data: bytes) -> int:
        with self._lock:
            self._sock.sendall(data)
        return len(data)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 – whatever else a socket has
        return getattr(self._sock, name)


def accept(environ: dict[str, Any]) -> Talk:
    """Answer the handshake. Raises `RuntimeError` where the web server shows no socket."""
    sock = environ.get("gunicorn.socket")
    if sock is not None:
        environ = {**environ, "gunicorn.socket": _WholeSends(sock)}
    talk: Talk = Server.accept(environ, ping_interval=PING_S, max_message_size=MAX_MESSAGE)
    return talk


def report(talk: Talk, services: Services, watch: Watch, is_serving: Callable[[], bool]) -> None:
    """Send what matches until the client leaves or the process shall end."""
    try:
        _report(talk, services, watch, is_serving)
    except (ConnectionClosed, OSError):
        return  # the client has left


def _report(talk: Talk, services: Services, watch: Watch, is_serving: Callable[[], bool]) -> None:
    with services.db.read() as conn:
        place = operations.start(conn, watch.initial)
    due = watch.schedule.next_after(services.clock()) if watch.schedule else None
    while is_serving():
        if talk.receive(timeout=TICK_S) is not None:
            talk.close(NOT_ACCEPTED, "this socket takes no messages")
            return
        if due is not None and services.clock() < due:
            continue
        place = _catch_up(talk, services, watch, place, is_serving)
        due = watch.schedule.next_after(services.clock()) if watch.schedule else None
    talk.close(GOING_AWAY, "the server stops; connect again")


def _catch_up(
    talk: Talk, services: Services, watch: Watch, place: Position, is_serving: Callable[[], bool]
) -> Position:
    was_sent = False
    while True:
        batch = operations.look(
            services.db, place, watch.named.parameters, watch.named.context, watch.initial, PER_BATCH
        )
        if batch.events or (batch.is_last and watch.report_if_empty and watch.schedule and not was_sent):
            body = query_json(batch.events, services.clock(), watch.epc_format, query=watch.named.name)
            talk.send(body.decode())
            was_sent = True
        place = batch.after
        if batch.is_last or not is_serving():
            return place
