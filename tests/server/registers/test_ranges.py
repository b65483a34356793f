"""A producer asks for serials, a regulator grants them, and never more codes are issued than that."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from tests.server.credit.make import Clock, services_on
from tests.server.detect.make import LICENCE, LOT, USCC, world
from tests.server.ingest.make import GTIN, NOW
from trace_core.errors import Conflict, InputError, NotAllowed, NotFound, TraceError
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Role
from trace_server.app import create_app
from trace_server.audit import operations as audit
from trace_server.catalog.model import IssuedCode
from trace_server.config import Settings
from trace_server.db import Database
from trace_server.registers import operations, rules
from trace_server.registers.cli import ranges
from trace_server.registers.model import RangeEvent, RangeState, TagRange
from trace_server.registers.operations import Grant, RangeRequest
from trace_server.services import Services

ASKED = RangeRequest(USCC, GTIN, "A0001", "A0099", "示例用途")
FIRM, OFFICE = "client:firm", "client:office"
OTHER = "91110000600037341L"


@pytest.fixture
def services(database: Database) -> Services:
    world(database)
    clock = Clock()
    clock.now = NOW
    return services_on(database, clock)


def granted(services: Services, asked: RangeRequest = ASKED, quota: int | None = None) -> TagRange:
    row = operations.request_range(services, FIRM, asked, owner=USCC)
    return operations.grant_range(services, OFFICE, row.range_id, Grant("符合条件", row.version, quota=quota))


def codes(*serials: str, lot: str = LOT) -> list[IssuedCode]:
    return [IssuedCode(GTIN, lot, serial, "", "a", NOW) for serial in serials]


def issue(services: Services, *serials: str) -> int:
    return operations.issue_codes(services.db, codes(*serials), actor=FIRM, now=services.clock())


def test_a_second_person_grants_what_was_asked_for_or_less(services: Services) -> None:
    row = operations.request_range(services, OFFICE, ASKED)
    assert (row.state, row.quota, row.issued) == (RangeState.REQUESTED, 99, 0)
    with pytest.raises(NotAllowed, match="second person"):
        operations.grant_range(services, OFFICE, row.range_id, Grant("符合条件", 1))
    with pytest.raises(InputError, match="more than was asked"):
        operations.grant_range(services, "user:two", row.range_id, Grant("符合条件", 1, quota=100))
    with pytest.raises(InputError, match="ends before"):
        operations.grant_range(
            services, "user:two", row.range_id, Grant("符合条件", 1, valid_to=(NOW - timedelta(days=9)).date())
        )
    row = operations.grant_range(services, "user:two", row.range_id, Grant("符合条件", 1, quota=50))
    assert (row.state, row.quota, row.version, row.decided_by) == (RangeState.GRANTED, 50, 2, "user:two")
    with pytest.raises(Conflict, match="meanwhile"):
        operations.end_range(services, OFFICE, row.range_id, RangeEvent.REVOKE, reason="停用", version=1)
    with services.db.read() as conn:
        assert not audit.verify(conn).reason


def test_a_subject_asks_for_its_own_products_and_free_serials_only(services: Services) -> None:
    with pytest.raises(NotAllowed, match="another subject"):
        operations.request_range(services, FIRM, ASKED, owner=OTHER)
    with pytest.raises(NotAllowed, match="product"):
        operations.request_range(services, FIRM, replace(ASKED, uscc=OTHER), owner=OTHER)
    with pytest.raises(NotFound):
        operations.request_range(services, FIRM, replace(ASKED, gtin="06901234567892"), owner=USCC)
    granted(services)
    with pytest.raises(Conflict, match="A0001–A0099"):
        operations.request_range(services, FIRM, replace(ASKED, first="A0050", last="A0200"), owner=USCC)
    row = operations.request_range(services, FIRM, replace(ASKED, first="A0100", last="A0200"), owner=USCC)
    refused = operations.end_range(services, OFFICE, row.range_id, RangeEvent.REFUSE, reason="材料不全", version=1)
    assert {one.state for one in operations.ranges_of(services, USCC)} == {RangeState.GRANTED, RangeState.REFUSED}
    assert operations.ranges_of(services, "", RangeState.REFUSED) == [refused]


def test_without_ranges_any_serial_is_issued_and_with_them_only_those_in_force(services: Services) -> None:
    assert issue(services, "free-1") == 1
    row = granted(services, quota=3)
    assert issue(services, "free-1") == 0, "issued before"
    assert issue(services, "A0001", "A0002") == 2
    assert issue(services, "A0001", "A0002") == 0, "a repeat costs nothing"
    with pytest.raises(NotAllowed, match="no range"):
        issue(services, "A0003", "A0100")
    with pytest.raises(Conflict, match="used up"):
        issue(services, "A0003", "A0004")
    assert issue(services, "A0003") == 1
    (row,) = operations.ranges_of(services, USCC)
    assert (row.issued, row.left) == (3, 0)
    operations.end_range(services, OFFICE, row.range_id, RangeEvent.REVOKE, reason="停用", version=row.version)
    assert issue(services, "A0001") == 0


def test_no_more_codes_than_the_quota_are_issued_however_many_ask_at_once(services: Services) -> None:
    granted(services, quota=10)

    def ask(number: int) -> int:
        try:
            # Two and two threads ask for the same two serials.
            return issue(services, *(f"A{10 * (number // 2) + digit:04}" for digit in (1, 2)))
        except Conflict:
            return 0

    with ThreadPoolExecutor(8) as pool:
        new = sum(pool.map(ask, range(16)))
    (row,) = operations.ranges_of(services, USCC)
    assert new == row.issued == row.quota == 10


def test_of_two_overlapping_requests_at_once_one_is_taken(services: Services) -> None:
    def ask(first: str) -> int:
        try:
            operations.request_range(services, FIRM, replace(ASKED, first=first), owner=USCC)
        except Conflict:
            return 0
        return 1

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(ask, ["A0001", "A0002", "A0003", "A0004"])) == 1


@pytest.mark.parametrize(
    ("first", "last"),
    [("A1", "B9"), ("9", "1"), ("007", "12"), ("abc", "abd"), ("1", "1234567890123456789"), ("", "1")],
    ids=["other letters", "backwards", "zeros and another length", "no number", "too long", "empty"],
)
def test_what_is_no_range_is_refused(first: str, last: str) -> None:
    with pytest.raises(TraceError):
        rules.span(first, last)


@given(st.sampled_from(["", "A", "X-9-"]), st.integers(0, 10**6), st.integers(0, 5000), st.integers(0, 8))
def test_a_range_holds_exactly_as_many_serials_as_its_size(prefix: str, low: int, more: int, width: int) -> None:
    first, last = f"{prefix}{low:0{width}}", f"{prefix}{low + more:0{width}}"
    if len(first) != len(last) and f"{low:0{width}}" != str(low):
        return
    span = rules.span(first, last)
    assert span.size == more + 1
    assert span.holds(first)
    assert span.holds(last)
    assert not span.holds(f"{prefix}{low + more + 1:0{width}}")
    assert not span.holds(f"0{first}" if not prefix else first[1:])
    assert span.meets(span)


def test_the_api_keeps_companies_apart_and_grants_to_none(database: Database) -> None:
    world(database)
    app = create_app(Settings(), database)
    heads = {}
    for name, role, subject in (
        ("firm", Role.PRODUCER, USCC),
        ("other", Role.PRODUCER, OTHER),
        ("office", Role.REGULATOR, ""),
    ):
        _, token = accounts.add_client(database, NOW, "test", name=name, role=role, subject=subject)
        heads[name] = {"Authorization": f"Bearer {token}"}
    with app.test_client() as http:
        body = {"uscc": USCC, "gtin": GTIN, "first": "1", "last": "1000", "purpose": "示例"}
        made_range = http.post("/api/v1/ranges", json=body, headers=heads["firm"])
        assert made_range.status_code == 201, made_range.json
        row = made_range.get_json()
        assert http.post("/api/v1/ranges", json=body, headers=heads["other"]).status_code == 403
        steps = f"/api/v1/ranges/{row['range_id']}/steps"
        step = {"event": "grant", "version": 1, "reason": "符合条件", "valid_to": "2027-12-31"}
        assert http.post(steps, json=step, headers=heads["firm"]).status_code == 403
        assert http.post(steps, json=step | {"valid_to": "2027-13-31"}, headers=heads["office"]).status_code == 400
        answer = http.post(steps, json=step, headers=heads["office"])
        assert (answer.status_code, answer.get_json()["left"]) == (200, 1000)
        mine = http.get("/api/v1/ranges?limit=1", headers=heads["firm"]).get_json()
        assert [one["range_id"] for one in mine["items"]] == [row["range_id"]]
        rest = http.get(f"/api/v1/ranges?cursor={mine['next_cursor']}", headers=heads["firm"]).get_json()
        assert rest["items"] == []
        assert http.get(f"/api/v1/ranges?uscc={USCC}", headers=heads["other"]).get_json()["items"] == []
        assert http.get("/api/v1/ranges?cursor=x", headers=heads["office"]).status_code == 400


def test_the_command_asks_lists_and_revokes(services: Services) -> None:
    def run(*words: str) -> dict[str, object]:
        result = CliRunner().invoke(ranges, [*words, "--json"], obj=services, catch_exceptions=False)
        found: dict[str, object] = json.loads(result.output)
        return found

    row = operations.request_range(services, FIRM, ASKED, owner=USCC)
    granted_row = run("grant", row.range_id, "--version", "1", "--reason", "符合条件", "--valid-to", "2027-12-31")
    assert (granted_row["state"], granted_row["valid_to"]) == ("granted", "2027-12-31")
    more = ("--uscc", USCC, "--gtin", GTIN, "--first", "B1", "--last", "B9", "--purpose", "示例")
    assert run("request", *more)["quota"] == 9
    assert run("revoke", row.range_id, "--version", "2", "--reason", "停用")["state"] == "revoked"
    listed = run("list", "--uscc", USCC)["ranges"]
    assert isinstance(listed, list)
    assert {one["state"] for one in listed} == {"revoked", "requested"}


@pytest.mark.parametrize("state", ["revoked", "cancelled"])
def test_who_has_lost_every_licence_gets_no_more_codes(services: Services, state: str) -> None:
    granted(services)
    assert issue(services, "A0001") == 1
    world(services.db, licences=[LICENCE | {"valid_to": "2030-12-31", "state": state}])
    with pytest.raises(NotAllowed, match="left the market"):
        issue(services, "A0002")
    row = operations.request_range(services, FIRM, replace(ASKED, first="B0001", last="B0009"), owner=USCC)
    with pytest.raises(NotAllowed, match="left the market"):
        operations.grant_range(services, OFFICE, row.range_id, Grant("符合条件", row.version))
    world(services.db)
    assert issue(services, "A0002") == 1
