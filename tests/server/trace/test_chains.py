"""Chains: what belongs to goods at which time, whatever order the events came in."""

from __future__ import annotations

import itertools
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.server.portal import make
from trace_core.errors import InputError, NotFound
from trace_core.ids.canonical import object_key
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Role
from trace_server.app import create_app
from trace_server.catalog.operations import item_key, lot_key
from trace_server.config import Settings
from trace_server.db import Database
from trace_server.trace import directions, operations, rules
from trace_server.trace.answering import ask
from trace_server.trace.model import Direction, Group, Journey, Link, LinkRole, Relation
from trace_server.trace.question import Question
from trace_server.trace.rules import stays, step_name

START = datetime(2026, 1, 1, tzinfo=UTC)
BOX, OTHER, THING = b"b" * 16, b"o" * 16, b"t" * 16


def at(minutes: int) -> datetime:
    return START + timedelta(minutes=minutes)


def move(role: LinkRole, minutes: int, parent: bytes = BOX) -> Link:
    return Link(at(minutes), f"{minutes:016d}".encode(), parent, role)


def journey(database: Database) -> Journey:
    with database.read() as conn:
        return operations.journey(
            conn, database.dialect, item=item_key(make.GTIN, make.SERIAL), lot=lot_key(make.GTIN, make.LOT)
        )


def steps(database: Database) -> list[str]:
    return [step_name(hop.event.biz_step) for hop in journey(database).hops]


WAY = [
    "stocking",
    "unpacking",
    "receiving",
    "shipping",
    "packing",
    "commissioning",
    "creating_class_instance",
    "receiving",
]


def test_a_journey_has_own_container_lot_and_input_events_newest_first(database: Database) -> None:
    make.capture(database, *make.whole_way())
    found = journey(database).hops
    assert [step_name(hop.event.biz_step) for hop in found] == WAY
    assert [hop.node.relation for hop in found[2:4]] == [Relation.CONTAINER] * 2
    assert found[-2].node.relation is Relation.LOT
    assert found[-1].node.is_input


def test_the_order_of_arrival_does_not_matter(database: Database) -> None:
    events = make.whole_way()
    random.Random(7).shuffle(events)
    for event in events:
        make.capture(database, event)
    assert steps(database) == WAY


def test_what_happens_to_a_container_before_and_after_does_not_count(database: Database) -> None:
    make.load(database)
    make.capture(database, *make.whole_way())
    make.capture(database, make.shipped("2026-11-19T08:00:00"), make.received("2026-11-23T08:00:00"))
    assert steps(database) == WAY


def test_a_late_event_changes_the_answer(database: Database) -> None:
    way = make.whole_way()
    make.capture(database, *way[:5])
    make.capture(database, make.received("2026-11-25T00:00:00"))
    assert "receiving" in steps(database)[0]
    make.capture(database, make.unpacked("2026-11-24T00:00:00"))
    assert steps(database)[0] == "unpacking"


def test_emptying_a_whole_container_ends_every_stay(database: Database) -> None:
    make.capture(database, make.commissioned(), make.packed(), make.shipped())
    make.capture(database, make.unpacked("2026-11-22T00:00:00", childEPCs=[]))
    make.capture(database, make.received("2026-11-22T04:30:00"))
    assert steps(database) == ["unpacking", "shipping", "packing", "commissioning"]


def test_packing_other_things_into_the_same_case_is_no_hop(database: Database) -> None:
    make.capture(database, make.commissioned(), make.packed())
    other = make.packed("2026-11-20T08:00:00")
    other["childEPCs"] = [make.ITEM[:-1] + "9"]
    make.capture(database, other)
    assert steps(database) == ["packing", "commissioning"]


def test_containers_in_containers_are_followed(database: Database) -> None:
    pallet = make.case(2)
    onto = make.packed("2026-11-20T09:00:00", parent=pallet)
    onto["childEPCs"] = [make.CASE]
    make.capture(database, make.commissioned(), make.packed(), onto, make.shipped(what=pallet))
    assert steps(database) == ["shipping", "packing", "packing", "commissioning"]


