"""What the sender asks of a way to the server; the contract itself (`trace_core.uplink`) does not know the way.

A request is method, path, headers and body as over HTTP, an answer is status, headers and body. Batches are numbered
by the sender with a token of its own, because over some ways several may be under way at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from gateway_agent.server_link import Reply


@dataclass(frozen=True, slots=True)
class Request:
    """A signed request. `headers` as `trace_core.uplink` names them."""

    path: str
    body: bytes
    headers: Mapping[str, str]


class Link(Protocol):
    """One connection, opened when it is needed. Used by one thread.

    Every method may raise `Retryable` (nothing is known of what was under way) or `Refused` (the peer does not want
    us: asking again soon is of no use).
    """

    window: int
    """Batches that may be under way at once."""
    answer_limit_s: float
    """How long the server's answer to a batch may take before it is sent again."""

    def send(self, token: bytes, request: Request, after_send: Callable[[], None]) -> None:
        """Send a POST. `after_send` is called once it left."""

    def receive(self, timeout_s: float) -> tuple[bytes, Reply] | None:
        """An answer with the token of its request, or None when none came in time. Old tokens may appear."""

    def give_up(self) -> str:
        """The answer did not come. Returns what may be the cause; a connection that looks dead is closed."""

    def get(self, path: str, headers: Mapping[str, str]) -> Reply:
        """A request without a body, and its answer."""

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """A request that is no batch, and its answer."""

    def close(self) -> None:
        """Leave the connection; the next request opens another."""
