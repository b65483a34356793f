"""A gate operator refuses a cylinder: its inspection is overdue in the server's register, the gate's screen says so,
and the refusal is on record. A real server, a real gateway, a simulated reader on a port; no JavaScript."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException, WebDriverException
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By

from firmware_sim.device import SimulatedReader
from firmware_sim.endpoints import PtyEndpoint
from tests.running import RunningServer, running, running_server
from tests.server.portal.make import PRODUCER
from tests.services import free_port
from trace_core.ids import epc
from trace_core.ids.canonical import canonical_uri
from trace_core.readers import protocols
from trace_core.readers._base import FieldTag
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Role
from trace_server.blocklist import operations as block_list
from trace_server.db import open_database
from trace_server.db.migrate import upgrade
from trace_server.equipment import operations as equipment
from trace_server.equipment.rules import Registration
from trace_server.services import utc_now

GATE = "urn:epc:id:sgln:6901234.00001.1"
GOOD, OVERDUE = (f"urn:epc:tag:grai-96:0.6901234.00001.{serial}" for serial in (17, 18))
DATES = {GOOD: "2099-12-31", OVERDUE: "2020-05-01"}
SETTINGS = """
[server]
url = "{url}"
first_connect_spread_s = 0.0
[gateway]
state_dir = "state"
status_port = {status_port}
[[reader]]
name = "gate"
protocol = "magicrf"
url = "serial://{port}"
[[read_point]]
reader = "gate"
id = "{gate}"
biz_step = "receiving"
"""
PATIENCE_S = 60.0


@dataclass(frozen=True)
class Gate:
    """The operator's screen, the antenna, and the server behind them."""

    screen: str
    reader: SimulatedReader
    server: RunningServer
    token: str

    def place(self, tag: str) -> None:
        self.reader.place(FieldTag(epc.encode(tag)))

    def asked(self) -> dict[str, Any]:
        """What the box says of itself; the page shows the same."""
        with urllib.request.urlopen(f"{self.screen}/status.json", timeout=5) as answer:
            found = json.loads(answer.read())
        assert isinstance(found, dict)
        return found

    def on_record(self) -> dict[str, tuple[str, str]]:
        """Tag → answer and reason in the event that the server holds of it, as an inspector reads them."""
        wanted = urllib.request.Request(
            f"{self.server.url}/api/v1/events", headers={"Authorization": f"Bearer {self.token}"}
        )
        with urllib.request.urlopen(wanted, timeout=30) as answer:
            document = json.loads(answer.read())
        events = document["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
        return {event["epcList"][0]: (event["suyuan:answer"], event["suyuan:reason"]) for event in events}


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    url = f"sqlite:///{tmp_path / 'suyuan.sqlite'}"
    upgrade(url)
    token = _registered(url)
    magicrf, port = protocols()["magicrf"], PtyEndpoint(link=tmp_path / "tty-gate")
    with (
        running_server(url, tmp_path) as server,
        SimulatedReader(magicrf, magicrf.device({}), port, seed=7) as reader,
        _gateway(server, tmp_path) as screen,
    ):
        yield Gate(screen, reader, server, token)


def _registered(url: str) -> str:
    """Both cylinders in the register, one overdue; the token of an inspector's program."""
    database, now = open_database(url), utc_now()
    for tag, due in DATES.items():
        cylinder = Registration(
            epc.decode(epc.encode(tag)).uri, PRODUCER, "使用登记资料", kind="lpg_cylinder",
            registration_no=f"瓶10苏J000{tag[-2:]}(22)", inspection_due=date.fromisoformat(due),
        )  # fmt: skip
        equipment.register(database, now, equipment.Caller("test"), cylinder)
    block_list.publish(database, now, actor="test")
    _, token = accounts.add_client(database, now, "test", name="inspector", role=Role.REGULATOR)
    database.dispose()
    return token


@contextmanager
def _gateway(server: RunningServer, folder: Path) -> Iterator[str]:
    """An enrolled, approved, running gateway with the list of the register; the address of its screen."""
    status_port = free_port()
    config = folder / "gateway.toml"
    words = {"url": server.url, "status_port": status_port, "port": folder / "tty-gate", "gate": GATE}
    config.write_text(SETTINGS.format(**words))
    code = server.command("gateway", "add", "--id", "gate-1", "--site", "Gate 1", "--read-point", GATE)["code"]
    with running(
        ["gateway_agent", "enrol", "--config", str(config), "--code", code], {}, folder / "enrol.log"
    ) as enrolment:
        assert enrolment.wait(timeout=PATIENCE_S) == 0, (folder / "enrol.log").read_text()
    server.run("gateway", "approve", "gate-1")
    with running(["gateway_agent", "run", "--config", str(config)], {}, folder / "gateway.log"):
        yield f"http://127.0.0.1:{status_port}"


def until(done: Callable[[], bool], what: str) -> None:
    limit = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < limit, what
        time.sleep(0.1)


def shows(driver: Chrome, *words: str) -> Callable[[], bool]:
    """Whether the large answer has all the words. The page renews itself each second, also while we look."""

    def look() -> bool:
        try:
            answer = driver.find_element(By.TAG_NAME, "header").text
        except (NoSuchElementException, StaleElementReferenceException):
            return False
        return all(word in answer for word in words)

    return look


def in_english(driver: Chrome) -> Callable[[], bool]:
    """Press the only link, by keyboard, before the page renews itself under the fingers."""

    def press() -> bool:
        ActionChains(driver).send_keys(Keys.TAB, Keys.ENTER).perform()
        time.sleep(0.3)
        return driver.current_url.endswith("/en")

    return press


def opened(driver: Chrome, address: str) -> Callable[[], bool]:
    """The page opens a moment after the gate: it is not what the gate waits for."""

    def go() -> bool:
        try:
            driver.get(address)
        except WebDriverException:
            return False
        return True

    return go


@pytest.mark.slow
def test_a_gate_operator_refuses_a_cylinder(
    driver: Chrome, screen: Callable[[int, int], None], keep_screenshot: Callable[[str], None], gate: Gate
) -> None:
    screen(1280, 800)
    until(opened(driver, gate.screen), "the gateway has no page")
    until(lambda: gate.asked()["block_list"]["version"] >= 1, "the list did not come")
    gate.place(GOOD)
    until(shows(driver, "放行"), "a cylinder in order does not pass")
    gate.place(OVERDUE)
    until(shows(driver, "禁止", "超期未检", "不得使用，送检"), "the overdue cylinder is not refused")
    keep_screenshot("walk-gate-zh")
    until(in_english(driver), "no way to English by keyboard")
    assert driver.find_element(By.TAG_NAME, "html").get_attribute("lang") == "en"
    assert "Inspection overdue" in driver.find_element(By.TAG_NAME, "table").text
    keep_screenshot("walk-gate-en")
    until(lambda: len(gate.on_record()) == len(DATES), "the server did not get both events")
    names = {tag: canonical_uri(epc.decode(epc.encode(tag)).uri) for tag in DATES}
    assert gate.on_record() == {names[GOOD]: ("allow", "not-listed"), names[OVERDUE]: ("refuse", "overdue")}
