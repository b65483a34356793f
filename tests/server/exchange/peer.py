"""The other side of a webhook: keeps what arrives, applies it, and fails as a script says."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from trace_server.exchange import reconciling

REFUSE, LOSE, TAKE = "refuse", "lose", "take"


@dataclass
class Peer:
    """`script` decides about each delivery: refuse it with 500, take it and lose the receipt, or take it."""

    url: str = ""
    script: Any = field(default=lambda _item: TAKE)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    items: list[dict[str, Any]] = field(default_factory=list)
    """Those that were taken, in order."""
    held: dict[str, tuple[int, str]] = field(default_factory=dict)

    def take(self, item: dict[str, Any]) -> None:
        self.items.append(item)
        version, _ = self.held.get(item["record_id"], (0, ""))
        if item["version"] >= version:
            self.held[item["record_id"]] = (item["version"], item["ext"]["state"])

    @property
    def digest(self) -> str:
        return reconciling.digest_of((record, *mark) for record, mark in self.held.items())


def drawn(seed: int, *, refuse: float, lose: float) -> Any:
    draw = random.Random(seed)

    def decide(_item: dict[str, Any]) -> str:
        return draw.choices([REFUSE, LOSE, TAKE], [refuse, lose, 1 - refuse - lose])[0]

    return decide


@contextmanager
def listening() -> Iterator[Peer]:
    peer = Peer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 65536  # head and body in one packet: two would wait for each other

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            item = json.loads(body)
            peer.got.append((dict(self.headers.items()), body))
            act = peer.script(item)
            if act != REFUSE:
                peer.take(item)
            if act == LOSE:
                self.close_connection = True
                return
            said = b"" if act == REFUSE else f"taken {item['seq']}".encode()
            self.send_response(500 if act == REFUSE else 200)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            """Nothing: pytest shows what matters."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    peer.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield peer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
