"""The database goes away, kills connections, deadlocks and makes us wait; 50 senders bring one batch; five times too
much comes at once.
"""

from __future__ import annotations

import json
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import partial

from sqlalchemy import Connection, create_engine

from tests.fault.rows._base import Bench, Outcome, Row, judge
from tests.fault.rows._server import ENGINES, Answer, Sender, Served, item, served, sightings, told

PATIENCE_S = 1.5
"""`busy_timeout_s` of the server under test."""
REFUSAL_LIMIT_S = 2.0
RECOVERY_LIMIT_S = 10.0
SERIALS = 5
THREADS = 50
SENDERS = 40
"""Five for each of the server's eight threads."""
LARGE = 100
"""Events of a document under overload."""

Fault = Callable[[Served], AbstractContextManager[None]]


@contextmanager
def _admin(place: Served) -> Iterator[Connection]:
    assert place.postgres is not None
    engine = create_engine(place.postgres.url("template1"), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as conn:
            yield conn
    finally:
        engine.dispose()


def _disconnect(conn: Connection) -> None:
    conn.exec_driver_sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = 'postgres' AND application_name = 'suyuan'"
    )


@contextmanager
def away(place: Served) -> Iterator[None]:
    """PostgreSQL drops all connections and takes no new one."""
    with _admin(place) as conn:
        conn.exec_driver_sql("ALTER DATABASE postgres ALLOW_CONNECTIONS false")
        _disconnect(conn)
        try:
            yield
        finally:
            conn.exec_driver_sql("ALTER DATABASE postgres ALLOW_CONNECTIONS true")


@contextmanager
def cut(place: Served) -> Iterator[None]:
    """Connections die again and again, also those inside a transaction."""
    stopping = threading.Event()

    def cutting() -> None:
        with _admin(place) as conn:
            while not stopping.wait(0.003):
                _disconnect(conn)

    thread = threading.Thread(target=cutting)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


@contextmanager
def locked(place: Served) -> Iterator[None]:
    """Another writer holds what we need for longer than we wait."""
    with place.db.begin() as conn:  # on SQLite that is the lock already
        if place.postgres is not None:
            conn.exec_driver_sql("LOCK TABLE event IN EXCLUSIVE MODE")
        yield


@contextmanager
def deadlocked(place: Served) -> Iterator[None]:
    """Another writer takes our locks the other way round, and is more patient than we are."""
    done = threading.Event()

    def rival() -> None:
        with place.db.begin() as conn:
            conn.exec_driver_sql("SET LOCAL deadlock_timeout = '20s'")
            conn.exec_driver_sql("SET LOCAL lock_timeout = '20s'")
            conn.exec_driver_sql("LOCK TABLE event IN EXCLUSIVE MODE")
            ready.set()
            while not done.is_set() and not _waits(place):
                time.sleep(0.02)
            conn.exec_driver_sql("LOCK TABLE object IN ACCESS EXCLUSIVE MODE")
            done.wait(20)

    ready = threading.Event()
    thread = threading.Thread(target=rival)
    thread.start()
    ready.wait(20)
    try:
        yield
    finally:
        done.set()
        thread.join()


def _waits(place: Served) -> bool:
    """Whether a transaction of the server waits for a lock."""
    with _admin(place) as conn:
        found = conn.exec_driver_sql("SELECT count(*) FROM pg_locks WHERE NOT granted").scalar_one()
        return bool(found)


FAULTS: dict[str, tuple[Fault, ...]] = {"sqlite": (locked,), "postgresql": (away, cut, locked, deadlocked)}


class Trouble:
    """Documents sent into faults, and again after them."""

    def __init__(self, place: Served, *, is_strict: bool) -> None:
        self._place, self._is_strict = place, is_strict
        self.emitted: list[str] = []
        self.acknowledged: list[str] = []
        self.complaints: list[str] = []
        self.refused: list[float] = []
        self.recovered: list[float] = []

    def send_into(self, fault: Fault) -> None:
        serials = [str(len(self.emitted) + number) for number in range(1, SERIALS + 1)]
        self.emitted += map(item, serials)
        document = sightings(serials)
        with fault(self._place):
            self._refusal(fault.__name__, self._place.capture(document))
        held = self._place.held()
        if sum(held[item(serial)] for serial in serials) not in (0, SERIALS):
            self.complaints.append(f"{fault.__name__}: a part of a document was written")
        began = time.monotonic()
        while (answer := self._place.capture(document)).status == 503:
            if time.monotonic() - began > 6 * RECOVERY_LIMIT_S:
                break
            time.sleep(0.1)
        self.recovered.append(time.monotonic() - began)
        if answer.status == 202:
            self.acknowledged += map(item, serials)
        else:
            self.complaints.append(f"{fault.__name__}: afterwards {answer.status} {answer.body[:200]!r}")
        if self._is_strict and self.recovered[-1] > RECOVERY_LIMIT_S:
            self.complaints.append(f"{fault.__name__}: recovered after {self.recovered[-1]:.1f} s")

    def _refusal(self, name: str, answer: Answer) -> None:
        if answer.status == 202 and name == cut.__name__:
            return  # it slipped through between two cuts
        if answer.status != 503:
            self.complaints.append(f"{name}: {answer.status} {answer.body[:200]!r}")
        self.refused.append(answer.seconds)
        if self._is_strict and answer.seconds > REFUSAL_LIMIT_S:
            self.complaints.append(f"{name}: refused after {answer.seconds:.1f} s")


