"""Events that share a transformationID tell one transformation: inputs of all of them, outputs of all of them."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.server.portal import make
from trace_server.db import Database
from trace_server.trace.allocating import Amount, Basis
from trace_server.trace.answering import ask
from trace_server.trace.model import Direction
from trace_server.trace.question import Question

ID = "urn:epc:id:gdti:0614141.06012.1234"
OTHER_RAW = make.RAW_URI + "B"


def told(hour: int, **members: Any) -> dict[str, Any]:
    return make.event("TransformationEvent", f"2026-11-20T{hour:02}:00:00", "", make.DAIRY, **members)


def amount(uri: str, quantity: float, uom: str = "KGM") -> dict[str, Any]:
    return {"epcClass": uri, "quantity": quantity, "uom": uom}


def parts(name: str = ID) -> list[dict[str, Any]]:
    return [
        told(6, inputQuantityList=[amount(make.RAW_URI, 100)], transformationID=name),
        told(7, inputQuantityList=[amount(OTHER_RAW, 300)], transformationID=name),
        told(9, outputQuantityList=[amount(make.LOT_URI, 50)], transformationID=name),
    ]


def reached(database: Database, uri: str, direction: Direction) -> dict[str, float | None]:
    with database.read() as conn:
        [part] = ask(conn, database.dialect, Question(uri, (direction,)), make.NOW).parts
    return {entry.uri: entry.node.quantity for entry in part.nodes if entry.uri != uri}


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_parts_in_any_order_are_one_transformation(database: Database, order: tuple[int, ...]) -> None:
    for number in order:
        make.capture(database, parts()[number])
    assert reached(database, make.LOT_URI, Direction.UPSTREAM) == {make.RAW_URI: 100, OTHER_RAW: 300}
    for source in (make.RAW_URI, OTHER_RAW):
        assert reached(database, source, Direction.DOWNSTREAM) == {make.LOT_URI: 50}


def test_the_shares_of_joined_parts_are_in_proportion(database: Database) -> None:
    side = told(10, outputQuantityList=[amount(make.LOT_URI + "S", 150)], transformationID=ID)
    make.capture(database, *parts(), side, make.commissioned())
    assert shares(database, make.LOT_URI, Direction.UPSTREAM) == {
        make.RAW_URI: (Amount(25, "KGM", Basis.ALLOCATED),),
        OTHER_RAW: (Amount(75, "KGM", Basis.ALLOCATED),),
    }
    assert shares(database, OTHER_RAW, Direction.DOWNSTREAM) == {
        make.LOT_URI: (Amount(75, "KGM", Basis.ALLOCATED),),
        make.LOT_URI + "S": (Amount(225, "KGM", Basis.ALLOCATED),),
        make.ITEM: (Amount(75, "KGM", Basis.ALLOCATED),),
    }


def shares(database: Database, uri: str, direction: Direction) -> dict[str, tuple[Amount, ...]]:
    with database.read() as conn:
        [part] = ask(conn, database.dialect, Question(uri, (direction,)), make.NOW).parts
    names = {entry.node.object_key: entry.uri for entry in part.nodes}
    return {names[key]: found for key, found in part.shares.items() if key in names}


def test_the_events_of_all_parts_are_in_the_answer(database: Database) -> None:
    make.capture(database, *parts())
    for uri, direction in ((make.LOT_URI, Direction.UPSTREAM), (make.RAW_URI, Direction.DOWNSTREAM)):
        with database.read() as conn:
            steps = ask(conn, database.dialect, Question(uri, (direction,)), make.NOW).steps
        assert len(steps) == (3 if direction is Direction.UPSTREAM else 2)


def test_another_transformation_id_is_another_transformation(database: Database) -> None:
    make.capture(database, parts()[0], parts("urn:example:other")[2])
    assert reached(database, make.LOT_URI, Direction.UPSTREAM) == {}


def test_a_transformation_id_is_one_in_both_spellings(database: Database) -> None:
    other = "https://id.gs1.org/253/06141410601221234"
    make.capture(database, parts()[0], parts(other)[2])
    assert reached(database, make.LOT_URI, Direction.UPSTREAM) == {make.RAW_URI: 100}


def test_a_transformation_id_that_is_also_a_container_joins_nothing_else(database: Database) -> None:
    make.capture(database, make.commissioned(), make.packed(), *parts(make.CASE))
    assert reached(database, make.LOT_URI, Direction.UPSTREAM) == {make.RAW_URI: 100, OTHER_RAW: 300}
    assert reached(database, make.ITEM, Direction.DOWNSTREAM) == {make.CASE: None}


def test_a_part_that_is_taken_back_is_no_part(database: Database) -> None:
    wrong = parts()[1]
    make.capture(database, *parts())
    make.capture(database, wrong | {"errorDeclaration": {"declarationTime": "2026-11-23T00:00:00Z"}})
    assert reached(database, make.LOT_URI, Direction.UPSTREAM) == {make.RAW_URI: 100}
    assert reached(database, OTHER_RAW, Direction.DOWNSTREAM) == {}


def test_a_part_that_two_senders_record_counts_once(database: Database) -> None:
    for client in ("a", "b"):
        make.capture(database, *parts(), client=client)
    with database.read() as conn:
        [part] = ask(conn, database.dialect, Question(make.LOT_URI, (Direction.UPSTREAM,)), make.NOW).parts
    assert len(part.nodes) == 3
