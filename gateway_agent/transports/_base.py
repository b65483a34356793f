"""The contract of a transport: it moves bytes and knows no protocol."""

from __future__ import annotations

import select
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from trace_core.errors import TraceError

MAX_CHUNK_BYTES = 65_536
"""One read never hands over more, whatever the other end has waiting."""


class LinkDown(TraceError):
    """The port, cable or broker is not there (yet, or any more); open it again later."""

    code = "link-down"


@dataclass(frozen=True, slots=True)
class Delivery:
    """Bytes that arrived. `done` is called once everything in them is durable on this box (or None)."""

    data: bytes
    done: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True)
class MqttAddress:
    """Here, not beside its transport: only boxes with a broker pay for the client's 8 MB."""

    host: str
    port: int
    topic: str
    client_id: str
    protocol: int
    """5, or 4 for MQTT 3.1.1: the number in CONNECT."""
    tls: bool = False
    ca_file: str = ""
    user: str = ""
    password: str = ""


def wait_for(descriptor: int, event: int, timeout_s: float) -> bool:
    """Wait for `select.POLLIN` or `POLLOUT`; True also at a hang-up, which the read or write then tells.

    poll(2): select(2), which pyserial uses, ends at descriptor 1,023.
    """
    watch = select.poll()
    watch.register(descriptor, event)
    return bool(watch.poll(1000 * max(0.0, timeout_s)))


class Transport(Protocol):
    """One connection to a reader. All methods but `close` raise `LinkDown`."""

    def open(self) -> None: ...

    def read(self, timeout_s: float) -> Delivery | None:
        """Wait up to `timeout_s` for bytes; None when none came."""
        ...

    def write(self, data: bytes) -> None: ...

    def close(self) -> None:
        """Idempotent, never raises `LinkDown`."""
        ...


@runtime_checkable
class Tunable(Protocol):
    """A transport with settings of the line that can be tried in turn."""

    @property
    def alternatives(self) -> int: ...

    @property
    def setting(self) -> str:
        """The one in use, in words: "115200 baud"."""
        ...

    def turn(self) -> None:
        """Use the next one from the next `open` on."""
        ...
