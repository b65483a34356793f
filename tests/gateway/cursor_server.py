"""A server of the uplink contract on loopback: cursor rules in memory, plus answers it is told to play."""

from __future__ import annotations

import base64
import json
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.gateway.make import LIST_KEY, sealed
from trace_core.fleet import HEARTBEAT_PATH
from trace_core.uplink import (
    KEY_ID_HEADER,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    ZERO_DIGEST,
    Ack,
    Batch,
    chain,
    decode_batch,
    decode_signature,
    encode_ack,
    key_id,
    request_payload,
    signature_input,
)

Answer = Callable[["Handler"], None]
"""Plays one answer instead of the contract's."""


class CursorServer(ThreadingHTTPServer):
    """`events` is all it holds: (epoch, seq) → body, in order of arrival."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.script: deque[Answer] = deque()
        self.events: dict[tuple[str, int], bytes] = {}
        self.digests: dict[tuple[str, int], bytes] = {}
        self.cursors: dict[str, int] = {}
        self.batches: list[Batch] = []
        self.requests: list[tuple[float, str]] = []
        self.signatures_checked = 0
        self.public_keys: dict[str, bytes] = {}
        self.codes = {"code-1"}
        self.backed_up = True
        self.block_list: dict[str, Any] = {}
        self.retry_after_s = 0.0

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A killed gateway resets its connection; everything else is a fault of the test."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def restore_to(self, epoch: str, ack: int) -> None:
        """Forget what came after `ack`, as a server restored from its backup."""
        with self.lock:
            for key in [k for k in self.events if k[0] == epoch and k[1] > ack]:
                del self.events[key], self.digests[key]
            self.cursors[epoch] = ack

    def apply(self, batch: Batch) -> Ack | int:
        """The transaction of architecture §3.2: an acknowledgement, or the cursor for a 409."""
        with self.lock:
            self.batches.append(batch)
            cursor = self.cursors.get(batch.epoch, 0)
            if batch.first_seq > cursor + 1:
                return cursor
            digest = batch.previous_digest
            if digest != self.digests.get((batch.epoch, batch.first_seq - 1), ZERO_DIGEST):
                return cursor
            fresh = []
            for seq, body in enumerate(batch.events, batch.first_seq):
                digest = chain(digest, (body,))
                if seq <= cursor:
                    if self.digests[batch.epoch, seq] != digest:
                        return cursor
                    continue
                fresh.append(((batch.epoch, seq), body, digest))
            for key, body, row_digest in fresh:
                self.events[key], self.digests[key] = body, row_digest
            cursor = self.cursors[batch.epoch] = max(cursor, batch.last_seq)
        return Ack(
            epoch=batch.epoch,
            ack=cursor,
            backed_up_to=cursor if self.backed_up else 0,
            server_time=datetime.now(UTC),
            retry_after_s=self.retry_after_s,
            block_list_version=int(self.block_list.get("version", 0)),
        )


class Handler(BaseHTTPRequestHandler):
    server: CursorServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.requests.append((time.monotonic(), self.path))
        if self.path == "/api/v1/gateways/enrol":
            self._enrol()
        elif self.path == HEARTBEAT_PATH:
            self.server.requests.pop()  # beside the contract that is tested here
            self.reply(404)
        elif self.server.script:
            self.server.script.popleft()(self)
        else:
            contract(self)

    def do_GET(self) -> None:
        self.server.requests.append((time.monotonic(), self.path))
        if self.path == "/api/v1/gateways/block-list/key":
            self.reply(200, json.dumps({"public_key": base64.b64encode(LIST_KEY).decode()}).encode())
            return
        self._check_signature(request_payload("GET", self.path, self.headers[TIMESTAMP_HEADER]))
        found = self.server.block_list
        self.reply(200 if found else 404, sealed(json.dumps(found).encode()) if found else b"{}")

    def reply(self, status: int, body: bytes = b"{}", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""

    def _check_signature(self, payload: bytes) -> None:
        public_key = self.server.public_keys[self.headers[KEY_ID_HEADER]]
        signature = decode_signature(self.headers[SIGNATURE_HEADER])
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, signature_input(payload))
        self.server.signatures_checked += 1

    def _enrol(self) -> None:
        fields = json.loads(self.body)
        if fields["code"] not in self.server.codes:
            self.reply(403, b'{"title":"unknown or used code"}')
            return
        self.server.codes.remove(fields["code"])
        public_key = base64.b64decode(fields["public_key"])
        self.server.public_keys[key_id(public_key)] = public_key
        answer = {"gateway_id": "gate-1", "key_id": key_id(public_key), "state": "active"}
        self.reply(201, json.dumps({**answer, "server_time": datetime.now(UTC).isoformat()}).encode())


def contract(handler: Handler) -> None:
    """The right answer."""
    if handler.server.public_keys:
        handler._check_signature(handler.body)
    result = handler.server.apply(decode_batch(handler.body))
    if isinstance(result, Ack):
        handler.reply(200, encode_ack(result))
        return
    cursor = {"epoch": decode_batch(handler.body).epoch, "ack": result}
    handler.reply(409, json.dumps({"title": "gap", "cursor": cursor}).encode(), Content_Type="application/problem+json")


def status(code: int, body: bytes = b'{"title":"no"}', **headers: str) -> Answer:
    """A fixed answer."""
    return lambda handler: handler.reply(code, body, **headers)


def captive_portal(handler: Handler) -> None:
    handler.reply(200, b"<html>Please log in to the WiFi</html>", Content_Type="text/html")


def commit_then_cut(handler: Handler) -> None:
    """Take the batch, then break the connection in the middle of the reply."""
    result = handler.server.apply(decode_batch(handler.body))
    assert isinstance(result, Ack)
    reply = encode_ack(result)
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(reply)))
    handler.end_headers()
    handler.wfile.write(reply[:10])
    handler.close_connection = True


def slow(seconds: float) -> Answer:
    """Take the batch, and answer when the sender has long given up."""

    def play(handler: Handler) -> None:
        result = handler.server.apply(decode_batch(handler.body))
        assert isinstance(result, Ack)
        time.sleep(seconds)
        try:
            handler.reply(200, encode_ack(result))
        except OSError:
            handler.close_connection = True

    return play


@contextmanager
def cursor_server() -> Iterator[CursorServer]:
    server = CursorServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
