"""Snapshot, digest, file: a puller that starts anywhere, stops, replays or doubles ends with the same."""

from __future__ import annotations

import csv
import io
import random
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import openpyxl
import pytest
from flask.testing import FlaskClient

from tests.server.commitments.make import act, breached, in_force
from tests.server.credit.make import SUBJECT, Clock, checked_and_published, paper, person_codes, published, recorded
from trace_core.errors import TraceError
from trace_server.commitments.model import CommitmentEvent, CommitmentState
from trace_server.credit.fields import FIELDS
from trace_server.credit.model import Circumstances
from trace_server.credit.operations import record_decision, repair, suspend, withdraw
from trace_server.credit.rules import parse_decision
from trace_server.exchange import files, reconciling
from trace_server.objections import operations as objections
from trace_server.objections.model import ObjectionEvent, Remedy, TargetKind
from trace_server.objections.operations import Claim, Step
from trace_server.services import Services

Bearer = Callable[[str], dict[str, str]]
API = "/api/v1/credit"


class Puller:
    """The other side: keeps (version, state, objection) by record and applies what it is told, also twice."""

    def __init__(self, http: FlaskClient, headers: dict[str, str]) -> None:
        self.http, self.headers = http, headers
        self.held: dict[str, tuple[int, str, bool]] = {}
        self.cursor = ""

    def start(self, limit: int = 3) -> None:
        cursor = ""
        while True:
            body = self.get(f"/snapshot?limit={limit}&cursor={cursor}")
            self.take(body["items"])
            cursor, self.cursor = body["next_cursor"], body["feed_cursor"]
            if not body["has_more"]:
                return

    def pull(self, limit: int = 3) -> bool:
        body = self.get(f"/violations?limit={limit}&cursor={self.cursor}")
        self.take(body["items"])
        self.cursor = body["next_cursor"]
        return bool(body["has_more"])

    def take(self, items: list[dict[str, Any]]) -> None:
        for item in items:
            version, *_ = self.held.get(item["record_id"], (0, "", False))
            if item["version"] >= version:
                mark = item["ext"].get("objection", False)
                self.held[item["record_id"]] = (item["version"], item["ext"]["state"], mark)

    def get(self, path: str) -> dict[str, Any]:
        answer = self.http.get(API + path, headers=self.headers)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.get_json()
        return body

    @property
    def digest(self) -> str:
        return reconciling.digest_of((record, version, state) for record, (version, state, _) in self.held.items())


def change(outside: Services, number: int, draw: random.Random) -> None:
    """A decision, and perhaps what becomes of it."""
    record = published(outside, CF_WSH=f"示市监罚〔2026〕{number}号")
    step = draw.choice([None, repair, withdraw, suspend])
    if step is not None:
        try:
            step(outside, record.record_id, paper())
        except TraceError:
            assert step is repair  # before its least window


def promise(outside: Services, draw: random.Random) -> str:
    """A commitment somewhere on its way: in force, kept, broken, or made good."""
    row = draw.choice([in_force, breached])(outside)
    if row.state is CommitmentState.BREACH and draw.random() < 0.5:
        row = act(outside, row, CommitmentEvent.REMEDY)
    elif row.state is CommitmentState.IN_FORCE and draw.random() < 0.5:
        row = act(outside, row, draw.choice([CommitmentEvent.FULFIL, CommitmentEvent.FIND_PARTLY]))
    return row.code


def object_to(outside: Services, kind: TargetKind, target: str, draw: random.Random) -> None:
    """An objection that stays open, is rejected, or is upheld by two persons."""
    row = objections.raise_objection(outside, "client:firm", Claim(kind, target, "不属实"), owner=SUBJECT)
    end = draw.choice(["open", "reject", "uphold"])
    if end == "uphold":
        step = Step(ObjectionEvent.PROPOSE, row.version, "属实", remedy=Remedy.WITHDRAW)
        row = objections.take_step(outside, "user:one", row.objection_id, step)
    if end != "open":
        step = Step(ObjectionEvent(end), row.version, "核查", "示异〔2026〕1号")
        objections.take_step(outside, "user:two", row.objection_id, step)


@pytest.mark.parametrize("seed", [3, 4])
def test_commitments_and_marks_of_objections_end_equal_to_the_snapshot_too(
    outside: Services, clock: Clock, http: FlaskClient, bearer: Bearer, seed: int
) -> None:
    draw = random.Random(seed)
    headers = bearer("credit_office")
    whole, late = Puller(http, headers), Puller(http, headers)
    for number in range(9):
        if number % 3 == 0:
            target = published(outside, CF_WSH=f"示市监罚〔2026〕{number}号").record_id
        else:
            target = promise(outside, draw)
        if draw.random() < 0.7:
            object_to(outside, TargetKind.COMMITMENT if number % 3 else TargetKind.RECORD, target, draw)
        whole.pull(draw.randint(1, 4))
        if draw.random() < 0.3:
            whole.cursor = ""  # lost its place: begins again
        if number == 4:
            late.start()
    for puller in (whole, late):
        while puller.pull():
            pass
        puller.pull()
    fresh = Puller(http, headers)
    fresh.start()
    assert whole.held == late.held == fresh.held
    assert {mark for *_, mark in whole.held.values()} == {True, False}
    clock.now += timedelta(days=1)
    told = whole.get(f"/digest?day={(clock.now - timedelta(days=1)).date()}")
    assert (told["sha256"], told["classes"]["commitment"]) == (whole.digest, 6)
    only = Puller(http, headers)
    items = only.get("/violations?kind=commitment&limit=100")["items"]
    assert {item["ext"]["kind"] for item in items} == {"commitment"}
    assert len({item["record_id"] for item in items}) == 6


