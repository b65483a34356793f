"""What offices are told of a chain: who answers for each event, and the same answer in every format."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import openpyxl
import pytest
from click.testing import CliRunner

from tests.server.portal import make
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Role
from trace_server.app import create_app
from trace_server.cli import cli
from trace_server.config import Settings
from trace_server.db import Database
from trace_server.trace import picture
from trace_server.trace.answering import ask
from trace_server.trace.model import Direction
from trace_server.trace.question import Answer, LicenceOnDay, Question
from trace_server.trace.rules import step_name


def answer(database: Database, uri: str, *directions: Direction) -> Answer:
    with database.read() as conn:
        return ask(conn, database.dialect, Question(uri, directions or tuple(Direction)), make.NOW)


@pytest.fixture
def office(database: Database) -> Any:
    """A client of an office that reads chains; the whole way of one carton is told."""
    make.load(database)
    make.capture(database, *make.whole_way())
    _, token = accounts.add_client(database, make.NOW, "tester", name="r", role=Role.REGULATOR)
    http = create_app(Settings(code_secret=make.SECRET), database).test_client()

    def get(path: str, **query: Any) -> Any:
        return http.get(f"/api/v1/trace/{path}", query_string=query, headers={"Authorization": f"Bearer {token}"})

    return get


def test_downstream_of_a_raw_lot_reaches_product_item_and_case_with_amounts(database: Database) -> None:
    make.capture(database, *make.whole_way())
    [part] = answer(database, make.RAW_URI, Direction.DOWNSTREAM).parts
    found = {entry.uri: entry.node for entry in part.nodes}
    assert {uri: node.relation.value for uri, node in found.items()} == {
        make.RAW_URI: "self",
        make.LOT_URI: "output",
        make.ITEM: "member",
        make.CASE: "container",
    }
    assert (found[make.LOT_URI].quantity, found[make.LOT_URI].event_key is not None) == (4800.0, True)


def test_what_was_used_before_the_window_is_not_downstream(office: Any) -> None:
    found = office("downstream", uri=make.RAW_URI, **{"from": "2026-11-21T00:00:00+08:00"}).get_json()
    assert [node["uri"] for node in found["nodes"]] == [make.RAW_URI]


def test_unpacking_where_the_case_never_arrived_is_a_gap(database: Database) -> None:
    make.load(database)
    gaps = []
    for way in ([one for one in make.whole_way() if one["bizStep"] != "receiving"], make.whole_way()):
        make.capture(database, *way)
        steps = answer(database, make.LOT_URI, Direction.DOWNSTREAM).steps
        gaps.append([step_name(step.hop.event.biz_step) for step in steps if step.hop.gap_before])
    assert gaps == [["unpacking"], []]


def test_depth_cuts_the_chain_and_says_so(office: Any) -> None:
    found = office("downstream", uri=make.RAW_URI, depth=1).get_json()
    assert [node["uri"] for node in found["nodes"]] == [make.RAW_URI, make.LOT_URI]
    assert found["truncated"]


def test_upstream_of_a_case_reaches_what_its_contents_were_made_from(database: Database) -> None:
    make.capture(database, *make.whole_way())
    [part] = answer(database, make.CASE, Direction.UPSTREAM).parts
    assert {entry.uri for entry in part.nodes} == {make.CASE, make.ITEM, make.LOT_URI, make.RAW_URI}


def test_each_event_names_party_and_licence_of_that_day(database: Database) -> None:
    make.load(database)
    make.capture(database, *make.whole_way())
    steps = {step.hop.event.biz_step: step for step in answer(database, make.ITEM, Direction.UPSTREAM).steps}
    packed = steps["packing"] if "packing" in steps else next(s for n, s in steps.items() if n.endswith("packing"))
    assert (packed.uscc, packed.party) == (make.PRODUCER, "示例乳业有限公司")
    assert (packed.licence, packed.licence_number) == (LicenceOnDay.HELD, "SC10532090000001")
    stocked = next(step for name, step in steps.items() if name.endswith("stocking"))
    assert (stocked.uscc, stocked.licence) == (make.MARKET, LicenceOnDay.UNKNOWN)


def test_a_spreadsheet_has_a_row_an_event_and_says_what_was_asked(office: Any) -> None:
    told = office("both", uri=make.ITEM).get_json()["events"]
    rows = list(csv.DictReader(io.StringIO(office("both/file", uri=make.ITEM, format="csv").data.decode("utf-8-sig"))))
    assert [row["event_key"] for row in rows] == [event["event_key"] for event in reversed(told)]
    assert rows[0]["party_uscc"] == make.PRODUCER
    book = openpyxl.load_workbook(io.BytesIO(office("both/file", uri=make.ITEM, format="xlsx").data))
    filters = {row[0].value: row[1].value for row in book.worksheets[-1].iter_rows()}
    assert (filters["object"], filters["rows"]) == (make.ITEM, str(len(rows)))


def test_the_epcis_document_holds_the_events_of_the_chain(office: Any) -> None:
    told = {event["event_key"] for event in office("both", uri=make.ITEM).get_json()["events"]}
    document = json.loads(office("both/file", uri=make.ITEM, format="epcis").data)
    assert len(document["epcisBody"]["queryResults"]["resultsBody"]["eventList"]) == len(told) == 8


def test_the_picture_is_svg_without_any_link(office: Any) -> None:
    response = office("both/file", uri=make.ITEM, format="svg")
    assert response.mimetype == "image/svg+xml"
    tree = ET.fromstring(response.data)
    assert not [element for element in tree.iter() if element.tag.endswith(("}a", "}script"))]
    assert make.LOT in response.get_data(as_text=True)


def test_more_objects_than_a_picture_holds_are_drawn_as_groups_with_counts(database: Database) -> None:
    many = make.commissioned()
    many["epcList"] = [make.ITEM + str(number) for number in range(100, 300)]
    make.capture(database, many)
    drawn = picture.dot(answer(database, make.LOT_URI, Direction.DOWNSTREAM))
    assert drawn.count(" [label=") < 10
    assert "×200" in drawn


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("sideways", {"uri": make.ITEM}, 400),
        ("both", {"uri": "milk"}, 400),
        ("both", {"uri": "urn:x:y"}, 404),
        ("both", {"uri": make.ITEM, "depth": 0}, 400),
        ("both", {"uri": make.ITEM, "from": "2026-11-21T00:00:00"}, 400),
        ("both/file", {"uri": make.ITEM, "format": "pdf"}, 400),
    ],
)
def test_a_wrong_question_is_refused_with_a_problem(office: Any, path: str, query: Any, status: int) -> None:
    response = office(path, **query)
    assert (response.status_code, response.mimetype) == (status, "application/problem+json")


def test_the_command_line_gives_the_same_answer(database: Database, migrated_url: str, tmp_path: Path) -> None:
    make.capture(database, *make.whole_way())
    environment = {"SUYUAN_DATABASE_URL": migrated_url}
    runner = CliRunner()
    shown = runner.invoke(cli, ["trace", "both", make.ITEM, "--json"], env=environment)
    assert shown.exit_code == 0, shown.output
    assert json.loads(shown.stdout)["uri"] == make.ITEM
    target = tmp_path / "chain.xlsx"
    wrote = runner.invoke(
        cli, ["trace", "both", make.ITEM, "--format", "xlsx", "--output", str(target)], env=environment
    )
    assert wrote.exit_code == 0, wrote.output
    assert target.read_bytes().startswith(b"PK")
    plain = runner.invoke(cli, ["trace", "upstream", make.ITEM], env=environment)
    assert make.RAW_URI in plain.stdout


def test_a_row_tells_the_quantity_that_its_own_event_recorded(office: Any) -> None:
    data = office("downstream/file", uri=make.RAW_URI, format="csv").data.decode("utf-8-sig")
    told = {row["business_step"]: (row["quantity"], row["unit"]) for row in csv.DictReader(io.StringIO(data))}
    assert told["receiving"] in (("5200", "LTR"), ("", ""))
    assert told["creating_class_instance"] == ("5200", "LTR")
    assert told["packing"] == ("", "")


def test_downstream_what_travels_in_a_recorded_container_has_no_gap_and_the_container_has(database: Database) -> None:
    make.load(database)
    way = make.whole_way()
    make.capture(database, *way)
    steps = answer(database, make.LOT_URI, Direction.DOWNSTREAM).steps
    assert not any(step.hop.gap_before for step in steps)
    make.capture(database, make.shipped("2026-11-21T21:00:00") | {"bizStep": "storing"})
    steps = answer(database, make.LOT_URI, Direction.DOWNSTREAM).steps
    assert {step.uri for step in steps if step.hop.gap_before} == {make.CASE}
