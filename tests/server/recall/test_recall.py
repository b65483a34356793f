"""A recall from draft to closed, over the small trade in milk, on both databases."""

from __future__ import annotations

import csv
import io
import random
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest
from flask.testing import FlaskClient

from tests.server.portal import make
from trace_core.errors import Conflict, InputError, NotAllowed
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Role
from trace_server.app import create_app
from trace_server.audit import operations as audit
from trace_server.blocklist import operations as blocklist
from trace_server.blocklist.jobs import Publisher
from trace_server.catalog import store as catalog
from trace_server.config import Settings
from trace_server.db import Database
from trace_server.ingest.operations import number_captures
from trace_server.recall import jobs, operations, rules, store
from trace_server.recall.model import Answer, GoodsStatus, Notice, Recall, RecallEvent, RecallState, Scope
from trace_server.services import Services
from trace_server.worker import Worker, find_jobs

NOTICE = Notice("示例召〔2026〕9号", "示例局", "原料不合格", "停止食用", "任意门店", "000")
BATCH = Scope(batches=((make.GTIN, make.LOT),))
INGREDIENT = Scope(batches=((make.RAW_GTIN, make.RAW_LOT),))


def services(database: Database, now: datetime = make.NOW) -> Services:
    return Services(database, Settings(code_secret=make.SECRET), lambda: now)


def draft(database: Database, scope: Scope = BATCH) -> Recall:
    return operations.create(database, make.NOW, "one", category="food", level=1, scope=scope, notice=NOTICE)


def announced(database: Database, scope: Scope = BATCH) -> Recall:
    made = draft(database, scope)
    return operations.announce(database, make.NOW, "two", made.recall_id, "lab report 7")


def grow(database: Database, *events: dict[str, object], now: datetime = make.NOW) -> None:
    make.capture(database, *events)
    number_captures(database)
    jobs.follow(services(database, now))


def uris(database: Database, recall: Recall) -> dict[str, GoodsStatus]:
    return {row.uri: row.status for row in operations.affected(database, recall.recall_id)}


def recall_level(database: Database) -> int | None:
    with database.read() as conn:
        batch = catalog.batch(conn, make.GTIN, make.LOT)
    return batch.recall.level if batch is not None and batch.recall is not None else None


def sold(when: str = "2026-11-23T09:00:00") -> dict[str, object]:
    return make.event("ObjectEvent", when, "retail_selling", make.SHELF, action="OBSERVE", epcList=[make.ITEM])


def test_an_ingredient_leads_to_every_thing_made_of_it_with_a_path_to_prove_it(database: Database) -> None:
    make.load(database)
    make.capture(database, *make.whole_way())
    found = {row.uri: row for row in operations.affected(database, draft(database, INGREDIENT).recall_id)}
    assert set(found) == {make.RAW_URI, make.LOT_URI, make.ITEM, make.CASE}
    way, here = [], make.ITEM
    while here:
        way.append(here)
        here = found[here].via
    assert way == [make.ITEM, make.LOT_URI, make.RAW_URI]
    assert all(row.event_key for row in found.values() if row.via)
    assert (found[make.ITEM].holder, found[make.ITEM].status) == (make.MARKET, GoodsStatus.IN_STOCK)


def test_other_batches_and_neighbours_in_a_box_are_named_as_not_affected(database: Database) -> None:
    make.load(database, batches=[make.batch(), make.batch(lot="L2612")])
    neighbour = make.ITEM[:-1] + "9"
    both = make.packed() | {"childEPCs": [make.ITEM, neighbour]}
    make.capture(database, make.made(), make.commissioned(), both, make.shipped())
    reasons = {row.uri: row.reason for row in operations.spared(database, draft(database).recall_id)}
    assert reasons == {make.LOT_URI[:-1] + "2": "no_events", neighbour: "shared_container"}


