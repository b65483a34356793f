"""A server as processes of its own, its senders, and the count of what its tables hold."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import select

from tests.fault.rows._base import Bench
from tests.server.callers import COMPANY
from tests.server.ingest.make import READ_POINT, batch, body, document, epc, item_uri, seen
from tests.services import Postgres, free_port, start_postgres
from trace_core.uplink import (
    CONTENT_TYPE,
    KEY_ID_HEADER,
    SIGNATURE_HEADER,
    ZERO_DIGEST,
    chain,
    encode_batch,
    encode_signature,
    key_id,
    signature_input,
)
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Role
from trace_server.db import Database, open_database
from trace_server.db.migrate import upgrade
from trace_server.ingest import tables

START_LIMIT_S = 60.0
ANSWER_LIMIT_S = 60.0
ENGINES = ("sqlite", "postgresql")


@dataclass(frozen=True, slots=True)
class Answer:
    """Status 0: the line broke before there was one."""

    status: int
    body: bytes
    seconds: float


class Served:
    """`trace-server run` on one port, to be killed and started again; `db` looks at its tables from outside."""

    def __init__(self, folder: Path, url: str, postgres: Postgres | None) -> None:
        os.environ["SUYUAN_ALLOW_UNSAFE_DATABASE"] = "1"
        self.folder, self.url, self.postgres = folder, url, postgres
        self.db: Database = open_database(url)
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        now = datetime.now(UTC)
        _, self.token = accounts.add_client(self.db, now, "test", name="erp", role=Role.PRODUCER, subject=COMPANY)

    def environment(self, **more: str) -> dict[str, str]:
        own = {
            "SUYUAN_DATABASE_URL": self.url,
            "SUYUAN_ALLOW_UNSAFE_DATABASE": "1",
            "SUYUAN_CODE_SECRET": "for tests only, long enough to be taken",
            "SUYUAN_PUBLIC_URL": f"http://127.0.0.1:{self._port}",
            "SUYUAN_LOG_LEVEL": "warning",
        }
        return os.environ | own | more

    def spawn(self, *words: str, **more: str) -> subprocess.Popen[bytes]:
        """`trace-server …` in a process group of its own."""
        with (self.folder / "server.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "trace_server", *words],
                env=self.environment(**more),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def start(self, **more: str) -> None:
        self._process = self.spawn("run", "--port", str(self._port), **more)
        limit = time.monotonic() + START_LIMIT_S
        while self.get("/readyz", limit_s=5).status != 200:
            if self._process.poll() is not None or time.monotonic() > limit:
                raise RuntimeError("the server did not start: " + (self.folder / "server.log").read_text()[-2000:])
            time.sleep(0.05)

    def kill(self) -> None:
        """All processes of the server at once, as a power cut ends them."""
        if self._process is not None:
            end(self._process)
            self._process = None

    def close(self) -> None:
        self.kill()
        self.db.dispose()

    def get(self, path: str, *, limit_s: float = ANSWER_LIMIT_S) -> Answer:
        return self._ask(urllib.request.Request(f"http://127.0.0.1:{self._port}{path}"), limit_s)

    def post(self, path: str, raw: bytes, headers: dict[str, str], *, limit_s: float = ANSWER_LIMIT_S) -> Answer:
        where = f"http://127.0.0.1:{self._port}{path}"
        return self._ask(urllib.request.Request(where, data=raw, headers=headers, method="POST"), limit_s)

    def capture(self, raw: bytes, *, later: bool = False, limit_s: float = ANSWER_LIMIT_S) -> Answer:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        return self.post(
            "/api/v1/capture", raw, headers | ({"Prefer": "respond-async"} if later else {}), limit_s=limit_s
        )

    def held(self) -> Counter[Any]:
        """Items by the number of events that saw them."""
        link, thing = tables.link, tables.object_
        wanted = select(thing.c.canonical_uri).join(link, link.c.object_key == thing.c.object_key)
        with self.db.read() as conn:
            return Counter(conn.execute(wanted).scalars())

    @staticmethod
    def _ask(request: urllib.request.Request, limit_s: float) -> Answer:
        began = time.monotonic()
        try:
            with urllib.request.urlopen(request, timeout=limit_s) as response:
                return Answer(response.status, response.read(), time.monotonic() - began)
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.read(), time.monotonic() - began)
        except OSError:  # refused, reset, or no answer in time
            return Answer(0, b"", time.monotonic() - began)


class Sender:
    """A gateway with a history: the next batch follows the one that was acknowledged."""

    def __init__(self, served: Served, name: str) -> None:
        self._served = served
        self._key = Ed25519PrivateKey.generate()
        raw = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self._key_id = key_id(raw)
        now = datetime.now(UTC)
        code = accounts.add_gateway(
            served.db, now, "test", gateway_id=name, site="North", read_points=(READ_POINT,), auto_approve=True
        )
        accounts.enrol(served.db, now, code=code, public_key=raw, software="t", hostname="t", address="192.0.2.1")
        self._digest, self._seq = ZERO_DIGEST, 1

    def next_batch(self, serials: list[str]) -> bytes:
        """The payload of the next batch: one event an item."""
        now = datetime.now(UTC)
        bodies = [body(sighting(serial)) for serial in serials]
        made = batch(*bodies, first_seq=self._seq, previous=self._digest, wall=now)
        self._seq, self._digest = self._seq + len(bodies), chain(self._digest, bodies)
        return encode_batch(made)

    def send(self, payload: bytes, *, limit_s: float = ANSWER_LIMIT_S) -> Answer:
        signature = encode_signature(self._key.sign(signature_input(payload)))
        headers = {KEY_ID_HEADER: self._key_id, SIGNATURE_HEADER: signature, "Content-Type": CONTENT_TYPE}
        return self._served.post("/api/v1/uplink", payload, headers, limit_s=limit_s)


def sighting(serial: str) -> dict[str, Any]:
    return seen(eventTime=datetime.now(UTC).isoformat(), epcList=[epc(serial)])


def sightings(serials: list[str]) -> bytes:
    """A document with one event an item."""
    return document(*(sighting(serial) for serial in serials))


def item(serial: str) -> str:
    """As the tables name it."""
    return item_uri(serial)


def end(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL for the process and its children."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    finally:
        process.wait(timeout=30)


def told(answer: Answer) -> Any:
    """The JSON of an answer."""
    return json.loads(answer.body)


@contextmanager
def served(bench: Bench, engine: str) -> Iterator[Served]:
    """A migrated database of its own; nothing runs on it yet."""
    if engine == "sqlite":
        path = bench.folder / "suyuan.sqlite"
        path.write_bytes(bench.template.read_bytes())
        one = Served(bench.folder, f"sqlite:///{path}", None)
        try:
            yield one
        finally:
            one.close()
        return
    # Not in the bench's folder: the account that PostgreSQL runs under may not be able to enter that.
    with tempfile.TemporaryDirectory(prefix="suyuan-postgres-") as folder, start_postgres(Path(folder)) as postgres:
        upgrade(postgres.url())
        one = Served(bench.folder, postgres.url(), postgres)
        try:
            yield one
        finally:
            one.close()
