"""The end of a presence is an event of its own: once, with its way, also when the gateway was killed in between."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

from gateway_agent import clock
from gateway_agent.blocklist import BlockListFile
from gateway_agent.cli import known_protocols
from gateway_agent.clock import ClockJudge
from gateway_agent.config import parse_config
from gateway_agent.eventing import Origin
from gateway_agent.outbox_view import OutboxView
from gateway_agent.outputs._base import Display
from gateway_agent.reading import Reading
from gateway_agent.supervise import Supervisor
from gateway_agent.writing import Stop, Writer
from tests.gateway.make import POINT, epc
from tests.gateway.process import until
from trace_core.readers._base import TagRead

WINDOW_S = 0.5


class Door:
    """A writer for one door with two antennas."""

    def __init__(self, folder: Path, report: str) -> None:
        self.folder = folder
        self.shown: list[Display] = []
        point = {"reader": "door", "id": POINT, "antennas": [1, 2], "presence_window_s": WINDOW_S, "report": report}
        data = {
            "server": {"url": "http://localhost"},
            "gateway": {"state_dir": str(folder)},
            "reader": [{"name": "door", "protocol": "magicrf", "url": "serial:///dev/null"}],
            "read_point": [point | {"direction": {"in": [1, 2], "out": [2, 1]}}],
        }
        self.writer = Writer(
            parse_config(data, folder / "gateway.toml", known_protocols()),
            Origin("gate-1", "boot-a", timezone(timedelta(hours=8))),
            judge=ClockJudge(lambda: True),
            block_list=BlockListFile(folder / "none"),
            outputs=[self],
            snapshot=dict,
        )

    def show(self, displays: Any) -> None:
        self.shown += displays

    def see(self, number: int, antenna: int) -> None:
        self.writer.queue.put(Reading("door", TagRead(epc=epc(number), antenna=antenna), clock.now()))

    def events(self) -> list[dict[str, Any]]:
        with closing(OutboxView(self.folder / "outbox.sqlite")) as view:
            return [json.loads(row.body) for row in view.events(100)][::-1]


@contextmanager
def running(folder: Path, report: str) -> Iterator[Door]:
    door = Door(folder, report)
    thread = Supervisor().start("writer", door.writer.run, threading.Event())
    assert door.writer.ready.wait(10)
    try:
        yield door
    finally:
        door.writer.queue.put(Stop())
        thread.join(10)
        assert not thread.is_alive()


def test_coming_and_going_are_two_events_and_the_second_names_the_way(tmp_path: Path) -> None:
    with running(tmp_path, "both") as door:
        for antenna in (1, 1, 2):
            door.see(1, antenna)
        until(lambda: len(door.events()) == 2, "both ends")
        arrived, departed = door.events()
        assert (arrived["suyuan:presence"], departed["suyuan:presence"]) == ("arrived", "departed")
        assert (departed["suyuan:direction"], departed["suyuan:reads"]) == ("in", 3)
        assert departed["epcList"] == arrived["epcList"]
        assert departed["eventTime"] >= arrived["eventTime"]
        assert departed["suyuan:rawEpc"] == arrived["suyuan:rawEpc"]
        assert [d.shown.seq for d in door.shown] == [1]


def test_where_only_departures_count_the_answer_comes_with_them(tmp_path: Path) -> None:
    with running(tmp_path, "depart") as door:
        door.see(1, 2)
        door.see(1, 1)
        until(lambda: len(door.events()) == 1, "the departure")
        (departed,) = door.events()
        assert (departed["suyuan:direction"], departed["suyuan:answer"]) == ("out", "warn")
        until(lambda: len(door.shown) == 1, "shown")


def test_after_a_restart_a_departure_is_neither_lost_nor_told_twice(tmp_path: Path) -> None:
    with running(tmp_path, "depart") as door:
        door.see(1, 1)
        until(lambda: len(door.events()) == 1, "one has gone")
        door.see(2, 1)
        until(lambda: door.writer.observer.counts.observed == 2, "the other is there")
    with running(tmp_path, "depart") as door:
        until(lambda: len(door.events()) == 2, "it goes after the restart")
        gone = [event["suyuan:rawEpc"] for event in door.events()]
        assert gone == [epc(1).hex().upper(), epc(2).hex().upper()]
    with running(tmp_path, "depart") as door:
        door.see(3, 1)
        until(lambda: len(door.events()) == 3, "a third")