def test_an_event_declared_wrong_disappears_with_its_declaration(database: Database) -> None:
    wrong = make.shipped()
    make.capture(database, make.commissioned(), make.packed(), wrong)
    assert steps(database)[0] == "shipping"
    declaration = {"declarationTime": "2026-11-23T00:00:00+08:00"}
    make.capture(database, wrong | {"errorDeclaration": declaration})
    assert steps(database) == ["packing", "commissioning"]


def test_only_who_recorded_an_event_may_declare_it_wrong(database: Database) -> None:
    sent = make.shipped()
    make.capture(database, make.commissioned(), make.packed(), sent)
    declaration = {"declarationTime": "2026-11-23T00:00:00+08:00"}
    make.capture(database, sent | {"errorDeclaration": declaration}, client="stranger")
    assert steps(database)[0] == "shipping"


def test_what_two_senders_record_is_one_hop_with_both_recorders(database: Database) -> None:
    make.capture(database, make.commissioned(), make.packed())
    for client in ("a", "b", "a"):
        make.capture(database, make.shipped(), client=client)
    hops = journey(database).hops
    assert [step_name(hop.event.biz_step) for hop in hops] == ["shipping", "packing", "commissioning"]
    assert {hops[0].event.source, *hops[0].event.also_by} == {"client:a", "client:b"}


def test_a_hop_of_two_recorders_stays_when_one_takes_it_back(database: Database) -> None:
    sent = make.shipped()
    make.capture(database, make.commissioned(), make.packed())
    for client in ("a", "b"):
        make.capture(database, sent, client=client)
    make.capture(database, sent | {"errorDeclaration": {"declarationTime": "2026-11-23T00:00:00Z"}}, client="a")
    hop = journey(database).hops[0]
    assert (step_name(hop.event.biz_step), hop.event.source, hop.event.also_by) == ("shipping", "client:b", ())


@pytest.mark.parametrize(("missing", "gap_at"), [("receiving", "unpacking"), ("shipping", "receiving")])
def test_a_transfer_without_both_sides_is_a_gap(database: Database, missing: str, gap_at: str) -> None:
    make.load(database)
    way = [event for event in make.whole_way()[1:] if event["bizStep"] != missing]
    make.capture(database, *way)
    assert [step_name(hop.event.biz_step) for hop in journey(database).hops if hop.gap_before] == [gap_at]


def test_a_recorded_transfer_has_no_gap(database: Database) -> None:
    make.load(database)
    make.capture(database, *make.whole_way())
    assert not any(hop.gap_before for hop in journey(database).hops)


def test_an_equal_number_of_links_means_that_nothing_is_new(database: Database) -> None:
    make.capture(database, *make.whole_way()[:4])
    before = journey(database)
    with database.read() as conn:
        assert operations.links_now(conn, database.dialect, before.keys) == before.link_count
    make.capture(database, make.shipped())
    with database.read() as conn:
        assert operations.links_now(conn, database.dialect, before.keys) == before.link_count + 1


def test_cycles_of_rework_end(database: Database) -> None:
    def turn(source: str, target: str, hour: int) -> dict[str, Any]:
        lists = {
            "inputQuantityList": [{"epcClass": source, "quantity": 1}],
            "outputQuantityList": [{"epcClass": target, "quantity": 1}],
        }
        return make.event("TransformationEvent", f"2026-11-20T{hour:02}:00:00", "", make.DAIRY, **lists)

    make.capture(
        database,
        *(
            turn(*pair, hour)
            for hour, pair in enumerate(
                itertools.islice(itertools.cycle([(make.LOT_URI, make.RAW_URI), (make.RAW_URI, make.LOT_URI)]), 10)
            )
        ),
    )
    with database.read() as conn:
        answer = ask(conn, database.dialect, Question(make.LOT_URI, tuple(Direction)), make.NOW)
    assert not answer.truncated
    for part in answer.parts:
        assert {entry.uri for entry in part.nodes} == {make.LOT_URI, make.RAW_URI}


def test_upstream_refuses_what_is_no_identifier_and_what_nobody_named(database: Database) -> None:
    with database.read() as conn:
        for uri, error in (("milk", InputError), (make.ITEM, NotFound)):
            with pytest.raises(error):
                ask(conn, database.dialect, Question(uri, (Direction.UPSTREAM,)), make.NOW)


