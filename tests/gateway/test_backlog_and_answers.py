"""A backlog that goes out, a server that answers late, a cursor that moves back: the gate answers within 300 ms."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from firmware_sim.device import SimulatedReader
from firmware_sim.endpoints import PtyEndpoint
from gateway_agent.outbox import Commit
from tests.gateway.cursor_server import CursorServer, cursor_server, status
from tests.gateway.make import body, epc, new_outbox
from tests.gateway.process import GatewayProcess, ended, serial_reader, until
from trace_core.readers._base import FieldTag
from trace_core.readers.magicrf import PROTOCOL as MAGICRF

BACKLOG = 20_000
LIMIT_S = 0.3
INVENTORY_S = 0.1
"""A simulated module answers an inventory round at least this often; the tag is seen at the next one."""


@contextmanager
def gate_with_backlog(folder: Path) -> Iterator[tuple[GatewayProcess, CursorServer, SimulatedReader]]:
    endpoint = PtyEndpoint(link=folder / "port")
    with (
        cursor_server() as server,
        SimulatedReader(MAGICRF, MAGICRF.device({}), endpoint, seed=3) as reader,
        ended(GatewayProcess(folder, server.url, serial_reader(endpoint.path))) as gateway,
    ):
        gateway.enrol()
        with closing(new_outbox(gateway.state)) as outbox:
            for first in range(0, BACKLOG, 1_000):
                place = range(first, first + 1_000)
                bodies = [body(1_000_000 + n, outbox.epoch, outbox.last_seq + i) for i, n in enumerate(place, 1)]
                outbox.commit(Commit(wall=datetime.now(UTC), boot_id="boot-a", bodies=bodies))
        yield gateway, server, reader


def answer_times(
    gateway: GatewayProcess, reader: SimulatedReader, numbers: range, still: Callable[[], bool]
) -> list[float]:
    """Seconds from placing a tag to its line in the answers, one tag after the other, while `still()` holds."""
    waits = []
    for number in numbers:
        if not still():
            break
        tag = epc(number)
        placed = time.monotonic()
        reader.place(FieldTag(tag))
        limit = placed + 5
        while not any(line["epc"] == tag.hex().upper() for line in gateway.answers()[-3:]):
            assert time.monotonic() < limit, "no answer"
            time.sleep(0.002)
        waits.append(time.monotonic() - placed)
        reader.remove(tag)
    return waits


def test_twenty_thousand_unsent_events_do_not_delay_an_answer(tmp_path: Path) -> None:
    with gate_with_backlog(tmp_path) as (gateway, server, reader):
        server.retry_after_s = 0.05  # stretch the drain over the whole measurement
        server.script.extend([status(500), status(503, Retry_After="0")] * 3)
        gateway.start_and_wait()
        waits = answer_times(gateway, reader, range(1, 41), lambda: len(server.events) < BACKLOG)
        assert len(waits) >= 10
        ranked = sorted(waits)
        print(f"{len(waits)} answers: median {ranked[len(ranked) // 2]:.3f} s, slowest {ranked[-1]:.3f} s")  # noqa: T201
        assert ranked[len(ranked) // 2] < LIMIT_S
        assert ranked[len(ranked) * 9 // 10] < LIMIT_S + INVENTORY_S  # the rest belongs to a machine that tests share
        server.retry_after_s = 0.0
        until(lambda: len(server.events) >= BACKLOG + len(waits), "all was delivered", limit_s=40)
        assert gateway.terminate() == 0
        assert len(server.events) == BACKLOG + len(waits)
