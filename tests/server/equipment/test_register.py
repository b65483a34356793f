"""A thing from its registration to its scrap, at every face; what the gates hear of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from gateway_agent.answering import Policy, Question, answer, identify_code
from gateway_agent.blocklist import parse_block_list
from gateway_agent.checkpoints import Role
from tests.server.portal import make
from trace_core.errors import Conflict, IdentifierError, InputError, NotAllowed, NotFound
from trace_core.ids.canonical import canonical_uri
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Role as ClientRole
from trace_server.app import create_app
from trace_server.audit import store as audit
from trace_server.blocklist import operations as blocklist
from trace_server.blocklist.jobs import Publisher
from trace_server.config import Settings
from trace_server.db import Database
from trace_server.equipment import operations, rules
from trace_server.equipment.cli import commands
from trace_server.equipment.model import Asset, Inspection, State, Step
from trace_server.equipment.operations import Caller, Filter, Record, Result
from trace_server.equipment.rules import Registration
from trace_server.equipment.states import TRANSITIONS, state_on
from trace_server.services import EXTENSION, Services

TAG = "urn:epc:id:grai:6901234.00001.17"
CODE = "232010890202200017"
NOW, TODAY = make.NOW, date(2026, 11, 24)
OWNER, OTHER = make.PRODUCER, make.HAULIER
CALLER = Caller("test")
FORM = Registration(
    uri=TAG,
    owner=OWNER,
    source="产品合格证",
    device_code=CODE,
    registration_no="瓶10苏J00001(22)",
    maintainer=OTHER,
    medium="lpg",
    fill_limit_kg=14.9,
    made_on=date(2022, 5, 1),
    in_use_on=date(2022, 6, 1),
    inspection_due=date(2026, 5, 1),
    scrap_on=date(2030, 5, 1),
)
PASSED = Result(TODAY, "QP-2026-17", "示例特检院", passed=True, next_due=date(2030, 4, 30))


def register(db: Database, **changes: Any) -> Record:
    return operations.register(db, NOW, CALLER, replace(FORM, **changes))


def gate_says(db: Database, role: Role = Role.GATE) -> str:
    """What a gate with the list of this moment answers, offline."""
    Publisher()(Services(db, Settings(code_secret=make.SECRET), lambda: NOW))
    found = blocklist.newest(db)
    assert found is not None
    document = {"version": found.version, "issued_at": found.issued_at.isoformat(), "entries": list(found.entries)}
    listed = parse_block_list(json.dumps(document).encode())
    question = Question(identify_code(TAG), NOW, role=role, medium="lpg", check=True)
    said = answer(question, listed, Policy(owner=OWNER))
    return f"{said.verdict} {said.reason}"


def test_a_cylinder_goes_through_its_life_and_every_gate_hears_of_it(database: Database) -> None:
    found = register(database)
    assert found.state is State.OVERDUE
    assert found.asset.uri == canonical_uri(TAG)
    assert found.asset.kind == "lpg_cylinder"
    uri = found.asset.uri
    assert gate_says(database) == "refuse overdue"
    assert gate_says(database, Role.FILLING) == "refuse overdue"
    with pytest.raises(Conflict, match="not possible in state overdue"):
        operations.put_in_use(database, NOW, CALLER, uri, revision=1)
    found = operations.inspect(database, NOW, CALLER, TAG, PASSED, revision=1)
    assert (found.state, found.asset.inspection_due) == (State.INSPECTED, date(2030, 4, 30))
    assert found.inspections[0].due_before == date(2026, 5, 1)
    assert gate_says(database, Role.FILLING) == "allow not-listed"
    assert operations.put_in_use(database, NOW, CALLER, uri, revision=2).state is State.IN_USE
    assert operations.take_out(database, NOW, CALLER, uri, revision=3, reason="停用").state is State.OUT_OF_SERVICE
    assert gate_says(database) == "refuse out-of-service"
    assert operations.put_in_use(database, NOW, CALLER, uri, revision=4).state is State.IN_USE
    assert gate_says(database) == "allow not-listed"
    assert operations.scrap(database, NOW, CALLER, uri, revision=5, reason="报废").state is State.SCRAPPED
    assert gate_says(database) == "refuse scrapped"
    for step in (operations.take_out, operations.scrap):
        with pytest.raises(Conflict, match="final"):
            step(database, NOW, CALLER, uri, revision=6, reason="x")
    with database.read() as conn:
        entries = [entry.action for entry in audit.entries(conn)]
    steps = ["register", "passed", "put_in_use", "take_out", "put_in_use", "scrap"]
    assert [action for action in entries if action.startswith("equipment.")] == [f"equipment.{step}" for step in steps]


def test_a_failed_inspection_ends_the_use_until_one_is_passed(database: Database) -> None:
    register(database, inspection_due=date(2027, 5, 1))
    failed = replace(PASSED, inspected_on=TODAY - timedelta(days=2), passed=False, next_due=None)
    assert operations.inspect(database, NOW, CALLER, TAG, failed, revision=1).state is State.OUT_OF_SERVICE
    assert gate_says(database) == "refuse out-of-service"
    with pytest.raises(Conflict, match="failed"):
        operations.put_in_use(database, NOW, CALLER, TAG, revision=2)
    with pytest.raises(Conflict, match="that day or a later"):
        operations.inspect(database, NOW, CALLER, TAG, failed, revision=2)
    operations.inspect(database, NOW, CALLER, TAG, PASSED, revision=2)
    assert operations.put_in_use(database, NOW, CALLER, TAG, revision=3).state is State.IN_USE


def test_who_read_an_older_version_changes_nothing(database: Database) -> None:
    register(database, inspection_due=date(2027, 5, 1))
    operations.take_out(database, NOW, CALLER, TAG, revision=1, reason="x")
    with pytest.raises(Conflict, match="changed meanwhile"):
        operations.scrap(database, NOW, CALLER, TAG, revision=1, reason="x")
    assert operations.show(database, NOW, CODE).state is State.OUT_OF_SERVICE


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"owner": "x"}, "owner"),
        ({"maintainer": "x"}, "maintainer"),
        ({"device_code": "x"}, "device_code"),
        ({"uri": "", "device_code": ""}, "uri"),
        ({"uri": "no uri"}, "uri"),
        ({"kind": "plane"}, "kind"),
        ({"tid": "E2"}, "tid"),
        ({"medium": "LPG!"}, "medium"),
        ({"fill_limit_kg": float("nan")}, "fill_limit_kg"),
        ({"made_on": date(2026, 11, 25)}, "made_on"),
        ({"scrap_on": date(2022, 5, 1)}, "scrap_on"),
    ],
)
def test_a_wrong_form_is_refused_with_the_member_that_is_wrong(changes: dict[str, Any], where: str) -> None:
    with pytest.raises((InputError, IdentifierError)) as caught:
        rules.checked(replace(FORM, **changes), TODAY)
    assert caught.value.where == where


def test_one_tag_and_one_device_code_name_one_thing(database: Database) -> None:
    register(database)
    with pytest.raises(Conflict, match="registered already"):
        register(database, device_code="", kind="cylinder")
    with pytest.raises(Conflict, match="device code belongs"):
        register(database, uri="urn:epc:id:grai:6901234.00001.18")


def test_an_update_keeps_state_and_dates_that_inspections_gave(database: Database) -> None:
    register(database)
    moved = replace(FORM, owner=OTHER)
    assert operations.update(database, NOW, CALLER, moved, revision=1).asset.owner == OTHER
    with pytest.raises(Conflict, match="comes from an inspection"):
        operations.update(database, NOW, CALLER, replace(moved, inspection_due=date(2040, 1, 1)), revision=2)
    with pytest.raises(NotFound):
        operations.update(database, NOW, CALLER, replace(moved, uri="", device_code=CODE[:-1] + "9"), revision=2)


def test_a_company_touches_its_own_things_only(database: Database) -> None:
    register(database)
    stranger = Caller("client:other", OTHER)
    with pytest.raises(NotFound):
        operations.scrap(database, NOW, stranger, TAG, revision=1, reason="x")
    with pytest.raises(NotFound):
        operations.show(database, NOW, TAG, owner=OTHER)
    with pytest.raises(NotAllowed):
        operations.register(database, NOW, stranger, replace(FORM, uri=f"{TAG}9", device_code="", kind="lift"))


def test_the_list_finds_things_by_the_state_they_are_in_today(database: Database) -> None:
    days = {"1": date(2026, 11, 23), "2": date(2026, 11, 24), "3": date(2026, 12, 24), "4": date(2026, 12, 25)}
    for serial, due in days.items():
        register(database, uri=f"urn:epc:id:grai:6901234.00001.{serial}", device_code="", kind="cylinder",
                 inspection_due=due)  # fmt: skip
    register(database, uri="urn:epc:id:grai:6901234.00001.5", device_code="", kind="lift", in_use_on=None,
             inspection_due=None)  # fmt: skip
    register(database, uri="urn:epc:id:grai:6901234.00001.6", device_code="", kind="lift", scrap_on=TODAY)
    everything = operations.page(database, NOW, Filter())
    assert [row.uri for row in everything] == sorted(row.uri for row in everything)
    for state in State:
        found = [row.uri for row in operations.page(database, NOW, Filter(state=state))]
        assert found == [row.uri for row in everything if state_on(row, TODAY) is state], state
    assert len(operations.page(database, NOW, Filter(kind="lift"))) == 2
    assert operations.page(database, NOW, Filter(owner=OTHER)) == []
    assert operations.page(database, NOW, Filter(), after=everything[3].uri, limit=1) == everything[4:5]


days = st.none() | st.dates(date(2026, 11, 1), date(2027, 1, 31))


@given(st.sampled_from(list(State)), days, days, st.dates(date(2026, 11, 1), date(2027, 1, 31)))
def test_the_state_of_a_day_follows_the_table(stored: State, due: date | None, scrap: date | None, day: date) -> None:
    asset = Asset("urn:x:1", "", "", OWNER, due, scrap, "示例", TODAY, state=stored)
    found = state_on(asset, day)
    if scrap is not None and scrap <= day:
        assert found is State.SCRAPPED
    elif found is not stored:
        assert found in (State.DUE_SOON, State.OVERDUE)
        assert found in {TRANSITIONS[stored].get(Step.NEAR_DUE), TRANSITIONS[stored].get(Step.FALL_DUE)}
    if found is State.OVERDUE and stored is not State.OVERDUE:
        assert due is not None
        assert due < day


@given(st.lists(st.dates(date(2020, 1, 1), date(2026, 1, 1)), max_size=6, unique=True), st.dates(date(2019, 1, 1)))
def test_each_day_is_judged_by_the_due_date_that_held_then(inspected: list[date], day: date) -> None:
    due: date | None = date(2020, 6, 1)
    rows = []
    held = due
    for on in sorted(inspected):
        new = on + timedelta(days=400)
        rows.append(Inspection("urn:x:1", on, "1", "示例", passed=True, next_due=new, due_before=due, recorded_by="x",
                               recorded_at=NOW))  # fmt: skip
        due = new
        held = new if on <= day else held
    asset = Asset("urn:x:1", "", "", OWNER, due, None, "示例", TODAY)
    assert rules.as_of(asset, rows[::-1], day).inspection_due == held


def test_default_periods_fill_a_form_and_know_short_months() -> None:
    leap = date(2024, 2, 29)
    assert rules.prefilled("lpg_cylinder", leap) == {
        "inspection_due": date(2028, 2, 29),
        "scrap_on": date(2032, 2, 29),
    }
    assert rules.prefilled("lift", leap) == {"inspection_due": date(2025, 2, 28)}


def http(database: Database, role: ClientRole, subject: str = "") -> tuple[FlaskClient, dict[str, str]]:
    app = create_app(Settings(code_secret=make.SECRET), database)
    app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], clock=lambda: NOW)
    token = accounts.add_client(database, NOW, "test", name="c", role=role, subject=subject)[1]
    return app.test_client(), {"Authorization": f"Bearer {token}"}


def test_the_register_over_http(database: Database) -> None:
    client, may = http(database, ClientRole.REGULATOR)
    form = {"uri": TAG, "owner": OWNER, "source": "合格证", "kind": "lpg_cylinder", "inspection_due": "2020-01-01"}
    made = client.post("/api/v1/equipment", json=form, headers=may)
    assert (made.status_code, made.json and made.json["state"]) == (201, "overdue"), made.text
    assert client.post("/api/v1/equipment", json=form, headers=may).status_code == 409
    wrong = client.post("/api/v1/equipment", json=form | {"device_code": "1" * 18, "uri": ""}, headers=may)
    assert (wrong.status_code, wrong.mimetype) == (400, "application/problem+json"), wrong.text
    result = {"uri": TAG, "version": 1, "inspected_on": "2026-01-05", "certificate_no": "1", "body": "示例"}
    told = client.post(
        "/api/v1/equipment/inspections", json=result | {"passed": True, "next_due": "2099-01-01"}, headers=may
    )
    assert (told.status_code, told.json and told.json["state"]) == (201, "inspected"), told.text
    step = {"uri": TAG, "version": 2, "step": "put_in_use"}
    assert client.post("/api/v1/equipment/steps", json=step, headers=may).json["state"] == "in_use"  # type: ignore[index]
    assert client.post("/api/v1/equipment/steps", json=step, headers=may).status_code == 409
    shown = client.get("/api/v1/equipment/one", query_string={"uri": TAG}, headers=may)
    assert shown.json is not None
    assert [row["certificate_no"] for row in shown.json["inspections"]] == ["1"]
    page = client.get("/api/v1/equipment?limit=1&state=in_use", headers=may).json
    assert page is not None
    assert (len(page["items"]), page["has_more"]) == (1, False)
    behind = client.get("/api/v1/equipment", query_string={"cursor": page["next_cursor"]}, headers=may).json
    assert behind is not None
    assert behind["items"] == []
    assert client.get("/api/v1/equipment?cursor=AAAA", headers=may).status_code == 400
    kinds = client.get("/api/v1/equipment/kinds", headers=may).json
    assert kinds is not None
    assert {row["name"] for row in kinds["items"]} >= {"lift", "lpg_cylinder", "boiler"}
    filled = client.get("/api/v1/equipment/prefill?kind=lift&made_on=2026-01-01", headers=may).json
    assert filled == {"inspection_due": "2027-01-01", "scrap_on": None}


def test_a_companys_client_registers_its_own_and_records_no_inspection(database: Database) -> None:
    make.load(database)
    client, may = http(database, ClientRole.PRODUCER, OWNER)
    form = {"uri": TAG, "owner": OWNER, "source": "合格证", "kind": "lpg_cylinder"}
    assert client.post("/api/v1/equipment", json=form | {"owner": OTHER}, headers=may).status_code == 403
    assert client.post("/api/v1/equipment", json=form, headers=may).status_code == 201
    result = {"uri": TAG, "version": 1, "inspected_on": "2026-01-05", "certificate_no": "1", "body": "示例"}
    refused = client.post("/api/v1/equipment/inspections", json=result | {"passed": False}, headers=may)
    assert refused.status_code == 403


def test_the_register_on_the_command_line(database: Database) -> None:
    services = Services(database, Settings(code_secret=make.SECRET), lambda: NOW)

    def run(*words: str) -> Any:
        done = CliRunner().invoke(commands[0], [*words, "--json"], obj=services)
        assert done.exit_code == 0, (done.output, done.exception)
        return json.loads(done.stdout)

    told = ["--owner", OWNER, "--source", "合格证", "--in-use-on", "2022-01-01", "--inspection-due", "2026-05-01"]
    assert run("register", "--device-code", CODE, *told)["state"] == "overdue"
    uri = run("show", CODE)["uri"]
    assert uri == f"urn:suyuan:equipment:{CODE}"
    result = ["--on", "2026-11-20", "--certificate-no", "1", "--body", "示例", "--passed", "--next-due", "2030-01-01"]
    assert run("inspect", uri, "--version", "1", *result)["state"] == "inspected"
    assert run("put-in-use", uri, "--version", "2")["state"] == "in_use"
    assert run("take-out", uri, "--version", "3", "--reason", "x")["state"] == "out_of_service"
    assert run("scrap", uri, "--version", "4", "--reason", "x")["state"] == "scrapped"
    assert [row["uri"] for row in run("list", "--state", "scrapped")["equipment"]] == [uri]
    assert run("list", "--state", "overdue")["equipment"] == []
    assert len(run("kinds")["kinds"]) >= 8
    assert run("prefill", "--kind", "lift", "--made-on", "2026-01-01") == {"inspection_due": "2027-01-01"}
    for words in (["show", uri], ["list"], ["kinds"]):
        done = CliRunner().invoke(commands[0], words, obj=services)
        assert done.exit_code == 0
        assert done.stdout.strip()