def test_upstream_over_http_names_nodes_times_and_events(database: Database) -> None:
    make.capture(database, *make.whole_way())
    http = create_app(Settings(code_secret=make.SECRET), database).test_client()
    _, token = accounts.add_client(database, make.NOW, "tester", name="r", role=Role.REGULATOR)
    bearer = {"Authorization": f"Bearer {token}"}
    spelled = "urn:epc:id:sgtin:6901234.056789.000123"
    response = http.get("/api/v1/trace/upstream", query_string={"uri": spelled}, headers=bearer)
    assert response.status_code == 200
    found = response.get_json()
    assert found["uri"] == make.ITEM
    relations = {node["uri"]: (node["relation"], node["is_input"]) for node in found["nodes"]}
    assert relations == {
        make.ITEM: ("self", False),
        make.CASE: ("container", False),
        make.LOT_URI: ("lot", False),
        make.RAW_URI: ("input", True),
    }
    [case] = [node for node in found["nodes"] if node["uri"] == make.CASE]
    assert case["valid_from"].startswith("2026-11-19T23:00")
    assert case["valid_to"].startswith("2026-11-22T01:00")
    assert len(found["events"]) == 8
    assert http.get("/api/v1/trace/upstream", query_string={"uri": spelled}).status_code == 401
    assert http.get("/api/v1/trace/upstream", query_string={"uri": "urn:x:y"}, headers=bearer).status_code == 404


def test_ten_thousand_nodes_take_one_query_a_level() -> None:
    width, depth = 400, 25
    calls = []

    def name(level: int, index: int) -> bytes:
        return f"{level:06d}{index:010d}".encode()

    class Grid:
        def links(self, keys: Any) -> list[Group]:
            calls.append(len(keys))
            return [
                Group(Link(at(1000 - int(key[:6])), key, key, LinkRole.OUTPUT), [key])
                for key in keys
                if int(key[:6]) < depth
            ]

        def inputs(self, events: Any) -> list[Group]:
            found = []
            for event in events:
                level, index = int(event[:6]), int(event[6:])
                sources = [name(level + 1, one) for one in ({index, (index * 7) % width} if level else range(width))]
                found.append(Group(Link(at(1000 - level), event, event, LinkRole.INPUT), sources))
            return found

        def outputs(self, _events: Any) -> list[Group]:
            return []

        parts = outputs

        def settled(self) -> bool:
            return True

    chain = directions.upstream(rules.start_nodes([name(0, 0)], []), Grid())
    assert len({node.object_key for node in chain.nodes}) > 9_000
    assert len(calls) <= depth + 2


_MOVES = st.lists(
    st.tuples(
        st.sampled_from([LinkRole.CHILD_ADD, LinkRole.CHILD_DELETE]),
        st.integers(0, 30),
        st.sampled_from([BOX, OTHER]),
    ),
    max_size=12,
    unique_by=lambda entry: entry[1],
)


@given(_MOVES, st.randoms(use_true_random=False))
def test_stays_do_not_depend_on_order_and_never_overlap(
    moves: list[tuple[LinkRole, int, bytes]], shuffler: random.Random
) -> None:
    links = [move(*entry) for entry in moves]
    expected = stays(links, {})
    shuffler.shuffle(links)
    assert stays(links, {}) == expected
    for first, second in itertools.pairwise(expected):
        assert first.interval.end <= second.interval.start
    for stay in expected:
        assert stay.interval.start < stay.interval.end


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("urn:epcglobal:cbv:bizstep:shipping", "shipping"),
        ("https://ref.gs1.org/cbv/BizStep-creating_class_instance", "creating_class_instance"),
        ("shipping", "shipping"),
        ("", ""),
    ],
)
def test_a_business_step_has_one_short_name(uri: str, name: str) -> None:
    assert step_name(uri) == name


def test_keys_of_code_and_tag_are_one(database: Database) -> None:
    assert item_key(make.GTIN, make.SERIAL) == object_key("urn:epc:id:sgtin:6901234.056789.000123")