def test_everything_at_a_site_in_a_time_is_affected_and_nothing_else(database: Database) -> None:
    make.load(database)
    make.capture(database, *make.whole_way())
    since, until = datetime(2026, 11, 21, 20, tzinfo=UTC), datetime(2026, 11, 21, 21, tzinfo=UTC)
    there = draft(database, Scope(site=make.GATE, since=since, until=until))
    assert set(uris(database, there)) == {make.CASE, make.ITEM}
    earlier = draft(database, Scope(site=make.GATE, since=since - timedelta(days=2), until=since))
    assert uris(database, earlier) == {}
    grow(database, make.received("2026-11-20T10:00:00", make.case(7)))
    assert set(uris(database, earlier)) == {make.case(7)}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_events_that_come_late_and_mixed_give_the_same_set_as_in_order(database: Database, seed: int) -> None:
    make.load(database)
    events = [*make.whole_way(), sold()]
    random.Random(seed).shuffle(events)
    early = draft(database, INGREDIENT)
    for event in events:
        grow(database, event)
    late = draft(database, INGREDIENT)
    assert operations.affected(database, early.recall_id) == operations.affected(database, late.recall_id)
    assert operations.get(database, early.recall_id).version > 1


def test_a_second_person_announces_with_a_reason(database: Database) -> None:
    make.load(database)
    made = draft(database)
    with pytest.raises(NotAllowed):
        operations.announce(database, make.NOW, "one", made.recall_id, "lab report 7")
    with pytest.raises(InputError):
        operations.announce(database, make.NOW, "two", made.recall_id, " ")
    assert recall_level(database) is None
    assert operations.announce(database, make.NOW, "two", made.recall_id, "7").state is RecallState.ANNOUNCED
    assert recall_level(database) == 1


def test_gates_and_code_pages_follow_the_set_as_it_grows(database: Database) -> None:
    make.load(database)
    make.capture(database, make.farmed())
    publisher = Publisher()
    recall = announced(database, INGREDIENT)
    publisher(services(database))
    assert recall_level(database) is None
    grow(database, make.made(), make.commissioned())
    assert recall_level(database) == 1
    assert publisher(services(database, make.NOW + timedelta(seconds=5)))
    assert not publisher(services(database, make.NOW + timedelta(seconds=10)))
    newest = blocklist.newest(database)
    assert newest is not None
    refused = {line["value"] for line in newest.entries if line["reason"] == "recalled"}
    assert refused == {make.RAW_URI, make.LOT_URI, make.ITEM}
    assert operations.get(database, recall.recall_id).version == 2


def test_a_running_worker_brings_late_goods_to_the_gates_within_a_minute(database: Database) -> None:
    make.load(database)
    make.capture(database, make.farmed())
    announced(database, INGREDIENT)
    wanted = find_jobs(("trace_server.ingest.jobs", "trace_server.recall.jobs", "trace_server.blocklist.jobs"))
    worker = Worker(Services(database, Settings(code_secret=make.SECRET)), wanted)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        make.capture(database, make.made(), make.commissioned())
        wait_until(lambda: make.ITEM in listed(database), seconds=60)
    finally:
        worker.stop()
        thread.join()


def listed(database: Database) -> set[str]:
    newest = blocklist.newest(database)
    return set() if newest is None else {line["value"] for line in newest.entries}


def wait_until(holds: Callable[[], bool], *, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.2)


def test_a_recall_runs_from_notices_and_answers_to_sums_that_close(database: Database) -> None:
    make.load(database)
    make.capture(database, *make.whole_way())
    number = announced(database).recall_id
    operations.notify(database, make.NOW, "two", number)
    [letter] = [row for row in operations.notices(database, recall_id=number) if row.things]
    assert (letter.holder, letter.things) == (make.MARKET, 1)
    before = operations.reconciliation(database, number)
    assert (before.shortfall_percent, before.closes) == (100, False)
    operations.answer(database, make.NOW, "shop", number, make.MARKET, Answer(0, 0, 0, 0))
    sums = operations.reconciliation(database, number)
    assert (sums.unaccounted, sums.closes) == (1, False)
    with pytest.raises(Conflict, match="1 unaccounted"):
        operations.finish_step(database, make.NOW, "two", number, RecallEvent.RECONCILE, "")
    for holder in operations.reconciliation(database, number).unanswered:
        operations.answer(database, make.NOW, "dairy", number, holder, Answer(0, 0, 0, 0))
    operations.answer(database, make.NOW, "shop", number, make.MARKET, Answer(0, 0, 0, 1))
    sums = operations.reconciliation(database, number)
    assert (sums.affected, sums.unaccounted, sums.shortfall_percent, sums.closes) == (1, 0, 0.0, True)
    for event in (RecallEvent.RECONCILE, RecallEvent.DISPOSE, RecallEvent.CLOSE):
        closed = operations.finish_step(database, make.NOW, "two", number, event, "")
    assert closed.state is RecallState.CLOSED
    with database.read() as conn:
        assert audit.verify(conn).is_intact


