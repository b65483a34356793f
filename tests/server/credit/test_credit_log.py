"""The change log is gapless and in the order of commits, whoever writes at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.server.credit.make import Clock, checked_and_published, decision, first_version, paper, recorded, services_on
from trace_core.errors import Conflict, NotFound
from trace_server.credit import store
from trace_server.credit.model import STOPPED, Change, Circumstances, Op, ViolationRecord
from trace_server.credit.operations import correct, feed, records_of, repair, resume, suspend, withdraw
from trace_server.credit.steps import Paper
from trace_server.credit.upkeep import expire_due
from trace_server.db import Database, open_database
from trace_server.services import Services


def pulled(database: Database, after: int = 0, limit: int = 500) -> list[Change]:
    with database.read() as conn:
        found = feed(conn, after=after, limit=limit).changes
    return [change for change in found if isinstance(change, Change)]


class SlowWriter(threading.Thread):
    """Appends one change in its own transaction and holds the commit back until told."""

    def __init__(self, database: Database, number: str) -> None:
        super().__init__()
        self._database, self._number = database, number
        self.appended, self.may_commit = threading.Event(), threading.Event()
        self.seq = 0

    def run(self) -> None:
        record = first_version(self._number)
        with self._database.begin() as conn:
            assert store.insert_record(conn, self._database.dialect, record, "1")
            written = [store.Written(record, Op.UPSERT, (), "digest")]
            self.seq = store.append(conn, self._database.dialect, written)[0]
            self.appended.set()
            assert self.may_commit.wait(30)


def test_a_lower_number_that_commits_late_is_never_overtaken(database: Database) -> None:
    late, early = SlowWriter(database, "1号"), SlowWriter(database, "2号")
    late.start()
    assert late.appended.wait(30)
    early.may_commit.set()
    early.start()
    assert not early.appended.wait(0.5)
    assert pulled(database) == []
    late.may_commit.set()
    late.join(30)
    early.join(30)
    assert (late.seq, early.seq) == (1, 2)
    assert [change.seq for change in pulled(database)] == [1, 2]


def test_a_transaction_that_fails_leaves_no_gap(database: Database) -> None:
    services = services_on(database)
    recorded(services, CF_WSH="1号")
    record = first_version("2号")
    with pytest.raises(ZeroDivisionError), database.begin() as conn:
        store.insert_record(conn, database.dialect, record, "1")
        store.append(conn, database.dialect, [store.Written(record, Op.UPSERT, (), "digest")])
        raise ZeroDivisionError
    recorded(services, CF_WSH="3号")
    assert [change.seq for change in pulled(database)] == [1, 2]


def test_a_puller_sees_each_number_once_in_order_while_many_write(database: Database) -> None:
    services = services_on(database)
    writers, each = 4, 8
    seen: list[int] = []
    done = threading.Event()

    def write(writer: int) -> None:
        for number in range(each):
            recorded(services, CF_WSH=f"{writer}-{number}号")

    def pull() -> None:
        cursor = 0
        while not done.is_set() or len(seen) < writers * each:
            with database.read() as conn:
                page = feed(conn, after=cursor, limit=3)
            seen.extend(change.seq for change in page.changes)
            cursor = page.upto

    with ThreadPoolExecutor(writers + 1) as pool:
        puller = pool.submit(pull)
        for writer in [pool.submit(write, number) for number in range(writers)]:
            writer.result(60)
        done.set()
        puller.result(60)
    assert seen == list(range(1, writers * each + 1))


def test_the_same_decision_recorded_by_two_at_once_is_one_record(database: Database) -> None:
    services = services_on(database)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: recorded(services), range(4)))
    assert len({record.record_id for record in found}) == 1
    assert [change.seq for change in pulled(database)] == [1]


def test_two_steps_on_one_record_at_once_make_two_versions_or_one_refusal(database: Database) -> None:
    services = services_on(database)
    record = recorded(services)

    def take(step: Callable[[Services, str, Paper], ViolationRecord]) -> str:
        try:
            return step(services, record.record_id, paper()).state.value
        except Conflict:
            return "refused"

    with ThreadPoolExecutor(2) as pool:
        outcomes = sorted(pool.map(take, (withdraw, withdraw)))
    assert outcomes == ["refused", "withdrawn"]
    assert [change.record.version for change in pulled(database)] == [1, 2]


@pytest.fixture
def sqlite_template(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Callable[[], Database]]:
    """Makes fresh databases, one for each example of a property."""
    opened: list[Database] = []

    def fresh() -> Database:
        path = tmp_path / f"{len(opened)}.sqlite"
        path.write_bytes(migrated_sqlite.read_bytes())
        opened.append(open_database(f"sqlite:///{path}"))
        return opened[-1]

    yield fresh
    for database in opened:
        database.dispose()


STEPS = ("record", "publish", "correct", "repair", "withdraw", "suspend", "resume", "wait")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 2)), min_size=1, max_size=14))
def test_applying_all_changes_from_the_start_rebuilds_the_state_and_twice_changes_nothing(
    sqlite_template: Callable[[], Database], script: list[tuple[str, int]]
) -> None:
    database = sqlite_template()
    clock = Clock()
    play(services_on(database, clock), clock, script)
    changes = pulled(database)
    assert [change.seq for change in changes] == list(range(1, len(changes) + 1))
    copy: dict[str, Change] = {}
    for _ in range(2):
        for change in changes:
            apply(copy, change)
        with database.read() as conn:
            stored = {record.record_id: record for record in records_of(conn, "91320900MA1T000210")}
        assert {key: change.record for key, change in copy.items()} == {
            key: record for key, record in stored.items() if record.state not in STOPPED
        }


def apply(copy: dict[str, Change], change: Change) -> None:
    """What a consumer does; an older version never replaces a newer one, and what has stopped does not come back."""
    key = change.record.record_id
    known = copy.get(key)
    if change.stopped or change.op in (Op.REPAIR, Op.EXPIRE, Op.WITHDRAW):
        copy.pop(key, None)
    elif known is None or known.record.version < change.record.version:
        copy[key] = change


def play(services: Services, clock: Clock, script: list[tuple[str, int]]) -> None:
    """Take the steps that the state allows; a refusal leaves everything as it was."""
    amount = 1
    for step, index in script:
        number = f"{index}号"
        record_id = first_version(number).record_id
        amount += 1
        try:
            match step:
                case "record":
                    recorded(services, CF_WSH=number)
                case "publish":
                    checked_and_published(services, record_id)
                case "correct":
                    mended = decision(CF_WSH=number, CF_NR_FK=str(amount))
                    correct(services, record_id, mended, Circumstances("food"), paper())
                case "wait":
                    clock.now += timedelta(days=120)
                    expire_due(services)
                case _:
                    {"repair": repair, "withdraw": withdraw, "suspend": suspend, "resume": resume}[step](
                        services, record_id, paper()
                    )
        except (Conflict, NotFound):
            continue
