"""Batches over HTTP(S): one at a time, the answer is there when `send` returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gateway_agent.links._base import Request
from gateway_agent.server_link import Reply, ServerLink


class HttpLink:
    """The sender's view of a `ServerLink`."""

    window = 1

    def __init__(self, link: ServerLink) -> None:
        self._link = link
        self._answers: list[tuple[bytes, Reply]] = []
        self.answer_limit_s = link.timeout_s

    def send(self, token: bytes, request: Request, after_send: Callable[[], None]) -> None:
        """Raises `Retryable` when no whole answer came."""
        self._answers = [(token, self._link.post(request.path, request.body, request.headers, after_send))]

    def receive(self, timeout_s: float) -> tuple[bytes, Reply] | None:  # noqa: ARG002 - the answer is here or nowhere
        return self._answers.pop() if self._answers else None

    def give_up(self) -> str:
        return f"no answer from {self._link.url}"

    def get(self, path: str, headers: Mapping[str, str]) -> Reply:
        return self._link.get(path, headers)

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        return self._link.post(path, body, headers)

    def close(self) -> None:
        self._link.close()