def test_late_goods_open_a_reconciled_recall_again(database: Database) -> None:
    make.load(database)
    make.capture(database, *make.whole_way())
    number = announced(database).recall_id
    operations.notify(database, make.NOW, "two", number)
    operations.answer(database, make.NOW, "shop", number, make.MARKET, Answer(0, 1, 0, 0))
    operations.finish_step(database, make.NOW, "two", number, RecallEvent.RECONCILE, "the dairy has none")
    grow(database, make.commissioned() | {"epcList": [make.ITEM[:-1] + "9"]})
    assert operations.get(database, number).state is RecallState.RECOVERING


def test_milestones_run_by_hours_and_by_working_days(database: Database) -> None:
    make.load(database)
    number = announced(database).recall_id
    start, finish = operations.milestones(database, number, make.NOW + timedelta(hours=24))
    assert (start.due_at, start.is_late) == (make.NOW + timedelta(hours=24), True)
    assert (finish.due_at, finish.is_late) == (datetime(2026, 12, 8, 16, tzinfo=UTC), False)


def test_only_those_who_may_read_run_or_answer_a_recall(database: Database) -> None:
    make.load(database)
    make.capture(database, *make.whole_way())
    app = create_app(Settings(code_secret=make.SECRET), database)
    http = app.test_client()

    def caller(role: Role, subject: str = "", number: int = 1) -> dict[str, str]:
        name = f"{role} {subject} {number}"
        _, token = accounts.add_client(database, make.NOW, "t", name=name, role=role, subject=subject)
        return {"Authorization": f"Bearer {token}"}

    first, second, shop = caller(Role.REGULATOR), caller(Role.REGULATOR, number=2), caller(Role.PRODUCER, make.MARKET)
    auditor, stranger = caller(Role.AUDITOR), caller(Role.PRODUCER, make.HAULIER)
    body = {"category": "food", "level": 2, "scope": {"batches": [{"gtin": make.GTIN, "lot": make.LOT}]}}
    notice = {"notice_no": "9", "authority": "a", "reason": "r", "action": "b", "return_to": "c", "phone": "0"}
    assert http.post("/api/v1/recalls", json=body | {"notice": notice}, headers=auditor).status_code == 403
    made = http.post("/api/v1/recalls", json=body | {"notice": notice}, headers=first)
    assert made.status_code == 201, made.text
    here = f"/api/v1/recalls/{made.json['recall_id']}"
    assert http.post(f"{here}/steps", json={"step": "announce", "reason": "x"}, headers=first).status_code == 403
    assert http.post(f"{here}/steps", json={"step": "announce", "reason": "x"}, headers=second).status_code == 200
    assert http.post(f"{here}/steps", json={"step": "notify"}, headers=second).json["state"] == "notifying"
    assert http.get("/api/v1/recalls/notices", headers=shop).json["total"] == 1
    assert http.get("/api/v1/recalls/notices", headers=stranger).json["total"] == 0
    counted = {"in_stock": 1, "sold": 0, "returned": 0, "destroyed": 0}
    assert http.put(f"{here}/answer", json=counted, headers=stranger).status_code == 404
    assert http.put(f"{here}/answer", json=counted, headers=shop).status_code == 204
    assert http.get(f"{here}/affected", headers=shop).status_code == 403
    assert http.get(f"{here}/affected/file?format=csv", headers=shop).status_code == 403
    assert http.get(f"{here}/affected?limit=1", headers=auditor).json["total"] == 3
    for part in ("", "/not-affected", "/notices", "/reconciliation"):
        assert http.get(here + part, headers=auditor).status_code == 200
    assert http.get("/api/v1/recalls", headers=auditor).json["total"] == 1
    assert http.get("/api/v1/recalls/nothing", headers=auditor).status_code == 404


