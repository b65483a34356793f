"""`make screenshots`: pictures of the main pages for docs/tour.md, phone and desktop, in both languages.

Not a test: pytest brings the fixtures of the browser tests, which hold something to show on each page. The clock of
the pages stands still, so a picture changes only when its page does.
"""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image
from selenium.webdriver import Chrome

from tests.e2e.conftest import Site
from tests.e2e.test_page_judges import Desk, credit_office, desk, farm, in_language, log_in, office
from tests.e2e.walks.test_gate_refuses_cylinder import GOOD, OVERDUE, Gate, gate, opened, shows, until
from tests.server.portal import make
from trace_server.accounts.model import Role
from trace_server.db import open_database
from trace_server.recall import operations as recalls
from trace_server.recall.model import Notice
from trace_server.recall.model import Scope as RecallScope
from trace_server.users.model import Scope

__all__ = ["credit_office", "desk", "farm", "gate", "office"]

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"
SIZES = {"phone": (360, 640), "desktop": (1280, 800)}
LONGEST = 800
"""CSS pixels of a page that a picture shows at most; the rest is more of the same."""
LANGUAGES = ("zh-CN", "en")
QUALITY = 34
BUDGET_BYTES = 2_500_000


@dataclass(frozen=True)
class Shot:
    """One page. `cookie`: the session of whoever sees it; None for the public."""

    name: str
    path: str
    cookie: tuple[str, str] | None = None


@pytest.fixture(scope="module")
def recall_path(site: Site) -> str:
    """A recall that was announced, with its holders told."""
    database = open_database(site.database_url)
    notice = Notice(
        "示例召〔2026〕9号", "示例市市场监督管理局", "抽检发现菌落总数超过标准限量。",
        "停止饮用，不要丢弃；凭包装退货退款，无需小票。", "任意销售门店服务台", "400-000-0000",
    )  # fmt: skip
    lots = ((make.GTIN, site.code("recall").lot),)
    row = recalls.create(
        database, make.NOW, "user:one", category="food", level=2, scope=RecallScope(lots), notice=notice
    )
    recalls.announce(database, make.NOW, "user:two", row.recall_id, "检验报告 7 号")
    recalls.notify(database, make.NOW, "user:one", row.recall_id)
    database.dispose()
    return f"/console/recalls/{row.recall_id}"


@pytest.fixture(scope="module")
def inspector(site: Site) -> tuple[str, str]:
    """Somebody who sees the recall desk too."""
    database = open_database(site.database_url)
    token = log_in(database, "inspector-9", Role.REGULATOR, Scope())
    database.dispose()
    return "suyuan-local", token


def first(paths: tuple[str, ...], start: str) -> str:
    return next(path for path in paths if path.startswith(start))


def inside(link: str) -> str:
    parts = urlsplit(link)
    return f"{parts.path}?{parts.query}"


@pytest.fixture(scope="module")
def shots(  # one argument a fixture: pytest gives them by name
    site: Site,
    desk: Desk,
    farm: Desk,
    office: Desk,
    credit_office: Desk,
    recall_path: str,
    inspector: tuple[str, str],
) -> list[Shot]:
    states = ("normal", "expired", "recall", "no_journey")
    return [
        *(Shot(f"code-{state.replace('_', '-')}", inside(site.link(state))) for state in states),
        Shot("code-unknown", f"/01/{make.GTIN}/10/{make.LOT}/21/nobody?s=forged"),
        Shot("code-equipment", "/8003/0690123400001617"),
        Shot("home", "/"),
        Shot("report", "/report?kind=report"),
        Shot("archive", first(desk.paths, "/credit/")),
        Shot("verify", first(desk.paths, "/verify/")),
        Shot("worklist", "/console", inspector),
        Shot("alerts", "/console/alerts", inspector),
        Shot("alert", first(desk.paths, "/console/alerts/"), inspector),
        Shot("chain", first(desk.paths, "/console/chains?"), inspector),
        Shot("recall", recall_path, inspector),
        Shot("case", first(desk.paths, "/console/cases/"), inspector),
        Shot("complaint", first(office.paths, "/console/complaints/"), office.cookie),
        Shot("publications", "/console/publications", credit_office.cookie),
        Shot("repair", first(credit_office.paths, "/console/repairs/"), credit_office.cookie),
        Shot("exchange", "/console/exchange", credit_office.cookie),
        Shot("desk", "/desk", farm.cookie),
        Shot("batch", first(farm.paths, "/desk/batches/one"), farm.cookie),
        Shot("labels", first(farm.paths, "/desk/labels/run"), farm.cookie),
    ]


@pytest.fixture(scope="module", autouse=True)
def folder() -> Iterator[Path]:
    """All pictures together keep to the budget; one that no page made this time goes."""
    FOLDER.mkdir(exist_ok=True)
    begun = time.time()
    yield FOLDER
    for old in FOLDER.glob("*.webp"):
        if old.stat().st_mtime < begun:
            old.unlink()
    assert sum(file.stat().st_size for file in FOLDER.glob("*.webp")) <= BUDGET_BYTES


def keep(driver: Chrome, folder: Path, name: str, width: int) -> None:
    """Save the page from its top as WebP, one and a half picture dots a CSS pixel on phones, fewer on desktops."""
    height = driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]["height"]
    scale = 1.5 if width < 700 else 0.8
    clip = {"x": 0, "y": 0, "width": width, "height": min(height, LONGEST), "scale": scale / 2}
    shot = driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
    picture = Image.open(io.BytesIO(base64.b64decode(shot["data"]))).convert("RGB")
    picture.save(folder / f"{name}.webp", quality=QUALITY, method=6)


@pytest.mark.timeout(600)
def test_pages(driver: Chrome, screen: Callable[[int, int], None], site: Site, shots: list[Shot], folder: Path) -> None:
    for shot in shots:
        driver.get(site.url + "/how-to-check")
        driver.delete_all_cookies()
        if shot.cookie:
            driver.add_cookie({"name": shot.cookie[0], "value": shot.cookie[1], "path": "/"})
        for size, (width, height) in SIZES.items():
            screen(width, height)
            for language in LANGUAGES:
                driver.get(site.url + in_language(shot.path, language))
                assert driver.find_element("tag name", "footer")
                keep(driver, folder, f"{shot.name}-{size}-{language}", width)


def test_the_screen_of_a_gate(driver: Chrome, screen: Callable[[int, int], None], gate: Gate, folder: Path) -> None:
    until(opened(driver, gate.screen), "the gateway has no page")
    until(lambda: gate.asked()["block_list"]["version"] >= 1, "the list did not come")
    gate.place(GOOD)
    until(shows(driver, "放行"), "a cylinder in order does not pass")
    gate.place(OVERDUE)
    until(shows(driver, "禁止"), "the overdue cylinder is not refused")
    for language, path in (("zh-CN", "/"), ("en", "/en")):
        for size, (width, height) in SIZES.items():
            screen(width, height)
            driver.get(gate.screen + path)
            keep(driver, folder, f"gate-{size}-{language}", width)
