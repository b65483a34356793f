"""A webhook's other end on loopback: keeps what it was sent, and answers as a test wants."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATIENCE_S = 60.0


@dataclass(slots=True)
class Receiver:
    """`answers` are used up one by one: a status, or what to do with the handler; then 204 for ever."""

    url: str = ""
    answers: list[int | Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    at_work: Callable[[], None] = lambda: None
    """Called while a delivery is open."""

    def documents(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.got]

    def serials(self) -> list[list[str]]:
        """Serial numbers, one list a delivery."""
        return [
            [event["epcList"][0].rpartition("/")[2] for event in results(document)["resultsBody"]["eventList"]]
            for document in self.documents()
        ]

    def wait_for(self, count: int) -> None:
        limit = time.monotonic() + PATIENCE_S
        while len(self.got) < count:
            assert time.monotonic() < limit, f"{len(self.got)} of {count} deliveries came"
            time.sleep(0.02)


def results(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["epcisBody"]["queryResults"]
    return found


@contextmanager
def receiving(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            receiver.at_work()
            answer = receiver.answers.pop(0) if receiver.answers else 204
            if callable(answer):
                answer(self)
                return
            self.send_response(answer)
            if answer == 307:
                self.send_header("Location", f"{receiver.url}/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing: pytest shows what matters."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A sender that leaves early is what some tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        # The handshake is made by the thread that answers.
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    receiver.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
