"""kill -9 of the server at every named point, under senders that send again until they are answered."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from functools import partial

from tests.fault.rows._base import Bench, Outcome, Row, judge
from tests.fault.rows._server import ENGINES, Sender, Served, end, item, served, sightings
from trace_server.config import Settings
from trace_server.db import open_database
from trace_server.db.migrate import state, upgrade
from trace_server.ingest import killpoints, later
from trace_server.jobs import runner
from trace_server.services import Services

REQUESTS = 12
SERIALS = 5
"""Events of each."""
WORKER_POINTS = ("job-claimed", killpoints.IN_INSERT, "job-worked")
DEATH_LIMIT_S = 60.0
STATEMENTS = 100
"""Among which the last one of a migration is drawn; a whole one has more."""
MIGRATION = """
import os, signal, sys
from itertools import count
from sqlalchemy import Engine, event
from trace_server.db.migrate import upgrade
statements = count(1)
@event.listens_for(Engine, "before_cursor_execute")
def die(*_):
    if next(statements) == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
upgrade(sys.argv[1])
"""


class Run:
    """What was emitted and acknowledged on one database."""

    def __init__(self, bench: Bench, place: Served) -> None:
        self._bench, self._place = bench, place
        self.emitted: list[str] = []
        self.acknowledged: list[str] = []
        self.complaints: list[str] = []
        self.kills = 0

    def serve(self, name: str, point: str) -> None:
        """Batches and documents by turns; the server dies at one of them and is started again."""
        place, dice = self._place, self._bench.dice
        sender = Sender(place, name)
        place.start(**{killpoints.VARIABLE: f"{point}:{dice.randint(1, REQUESTS - 2)}"})
        was_killed = False
        for number in range(REQUESTS):
            serials = self._emit()
            is_batch = number % 2 == 0
            payload = sender.next_batch(serials) if is_batch else sightings(serials)
            while (answer := sender.send(payload) if is_batch else place.capture(payload)).status == 0:
                if was_killed:
                    raise RuntimeError(f"{name}: the server broke the line again")
                was_killed = True
                place.kill()
                place.start()
            if answer.status in (200, 202):
                self.acknowledged += map(item, serials)
            else:
                self.complaints.append(f"{name} {number}: {answer.status} {answer.body[:200]!r}")
        place.kill()
        self._note(name, point, was_killed=was_killed)

    def work(self, name: str, point: str) -> None:
        """Documents that the server keeps and a worker reads; that dies, and the next one takes over its jobs."""
        place = self._place
        place.start()
        for _ in range(2):
            serials = self._emit()
            if place.capture(sightings(serials), later=True).status == 202:
                self.acknowledged += map(item, serials)
        place.kill()
        worker = place.spawn("worker", **{killpoints.VARIABLE: point})
        try:
            worker.wait(timeout=DEATH_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.complaints.append(f"{name}: the worker did not pass {point}")
        finally:
            end(worker)
        after = datetime.now(UTC) + timedelta(hours=1)  # the dead one's lease is over
        runner.run_due(Services(place.db, Settings(), lambda: after), runner.named(later.kinds))
        self._note(name, point, was_killed=worker.returncode == -9)

    def _emit(self) -> list[str]:
        serials = [str(len(self.emitted) + number) for number in range(1, SERIALS + 1)]
        self.emitted += map(item, serials)
        return serials

    def _note(self, name: str, point: str, *, was_killed: bool) -> None:
        self.kills += was_killed
        if not was_killed:
            self.complaints.append(f"{name}: nothing died at {point}")


def at_points(engine: str, bench: Bench) -> Outcome:
    with served(bench, engine) as place:
        run = Run(bench, place)
        for seed in range(bench.repeats(1, 25)):
            for point in _drawn(bench, killpoints.POINTS):
                run.serve(f"{seed}-{point}", point)
            for point in _drawn(bench, WORKER_POINTS):
                run.work(f"{seed}-worker-{point}", point)
        held = place.held()
    points = len(killpoints.POINTS) + len(WORKER_POINTS)
    return judge(
        run.kills,
        run.emitted,
        run.acknowledged,
        held,
        complaints=run.complaints,
        remark=f"of {points} points, {engine}",
    )


def _drawn(bench: Bench, points: tuple[str, ...]) -> tuple[str, ...]:
    """All of them in the long form, one in the short: `tests/server/ingest` plays each by a shorter way."""
    return points if bench.is_long else (bench.dice.choice(points),)


def in_migration(engine: str, bench: Bench) -> Outcome:
    """A migration that dies at any statement leaves the old schema, and the next one goes through."""
    complaints, kills = [], 0
    with served(bench, engine) as place:
        for number in range(bench.repeats(1, 25)):
            url = _empty(place, bench, f"m{number}")
            last = bench.dice.randint(2, STATEMENTS)
            dead = subprocess.run([sys.executable, "-c", MIGRATION, url, str(last)], check=False, timeout=120)
            kills += dead.returncode == -9
            database = open_database(url)
            try:
                if state(database).current:
                    complaints.append(f"killed at statement {last}: the schema is {state(database).current}")
                if not upgrade(url).is_current:
                    complaints.append(f"killed at statement {last}: the next migration did not finish")
            finally:
                database.dispose()
    if kills < bench.repeats(1, 25):
        complaints.append(f"only {kills} migrations died")
    return Outcome(kills, kills, complaints=tuple(complaints), remark=f"{engine}: schema empty after each")


def _empty(place: Served, bench: Bench, name: str) -> str:
    if place.postgres is None:
        return f"sqlite:///{bench.folder / name}.sqlite"
    with place.db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE template0")
    return place.postgres.url(name)


ROWS = tuple(
    row
    for engine in ENGINES
    for row in (
        Row(f"server-kill-{engine}", "server", "kill -9 at a named point", partial(at_points, engine)),
        Row(f"server-migration-{engine}", "server", "kill -9 inside a migration", partial(in_migration, engine)),
    )
)