@pytest.fixture()
def drafted(database: Database) -> tuple[FlaskClient, dict[str, str], str]:
    """HTTP, the headers of an auditor, and the address of a recall of a milk ingredient."""
    make.load(database, batches=[make.batch(), make.batch(lot="L2612"), make.batch(lot="L2613")])
    make.capture(database, *make.whole_way())
    number = draft(database, INGREDIENT).recall_id
    _, token = accounts.add_client(database, make.NOW, "t", name="a", role=Role.AUDITOR)
    http = create_app(Settings(code_secret=make.SECRET), database).test_client()
    return http, {"Authorization": f"Bearer {token}"}, f"/api/v1/recalls/{number}"


@pytest.mark.parametrize("part", ["", "/affected", "/not-affected", "/notices"])
def test_lists_go_on_where_the_cursor_says_and_miss_and_double_nothing(
    database: Database, drafted: tuple[FlaskClient, dict[str, str], str], part: str
) -> None:
    http, auditor, here = drafted
    draft(database)
    draft(database)
    number = here.rpartition("/")[2]
    operations.announce(database, make.NOW, "two", number, "lab report 7")
    operations.notify(database, make.NOW, "two", number)
    where = here + part if part else here.rpartition("/")[0]
    whole = http.get(where, headers=auditor).json
    assert (len(whole["items"]), whole["has_more"]) == (whole["total"], False)
    assert whole["total"] > 0
    found, cursor, more = [], "", True
    while more:
        page = http.get(where, query_string={"limit": 1, "cursor": cursor}, headers=auditor).json
        assert (len(page["items"]), page["total"]) == (1, whole["total"])
        found += page["items"]
        cursor, more = page["next_cursor"], page["has_more"]
    assert found == whole["items"]
    end = http.get(where, query_string={"cursor": cursor}, headers=auditor).json
    assert (end["items"], end["next_cursor"]) == ([], cursor)


def test_a_cursor_of_another_list_or_another_hand_is_refused(
    drafted: tuple[FlaskClient, dict[str, str], str],
) -> None:
    http, auditor, here = drafted
    cursor = http.get(f"{here}/affected?limit=1", headers=auditor).json["next_cursor"]
    for where, text in [
        (f"{here}/affected", cursor[:-4] + "AAAA"),
        (f"{here}/affected", "ü"),
        (f"{here}/affected", "x"),
        (f"{here}/not-affected", cursor),
        ("/api/v1/recalls", cursor),
    ]:
        answer = http.get(where, query_string={"cursor": text}, headers=auditor)
        assert answer.status_code == 400, (where, text)
    assert http.get(f"{here}/affected?offset=1", headers=auditor).status_code == 400


def test_the_affected_set_comes_as_a_file(
    database: Database,
    drafted: tuple[FlaskClient, dict[str, str], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    http, auditor, here = drafted
    monkeypatch.setattr(operations, "EXPORT_PAGE", 2)
    number = here.rpartition("/")[2]
    table = http.get(f"{here}/affected/file?format=csv", headers=auditor)
    assert (table.status_code, table.content_type) == (200, "text/csv; charset=utf-8")
    rows = list(csv.DictReader(io.StringIO(table.data.decode("utf-8-sig"))))
    assert {row["uri"]: row["status"] for row in rows} == uris(database, operations.get(database, number))
    assert len(rows) == 4
    book = http.get(f"{here}/affected/file?format=xlsx", headers=auditor)
    sheet = openpyxl.load_workbook(io.BytesIO(book.data))["affected"]
    assert [cell.value for cell in next(sheet.iter_rows())] == list(rows[0])
    assert sheet.max_row == 5
    assert http.get(f"{here}/affected/file?format=pdf", headers=auditor).status_code == 400
    assert http.get("/api/v1/recalls/nothing/affected/file?format=csv", headers=auditor).status_code == 404


def test_sums_of_the_database_are_the_sums_of_the_rows(database: Database) -> None:
    make.load(database)
    make.capture(database, *make.whole_way(), sold())
    number = draft(database, INGREDIENT).recall_id
    with database.read() as conn:
        rows, added_up = store.affected(conn, number), store.sums(conn, number)
        assert store.responsible(conn, number) == ""
    assert rules.reconcile_sums(added_up, []) == rules.reconcile(rows, [])
