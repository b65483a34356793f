"""Gateways whose outbox and sender are the real ones, against the real server over HTTP or over MQTT."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from gateway_agent.blocklist import BlockListFile
from gateway_agent.clock import ClockJudge
from gateway_agent.config import ServerConfig
from gateway_agent.identity import Signer, make_or_load_key
from gateway_agent.links._base import Link
from gateway_agent.links.opening import open_link
from gateway_agent.outbox import Commit, Outbox
from gateway_agent.uplink import Sender
from tests.fault.event_body import READ_POINT, body
from tests.gateway.broker_process import BrokerProcess
from tests.gateway.make import BOOT, new_outbox
from tests.gateway.process import until
from tests.services import free_port
from trace_server.accounts import operations as accounts
from trace_server.db import Database, open_database
from trace_server.ingest import operations as ingest
from trace_server.ingest.model import GATEWAY

T = TypeVar("T")
WAYS = ("http", "mqtt")


@dataclass
class Gate:
    """One gateway. Everything is used from the test's thread."""

    id: str
    folder: Path
    outbox: Outbox
    signer: Signer
    link: Link
    sender: Sender
    emitted: list[int] = field(default_factory=list)

    def emit(self, numbers: Sequence[int], ballast: str = "") -> None:
        """One commit with an event for each number."""
        outbox = self.outbox
        bodies = [body(self.id, n, outbox.epoch, outbox.last_seq + i, ballast) for i, n in enumerate(numbers, 1)]
        outbox.commit(Commit(wall=datetime.now(UTC), boot_id=BOOT, bodies=bodies))
        self.emitted += numbers

    def drain(self, limit_s: float = 30.0) -> None:
        """Send until all is acknowledged; pauses are cut to a tenth of a second."""
        limit = time.monotonic() + limit_s
        while (pause_s := self.sender.step()) is not None:
            assert time.monotonic() < limit, f"not delivered: {self.sender.state}"
            time.sleep(min(pause_s, 0.1))
        assert self.outbox.acked == self.outbox.last_seq


@dataclass
class Premises:
    """A database, a web process and an MQTT process on it, a broker between. Parts may be killed and started."""

    folder: Path
    database_url: str
    broker: BrokerProcess
    db: Database
    port: int = field(default_factory=free_port)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    gates: list[Gate] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    """Settings of the server beside the usual ones."""

    def start(self, way: str, *words: str, kill_at: str = "") -> None:
        environment = {
            **os.environ,
            "SUYUAN_DATABASE_URL": self.database_url,
            "SUYUAN_ALLOW_UNSAFE_DATABASE": "1",
            "SUYUAN_CODE_SECRET": "for tests only, long enough to be taken",
            "SUYUAN_MQTT_URL": self.broker.url,
            "SUYUAN_MAX_BODY_BYTES": "65536",
            "SUYUAN_KILL_AT": kill_at,
            **self.environment,
        }
        command = ("run", "--port", str(self.port)) if way == "http" else ("uplink-mqtt",)
        said = self.log(way).count("listening to gateways")
        with (self.folder / f"{way}.log").open("ab") as log:
            self.processes[way] = subprocess.Popen(
                [sys.executable, "-m", "trace_server", *command, *words],
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

        def ready() -> bool:
            assert self.processes[way].poll() is None, self.log(way)
            if way == "mqtt":
                return self.log(way).count("listening to gateways") > said
            return self._answers()

        until(ready, f"the server listens over {way}", limit_s=40)

    def kill(self, way: str) -> None:
        """SIGKILL to the process and its children, which are a group of their own."""
        process = self.processes.pop(way)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)

    def log(self, way: str) -> str:
        path = self.folder / f"{way}.log"
        return path.read_text() if path.exists() else ""

    def open_gate(self, gateway_id: str, way: str, *, approve: bool = True, answer_limit_s: float = 2.0) -> Gate:
        """Enrol a gateway and give it an outbox and a sender."""
        folder = self.folder / gateway_id
        folder.mkdir()
        signer = make_or_load_key(folder)
        now = datetime.now(UTC)
        code = accounts.add_gateway(
            self.db, now, "test", gateway_id=gateway_id, site="Gate", read_points=(READ_POINT,), auto_approve=approve
        )
        accounts.enrol(
            self.db, now, code=code, public_key=signer.public_key, software="test", hostname="test", address="127.0.0.1"
        )
        return self.gate(gateway_id, way, folder, new_outbox(folder), signer, answer_limit_s=answer_limit_s)

    def gate(
        self,
        gateway_id: str,
        way: str,
        folder: Path,
        outbox: Outbox,
        signer: Signer,
        *,
        answer_limit_s: float = 2.0,
    ) -> Gate:
        """Another program on the box of an enrolled gateway."""
        url = f"http://127.0.0.1:{self.port}" if way == "http" else self.broker.url
        config = ServerConfig(url, "", timeout_s=4.0, first_connect_spread_s=0.0, slow_retry_s=0.05)
        link = open_link(config, gateway_id)
        link.answer_limit_s = answer_limit_s

        def call(run: Callable[[Outbox], T]) -> T:
            return run(outbox)

        sender = Sender(
            folder / "outbox.sqlite",
            call,
            link=link,
            signer=signer,
            config=config,
            judge=ClockJudge(lambda: True),
            block_list=BlockListFile(folder / "block_list.json"),
            boot_id="boot-a",
        )
        made = Gate(gateway_id, folder, outbox, signer, link, sender)
        self.gates.append(made)
        return made

    def held(self, gateway_id: str) -> Counter[int]:
        """Item number → how often the server holds it for this gateway, from the tables."""
        return Counter(
            int(json.loads(event.body)["epcList"][0].rpartition(".")[2])
            for event, _ in ingest.stream_events(self.db)
            if event.source == f"{GATEWAY}{gateway_id}"
        )

    def judge(self, *gates: Gate) -> None:
        """lost = duplicates = unexpected = 0."""
        for gateway_id in {gate.id for gate in gates}:
            emitted = Counter(number for gate in gates if gate.id == gateway_id for number in gate.emitted)
            held = self.held(gateway_id)
            lost, unexpected = emitted - held, held.keys() - emitted.keys()
            duplicates = {number: times for number, times in held.items() if times > 1}
            counts = {"lost": lost.total(), "duplicates": len(duplicates), "unexpected": len(unexpected)}
            assert counts == {"lost": 0, "duplicates": 0, "unexpected": 0}, (sorted(lost)[:9], list(duplicates)[:9])

    def _answers(self) -> bool:
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=2):
            return True
        return False


@contextmanager
def premises(folder: Path, database_url: str, broker: BrokerProcess) -> Iterator[Premises]:
    """Nothing of the server runs yet."""
    database = open_database(database_url)
    place = Premises(folder, database_url, broker, database)
    try:
        yield place
    finally:
        for gate in place.gates:
            gate.link.close()
            gate.outbox.close()
        for way in list(place.processes):
            place.kill(way)
        database.dispose()