@pytest.mark.parametrize("seed", [1, 2])
def test_a_puller_that_stops_replays_and_doubles_ends_equal_to_the_snapshot(
    outside: Services, clock: Clock, http: FlaskClient, bearer: Bearer, seed: int
) -> None:
    draw = random.Random(seed)
    headers = bearer("credit_office")
    whole, late = Puller(http, headers), Puller(http, headers)
    for number in range(12):
        change(outside, number, draw)
        if draw.random() < 0.5:
            whole.pull(draw.randint(1, 4))
        if draw.random() < 0.3:
            whole.cursor = ""  # lost its place: begins again
        if number == 6:
            late.start()
    for puller in (whole, late):
        while puller.pull():
            pass
        puller.pull()
    fresh = Puller(http, headers)
    fresh.start()
    assert whole.held == late.held == fresh.held
    clock.now += timedelta(days=1)
    told = whole.get(f"/digest?day={(clock.now - timedelta(days=1)).date()}")
    assert told["sha256"] == whole.digest
    assert sum(told["states"].values()) == len(whole.held)
    assert told["ops"]["upsert"] == 24  # recorded and published


def test_writers_at_the_same_time_leave_no_difference(outside: Services, http: FlaskClient, bearer: Bearer) -> None:
    puller = Puller(http, bearer("credit_office"))

    def write(worker: int) -> None:
        for number in range(5):
            recorded(outside, CF_WSH=f"示市监罚〔2026〕{worker}-{number}号")

    writers = [threading.Thread(target=write, args=(worker,)) for worker in range(3)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        puller.pull()
    for writer in writers:
        writer.join()
    while puller.pull():
        pass
    fresh = Puller(http, puller.headers)
    fresh.start()
    assert len(puller.held) == 15
    assert puller.held == fresh.held


def test_a_snapshot_of_the_past_does_not_tell_what_was_stopped_since(
    outside: Services, clock: Clock, http: FlaskClient, bearer: Bearer
) -> None:
    record = published(outside)
    moment = clock.now + timedelta(hours=1)
    clock.now += timedelta(hours=2)
    withdraw(outside, record.record_id, paper())
    headers = bearer("credit_office")
    then = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    body = http.get(f"{API}/snapshot?as_of={then}", headers=headers).get_json()
    (item,) = body["items"]
    assert (item["version"], item["ext"]["state"]) == (2, "published")
    assert set(item["record"]) <= {"CF_WSH", "CF_CFJGDM"}


def test_a_forged_place_and_a_day_that_is_not_over_are_refused(http: FlaskClient, bearer: Bearer, clock: Clock) -> None:
    headers = bearer("credit_office")
    assert http.get(f"{API}/snapshot?cursor=AAAA", headers=headers).status_code == 400
    assert http.get(f"{API}/digest?day={clock.now.date()}", headers=headers).status_code == 400
    assert http.get(f"{API}/snapshot", headers=bearer("monitor")).status_code == 403


def test_the_file_has_the_headings_of_the_template_and_nothing_but_text(
    outside: Services, clock: Clock, http: FlaskClient, bearer: Bearer
) -> None:
    published(outside, CF_SY="=HYPERLINK(1)", CF_WSH="示市监罚〔2026〕007号")
    hidden = recorded(outside, CF_WSH="示市监罚〔2026〕8号")
    assert hidden.state.value == "confirmed"
    headers = bearer("credit_office")
    doubted = published(outside, CF_WSH="示市监罚〔2026〕9号").record_id
    objections.raise_objection(outside, "client:firm", Claim(TargetKind.RECORD, doubted, "不属实"), owner=SUBJECT)
    sheet = http.get(f"{API}/violations/file?format=csv", headers=headers).data.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(sheet)))
    assert rows[0] == [field.chinese for field in FIELDS if not field.sealed]
    assert len(rows) == 3
    marked = {row[files.HEADINGS.index("行政处罚决定书文号")]: row[files.HEADINGS.index("备注")] for row in rows[1:]}
    assert marked == {"示市监罚〔2026〕007号": "", "示市监罚〔2026〕9号": "异议处理中"}
    assert "'=HYPERLINK(1)" in rows[1]
    book = openpyxl.load_workbook(io.BytesIO(http.get(f"{API}/violations/file", headers=headers).data))
    cells = [cell for row in book.worksheets[0].iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s"}
    assert book.worksheets[-1].title == "filters"


def test_natural_persons_are_a_file_of_their_own_without_name_and_document(
    outside: Services, clock: Clock, http: FlaskClient, bearer: Bearer
) -> None:
    decision = parse_decision(person_codes(), today=clock.now.date())
    record = record_decision(outside, decision, Circumstances("food"), actor="clerk").record

    checked_and_published(outside, record.record_id)
    headers = bearer("credit_office")
    firms = http.get(f"{API}/violations/file?format=csv", headers=headers).text
    persons = http.get(f"{API}/violations/file?format=csv&persons=true", headers=headers).text
    assert "示市监罚〔2026〕77号" in persons
    assert "示市监罚〔2026〕77号" not in firms
    assert "示例丙丁" not in persons
    assert "PASSPORT" not in persons
    assert len(files.CODES) == len(files.HEADINGS)