def in_trouble(engine: str, bench: Bench) -> Outcome:
    """The short form shares its two cores with other tests, so that only the long one holds us to seconds."""
    with served(bench, engine) as place:
        place.start(SUYUAN_BUSY_TIMEOUT_S=str(PATIENCE_S))
        trouble = Trouble(place, is_strict=bench.is_long)
        for _ in range(bench.repeats(1, 50)):
            for fault in FAULTS[engine]:
                trouble.send_into(fault)
        place.kill()
        held = place.held()
    runs = len(trouble.recovered)
    worst = (max(trouble.refused, default=0.0), max(trouble.recovered))
    remark = f"{engine}: refused within {worst[0]:.2f} s, good again {worst[1]:.2f} s after"
    return judge(runs, trouble.emitted, trouble.acknowledged, held, complaints=trouble.complaints, remark=remark)


def at_once(engine: str, bench: Bench) -> Outcome:
    """Every one of 50 threads sends the same batch."""
    complaints: list[str] = []
    emitted: list[str] = []
    with served(bench, engine) as place, ThreadPoolExecutor(THREADS) as pool:
        place.start()
        sender = Sender(place, "gate-1")
        for number in range(bench.repeats(3, 200)):
            serials = [str(number * SERIALS + one) for one in range(1, SERIALS + 1)]
            emitted += map(item, serials)
            payload = sender.next_batch(serials)
            answers = Counter(pool.map(lambda _, p=payload: _essence(sender, p), range(THREADS)))
            if len(answers) != 1 or next(iter(answers))[0] != 200:
                complaints.append(f"batch {number}: {answers}"[:500])
        place.kill()
        held = place.held()
    runs = len(emitted) // SERIALS * THREADS
    return judge(runs, emitted, emitted, held, complaints=complaints, remark=f"{engine}: {THREADS} threads a batch")


def _essence(sender: Sender, payload: bytes) -> tuple[int, str]:
    """The acknowledgement without the time it was given at; one who is sent away comes again."""
    while (answer := sender.send(payload)).status == 503:
        time.sleep(0.1)
    said = told(answer) if answer.status == 200 else {}
    return answer.status, json.dumps({name: value for name, value in said.items() if name != "server_time"})


def overload(engine: str, bench: Bench) -> Outcome:
    """Five times as many senders as the server has threads, each without a pause; a reader asks for a code page."""
    emitted: list[str] = []
    acknowledged: list[str] = []
    statuses: Counter[int] = Counter()
    with served(bench, engine) as place:
        place.start()
        until = time.monotonic() + bench.repeats(3, 600)
        guard = threading.Lock()

        def send() -> None:
            while time.monotonic() < until:
                with guard:
                    serials = [str(len(emitted) + one) for one in range(1, LARGE + 1)]
                    emitted.extend(map(item, serials))
                answer = place.capture(sightings(serials))
                with guard:
                    statuses[answer.status] += 1
                    if answer.status == 202:
                        acknowledged.extend(map(item, serials))
                if answer.status == 503:
                    time.sleep(0.2)  # sooner than it was told to

        pages = []
        with ThreadPoolExecutor(SENDERS) as pool:
            for _ in range(SENDERS):
                pool.submit(send)
            while time.monotonic() < until:
                pages.append(place.get("/01/06901234567892"))
                time.sleep(0.1)
        place.kill()
        held = place.held()
    complaints = [f"{count} answers {status}" for status, count in statuses.items() if status not in (202, 429, 503)]
    complaints += [f"a code page was {page.status}" for page in pages if page.status not in (200, 404)][:3]
    waits = statistics.quantiles([page.seconds for page in pages], n=20) if len(pages) > 1 else [0.0]
    remark = f"{engine}: {dict(statuses)}, code page p95 {waits[-1]:.2f} s over {len(pages)}"
    sent = Counter(acknowledged) | (Counter(emitted) & held)  # what was shed need not be there
    return judge(statuses.total(), sent.elements(), acknowledged, held, complaints=complaints, remark=remark)


ROWS = tuple(
    row
    for engine in ENGINES
    for row in (
        Row(f"server-database-{engine}", "server", "database away, cut, locked, deadlock", partial(in_trouble, engine)),
        Row(f"server-at-once-{engine}", "server", "50 senders of one batch", partial(at_once, engine)),
        Row(f"server-overload-{engine}", "server", "overload x5", partial(overload, engine)),
    )
)
