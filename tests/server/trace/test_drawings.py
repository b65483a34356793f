"""Timeline and map of a chain: every place and event is on them, and no text of an event becomes markup."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from tests.server.portal import make
from trace_server.db import Database
from trace_server.trace import drawings
from trace_server.trace.answering import ask
from trace_server.trace.model import Direction
from trace_server.trace.question import Answer, Question

SPOTS = {make.DAIRY: (33.35, 120.16), make.DOCK: (33.36, 120.17), make.GATE: (32.06, 118.80)}


def answer(database: Database, name: str = "市场南门") -> Answer:
    places = [
        make.place(uri, *words) | dict(zip(("latitude", "longitude"), SPOTS.get(uri, (None, None)), strict=True))
        for uri, *words in (
            (make.DAIRY, "一号车间", "Workshop 1", "盐城", "Yancheng", make.PRODUCER),
            (make.DOCK, "发货月台", "Loading dock", "盐城", "Yancheng", make.PRODUCER),
            (make.GATE, name, "South gate", "南京", "Nanjing", make.MARKET),
            (make.SHELF, "鲜奶柜台", "Fresh milk counter", "南京", "Nanjing", make.MARKET),
        )
    ]
    make.load(database, places=[{key: one[key] for key in one if one[key] is not None} for one in places])
    make.capture(database, *make.whole_way())
    with database.read() as conn:
        return ask(conn, database.dialect, Question(make.ITEM, tuple(Direction)), make.NOW)


def texts(svg: bytes) -> list[str]:
    return ["".join(one.itertext()) for one in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def test_a_timeline_has_a_row_a_place_and_a_mark_an_event(database: Database) -> None:
    found = answer(database)
    svg = drawings.timeline(found)
    assert texts(svg)[:4] == ["一号车间", "发货月台", "市场南门", "鲜奶柜台"]
    assert svg.count(b"<circle") == len(found.steps)


def test_a_map_shows_places_with_coordinates_and_the_list_all(database: Database) -> None:
    found = answer(database)
    shown = texts(drawings.outline(found))
    assert [one for one in shown if not one.isdigit()] == ["1 一号车间", "2 发货月台", "3 市场南门"]
    assert [place.name for place in drawings.places_of(found)] == ["一号车间", "发货月台", "市场南门", "鲜奶柜台"]


def test_a_name_is_text_and_never_markup(database: Database) -> None:
    found = answer(database, name="<script>x</script>")
    for svg in (drawings.timeline(found), drawings.outline(found)):
        assert b"<script" not in svg
        assert "<script>x</scr" in "".join(texts(svg))
