"""A served site with goods in every state, and a real browser without JavaScript."""

from __future__ import annotations

import base64
import json
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from werkzeug.serving import BaseWSGIServer, make_server

from tests.server.portal import make
from trace_server.app import create_app
from trace_server.config import Settings
from trace_server.db import Database, open_database
from trace_server.db.migrate import upgrade
from trace_server.equipment import operations as equipment
from trace_server.equipment.rules import Registration
from trace_server.portal import labels
from trace_server.portal.limits import Allowance, Limits
from trace_server.portal.model import Code
from trace_server.portal.pages import PORTAL
from trace_server.portal.signature import CodeKeys
from trace_server.services import EXTENSION

CHROMEDRIVER = "/usr/bin/chromedriver"
LOTS = {
    "normal": make.LOT,
    "recall": "L2612",
    "expired": "L2601",
    "near": "L2613",
    "suspect": "L2614",
    "gap": "L2615",
    "no_journey": "L2616",
    "no_batch": "L2699",
}
"""State of the code page → lot that shows it."""
SERIALS = {state: f"{number:06d}" for number, state in enumerate(LOTS, 123)}
WITH_JOURNEY = ("normal", "recall", "expired", "near", "suspect", "gap")


@dataclass(frozen=True)
class Site:
    """Where the pages are served and the codes that show each state."""

    url: str
    broken_url: str
    database_url: str

    def code(self, state: str) -> Code:
        return Code(make.GTIN, LOTS[state], SERIALS[state])

    def link(self, state: str) -> str:
        """What the QR of the label says."""
        return labels.link(self.url, self.code(state), CodeKeys.parse(make.SECRET))


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    url = f"sqlite:///{tmp_path_factory.mktemp('site') / 'suyuan.sqlite'}"
    upgrade(url)
    database = open_database(url)
    _fill(database)
    with _served(database) as served, _served(open_database("postgresql://nobody@127.0.0.1:1/away")) as broken:
        yield Site(served, broken, url)
    database.dispose()


class _served:  # noqa: N801 – reads as the verb it is
    """Serves the application over `database` on a free loopback port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> str:
        server = make_server("127.0.0.1", 0, lambda *_: [], threaded=True)
        url = f"http://127.0.0.1:{server.port}"
        app = create_app(Settings(code_secret=make.SECRET, public_url=url), self._database)
        app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], clock=lambda: make.NOW)
        app.extensions[PORTAL].limits = Limits(per_code=Allowance(burst=60, per_second=100))
        server.app = app
        self._server: BaseWSGIServer = server
        self._thread = threading.Thread(target=server.serve_forever)
        self._thread.start()
        return url

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._database.dispose()


def _fill(database: Database) -> None:
    others = [
        make.batch(lot=LOTS["recall"], recall=make.recall()),
        make.batch(lot=LOTS["expired"], production_date="2026-10-20", expiry_date="2026-11-03"),
        make.batch(lot=LOTS["near"], production_date="2026-11-11", expiry_date="2026-11-25", inspection=None),
        make.batch(lot=LOTS["suspect"]),
        make.batch(lot=LOTS["gap"], certificates=[]),
        make.batch(lot=LOTS["no_journey"]),
    ]
    make.load(database, batches=[make.batch(), *others])
    overdue = Registration(
        "urn:epc:id:grai:6901234.00001.17", make.PRODUCER, "使用登记资料", device_code="232010890202200017",
        registration_no="瓶10苏J00001(22)", maintainer=make.HAULIER, inspection_due=date(2026, 11, 1),
    )  # fmt: skip
    equipment.register(database, make.NOW, equipment.Caller("test"), overdue)
    for state in WITH_JOURNEY:
        way = make.whole_way()
        if state == "gap":
            way = [event for event in way if event["bizStep"] != "receiving"]
        told = json.dumps(way).replace(make.SERIAL, SERIALS[state]).replace(make.LOT, LOTS[state])
        told = told.replace(make.CASE, make.case(int(SERIALS[state])))
        make.capture(database, *json.loads(told))


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    options = ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--no-default-browser-check",
        f"--user-data-dir={tmp_path_factory.mktemp('browser')}",
    ):
        options.add_argument(argument)
    options.add_experimental_option(
        "prefs", {"profile.managed_default_content_settings.javascript": 2, "intl.accept_languages": "zh-CN,zh"}
    )
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = Chrome(options=options, service=Service(CHROMEDRIVER))
    browser.set_page_load_timeout(30)
    yield browser
    browser.quit()


@pytest.fixture
def screen(driver: Chrome) -> Callable[[int, int], None]:
    """Set the size of the screen in CSS pixels."""

    def resize(width: int, height: int) -> None:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 2, "mobile": width < 700}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    return resize


@pytest.fixture
def keep_screenshot(driver: Chrome) -> Callable[[str], None]:
    """Save the whole page to the folder that SUYUAN_SCREENSHOTS names, if it does."""

    def save(name: str) -> None:
        folder = os.environ.get("SUYUAN_SCREENSHOTS")
        if not folder:
            return
        shot = driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True})
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))

    return save
