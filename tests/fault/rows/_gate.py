"""A gate in the field: goods pass a simulated reader, the gateway is a process, the server is a process.

Goods leave only when their answer appeared, as at a real gate; an answer that appeared is an acknowledgement.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from firmware_sim.device import SimulatedReader
from firmware_sim.endpoints import PtyEndpoint
from tests.fault.rows._base import Outcome, judge
from tests.gateway.make import POINT, epc
from tests.gateway.process import GatewayProcess, ended, serial_reader, until
from tests.gateway.uplink_rig import Premises
from trace_core.readers._base import FieldTag
from trace_core.readers.magicrf import PROTOCOL as MAGICRF
from trace_server.accounts import operations as accounts
from trace_server.ingest import operations as ingest
from trace_server.ingest.model import GATEWAY

IN_FIELD = 3
WINDOW_S = 600.0
"""Longer than any run: a tag that stays is one presence."""
ANSWERS = "answers.jsonl"


@dataclass
class Gate:
    """Everything of one gateway; used from the test's thread."""

    id: str
    gateway: GatewayProcess
    place: Premises
    reader: SimulatedReader
    in_field: int = IN_FIELD
    placed: list[str] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    closed: bool = False
    _read_to: int = 0

    def work(self) -> None:
        """Let tags with an answer leave, and others take their place."""
        shown = set(self._new_answers())
        self.answered += shown
        for gone in {tag.epc.hex().upper() for tag in self.reader.tags()} & set(self.answered[-500:]):
            self.reader.remove(bytes.fromhex(gone))
        while not self.closed and len(self.reader.tags()) < self.in_field:
            tag = epc(len(self.placed) + 1)
            self.placed.append(tag.hex().upper())
            self.reader.place(FieldTag(tag))

    def work_for(self, seconds: float) -> None:
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            self.work()
            time.sleep(0.02)

    def work_until_dead(self) -> None:
        def dead() -> bool:
            self.work()
            return not self.gateway.running()

        until(dead, "the gateway reached the point and died", limit_s=60)

    def serve(self, limit_s: float) -> float:
        """Work until new goods were answered. Returns how long that took, in seconds; complains when it is too long."""
        begun, before = time.monotonic(), len(self.answered)
        while len(self.answered) == before:
            if time.monotonic() > begun + limit_s:
                self.complaints.append(f"no answer within {limit_s:.0f} s")
                break
            self.work()
            time.sleep(0.02)
        return time.monotonic() - begun

    def finish(self, runs: int, remark: str = "") -> Outcome:
        """No new goods; all that are there get their answer and everything reaches the server, or is lost."""
        self.closed = True
        if not self.gateway.running():
            self.gateway.start()
        limit = time.monotonic() + 60
        while (self.reader.tags() or len(self.held()) < len(self.placed)) and time.monotonic() < limit:
            self.work()
            time.sleep(0.05)
        if self.gateway.terminate() != 0:
            self.complaints.append("the gateway did not end well on SIGTERM")
        numbers = sorted(self._numbers())
        if numbers != list(range(1, len(numbers) + 1)):
            self.complaints.append("the sequence of the events has holes, or two epochs")
        return judge(runs, self.placed, self.answered, self.held(), complaints=self.complaints, remark=remark)

    def held(self) -> Counter[object]:
        """EPC → how often the server's tables hold it for this gateway."""
        told = self._fields()  # gap records and the like have no tag
        return Counter(fields["suyuan:rawEpc"] for fields in told if "suyuan:rawEpc" in fields)

    def _numbers(self) -> list[int]:
        return [int(str(fields["suyuan:seq"])) for fields in self._fields()]

    def _fields(self) -> list[dict[str, object]]:
        events = ingest.stream_events(self.place.db)
        return [json.loads(event.body) for event, _ in events if event.source == f"{GATEWAY}{self.id}"]

    def _new_answers(self) -> list[str]:
        path = self.gateway.folder / self.gateway.answers_file
        if not path.exists():
            return []
        with path.open("rb") as file:
            file.seek(self._read_to)
            whole = file.read().rpartition(b"\n")[0]
        self._read_to += len(whole) + 1 if whole else 0
        return [json.loads(line)["epc"] for line in whole.splitlines()]


@contextmanager
def gate(
    place: Premises,
    gateway_id: str,
    seed: int,
    *,
    gateway: str = "",
    prefix: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    answers_file: str = ANSWERS,
) -> Iterator[Gate]:
    """An enrolled gateway, not started; the server must be up over HTTP."""
    folder = place.folder / gateway_id
    folder.mkdir()
    endpoint = PtyEndpoint(link=folder / "port")
    with SimulatedReader(MAGICRF, MAGICRF.device({}), endpoint, seed=seed) as reader:
        process = GatewayProcess(
            folder,
            f"http://127.0.0.1:{place.port}",
            serial_reader(endpoint.path, WINDOW_S),
            gateway,
            answers_file,
            prefix,
            {"SUYUAN_SEED": os.environ.get("SUYUAN_SEED", "")} | dict(environment or {}),
        )
        with ended(process):
            process.enrol(code_for(place, gateway_id))
            yield Gate(gateway_id, process, place, reader)


def code_for(place: Premises, gateway_id: str) -> str:
    """A code to enrol by, of a gateway that needs no approval."""
    return accounts.add_gateway(
        place.db,
        datetime.now(UTC),
        "test",
        gateway_id=gateway_id,
        site="Gate",
        read_points=(POINT,),
        auto_approve=True,
    )


def outbox_path(one: Gate) -> Path:
    return one.gateway.state / "outbox.sqlite"
