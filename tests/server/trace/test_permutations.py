"""The promise of chains: the same events give the same chains, in whatever order and batches they arrive."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.server.portal import make
from trace_core.ids import gs1
from trace_core.ids.canonical import object_key
from trace_server.db import Database
from trace_server.ingest import tables
from trace_server.trace import directions, store
from trace_server.trace.model import ALWAYS, Chain, Direction, Interval, LinkRole, Node, Relation
from trace_server.trace.reading import Reading
from trace_server.trace.shares import Shares, shares

START = datetime(2026, 3, 1, tzinfo=UTC)
RAW, MIXED, PACKED = (f"0690123400{n:03d}" for n in (101, 202, 303))


def lot(product: str, number: int) -> str:
    return f"https://id.gs1.org/01/{product}{gs1.check_digit(product)}/10/L{number}"


def item(number: int) -> str:
    return f"https://id.gs1.org/01/{PACKED}{gs1.check_digit(PACKED)}/21/{number}"


def world(seed: int) -> list[dict[str, Any]]:
    """Farm lots, two levels of mixing and splitting, items, cases, pallets, repacking, emptying, mistakes taken back.

    Times collide on purpose; some moves contradict one another.
    """
    dice = random.Random(seed)
    events: list[dict[str, Any]] = []

    def add(kind: str, step: str, **members: Any) -> dict[str, Any]:
        when = (START + timedelta(minutes=10 * dice.randrange(40))).isoformat()[:19]
        made = make.event(kind, when, step, dice.choice([make.DAIRY, make.DOCK, make.GATE]), **members)
        events.append(made)
        return made

    def amounts(product: str, count: int) -> list[dict[str, Any]]:
        numbers = dice.sample(range(4), count)
        return [{"epcClass": lot(product, n), "quantity": dice.randrange(1, 50), "uom": "KGM"} for n in numbers]

    for source, target in ((RAW, MIXED), (MIXED, PACKED), (MIXED, PACKED), (RAW, MIXED)):
        inputs, outputs = amounts(source, 2), amounts(target, dice.randrange(1, 3))
        add("TransformationEvent", "", inputQuantityList=inputs, outputQuantityList=outputs)
    for name in ("T1", "T2"):  # told in parts: inputs here, outputs there
        told = {"transformationID": f"urn:example:{name}"}
        for _ in range(2):
            add("TransformationEvent", "", inputQuantityList=amounts(RAW, dice.randrange(1, 3)), **told)
        add("TransformationEvent", "", outputQuantityList=amounts(MIXED, 2), **told)
        add("TransformationEvent", "", outputQuantityList=amounts(PACKED, 1), **told)
    for number in range(6):
        ilmd = {"cbvmda:lotNumber": f"L{dice.randrange(4)}"}
        add("ObjectEvent", "commissioning", action="ADD", epcList=[item(number)], ilmd=ilmd)
    for _ in range(8):
        children = [item(n) for n in dice.sample(range(6), 2)]
        action = dice.choice(["ADD", "ADD", "DELETE"])
        add("AggregationEvent", "packing", action=action, parentID=make.case(dice.randrange(2)), childEPCs=children)
    for action in ("ADD", "ADD", "DELETE"):
        children = [make.case(dice.randrange(2))]
        add("AggregationEvent", "packing", action=action, parentID=make.case(7), childEPCs=children)
    add("AggregationEvent", "unpacking", action="DELETE", parentID=make.case(dice.randrange(2)), childEPCs=[])
    for step in ("shipping", "receiving"):
        add("ObjectEvent", step, action="OBSERVE", epcList=[make.case(7)])
    for kinds in (lambda one: one["type"] == "AggregationEvent", lambda one: "transformationID" in one):
        wrong = dice.choice([one for one in events if kinds(one)])
        events.append(wrong | {"errorDeclaration": {"declarationTime": "2026-03-09T00:00:00Z"}})
    return events


def batches(events: Sequence[dict[str, Any]], dice: random.Random) -> Iterator[list[dict[str, Any]]]:
    """The events in a random order, cut at random."""
    rest = dice.sample(list(events), len(events))
    while rest:
        size = dice.randrange(1, 12)
        yield rest[:size]
        rest = rest[size:]


def answers(database: Database) -> list[tuple[Chain, Shares]]:
    """Every chain of the world in both directions, without what only says when an event was recorded."""
    found: list[tuple[Chain, Shares]] = []
    asked = [lot(product, n) for product in (RAW, MIXED, PACKED) for n in range(4)]
    asked += [item(n) for n in range(6)] + [make.case(n) for n in (0, 1, 7)]
    window = Interval(START + timedelta(hours=1), START + timedelta(hours=4))
    with database.read() as conn:
        for key in map(object_key, asked):
            nodes = [Node(key, ALWAYS, Relation.SELF, 0, None)]
            reading = Reading(conn, database.dialect)
            chain = directions.upstream(nodes, reading.checked_at_the_end(), contents=True)
            found.append((chain, shares(conn, database.dialect, reading, Direction.UPSTREAM, chain)))
            for counts in (ALWAYS, window):
                reading = Reading(conn, database.dialect)
                chain = directions.downstream([Node(key, counts, Relation.SELF, 0, None)], reading.checked_at_the_end())
                found.append((chain, shares(conn, database.dialect, reading, Direction.DOWNSTREAM, chain)))
    return found


def forget(database: Database) -> None:
    with database.begin() as conn:
        for table in (tables.link, tables.object_, tables.event, tables.capture, tables.capture_job):
            conn.execute(table.delete())


@pytest.mark.parametrize("seed", range(4))
def test_every_order_and_every_split_into_batches_gives_the_same_chains(database: Database, seed: int) -> None:
    events = world(seed)
    make.capture(database, *events)
    expected = answers(database)
    assert any(chain.nodes[-1].depth > 2 and parted for chain, parted in expected)
    for turn in range(2):
        forget(database)
        for batch in batches(events, random.Random(100 * seed + turn)):
            make.capture(database, *batch)
        assert answers(database) == expected


@pytest.mark.parametrize("seed", range(2))
def test_grouped_reading_tells_every_link_once_and_members_that_hold_nothing_have_no_parts(
    database: Database, seed: int
) -> None:
    make.capture(database, *world(seed))
    with database.read() as conn:
        rows = conn.execute(tables.link.select()).all()
        keys = sorted({row.object_key for row in rows})
        groups = store.links_of(conn, database.dialect, keys)
        parts = store.parts_of(conn, database.dialect, keys)
    recorded = Counter((row.object_key, row.event_key, row.peer_key, row.event_time, row.quantity) for row in rows)
    assert recorded == Counter(
        (key, link.event_key, link.peer_key, link.event_time, link.quantity)
        for link, objects in groups
        for key in objects
    )
    members = {key for link, objects in groups if link.role is LinkRole.MEMBER for key in objects}
    holders = {LinkRole.PARENT, LinkRole.PARENT_CLEARED}
    containers = {key for link, objects in groups if link.role in holders for key in objects}
    assert members
    assert not (members - containers) & {link.peer_key for link, _ in parts}
