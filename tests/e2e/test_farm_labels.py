"""A small farm prints its labels: from the log-in to the paper and the phone, by keyboard alone, without JavaScript."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable
from pathlib import Path

import pyotp
import pytest
from PIL import Image
from pypdf import PdfReader
from pyzbar import pyzbar
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.e2e.conftest import Site
from tests.e2e.keyboard import fill, heading, press, tab_to
from tests.server.portal import make
from trace_server.accounts.model import Role
from trace_server.db import open_database
from trace_server.users import operations as users
from trace_server.users.model import Scope

Screen = Callable[[int, int], None]
Keep = Callable[[str], None]
PASSWORD = "violet harbour sixteen lanterns"
LOT = "F1124"


@pytest.fixture
def invitation(site: Site) -> str:
    """The one-time code that the farm got from its bureau."""
    database = open_database(site.database_url)
    _, code = users.add_user(
        database, make.NOW, "cli:admin", name="farm-1", display_name="示例农场", role=Role.PRODUCER, department="",
        scope=Scope(subject=make.PRODUCER),
    )  # fmt: skip
    database.dispose()
    return code


def type_day(driver: Chrome, name: str) -> None:
    """23 November 2026, part by part in the order in which this browser's own language writes a date."""
    box = tab_to(driver, f"#{name}")
    for typed in (("11232026",), ("2026", Keys.TAB, "1123"), ("23112026",)):
        box.send_keys(*typed)
        if box.get_attribute("value") == "2026-11-23":
            return
        box.clear()
    raise AssertionError("this browser writes dates in a way of its own")


def log_in(driver: Chrome, site: Site, invitation: str) -> None:
    driver.get(f"{site.url}/console/join?lang=zh-CN")
    fill(driver, code=invitation, password=PASSWORD)
    press(driver, "form.card .btn")
    secret = driver.find_element(By.CSS_SELECTOR, "input[name=secret]").get_attribute("value")
    assert secret is not None
    fill(driver, code=pyotp.TOTP(secret).at(make.NOW))
    press(driver, "form.card .btn")


def download(driver: Chrome, selector: str, folder: Path) -> bytes:
    where = {"behavior": "allow", "downloadPath": str(folder), "eventsEnabled": False}
    driver.execute_cdp_cmd("Browser.setDownloadBehavior", where)
    tab_to(driver, selector).send_keys(Keys.ENTER)
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        if found := [file for file in folder.iterdir() if file.suffix == ".pdf"]:
            return found[0].read_bytes()
        time.sleep(0.1)
    raise AssertionError(f"no PDF came: {[file.name for file in folder.iterdir()]}")


@pytest.mark.slow
def test_a_small_farm_prints_its_labels(
    driver: Chrome, screen: Screen, keep_screenshot: Keep, site: Site, invitation: str, tmp_path: Path
) -> None:
    screen(1280, 900)
    log_in(driver, site, invitation)
    assert heading(driver) == "企业工作台"
    keep_screenshot("desk-home")
    press(driver, "a[href='/desk/batches/form']")
    keep_screenshot("desk-batch-form")
    fill(driver, lot=LOT, quantity="48")
    type_day(driver, "production_date")
    press(driver, "main form.narrow > .btn")
    batch = driver.find_element(By.TAG_NAME, "main").text
    assert heading(driver) == f"批次 {LOT}"
    assert "2026年11月23日" in batch
    assert "缺少" in batch
    keep_screenshot("desk-batch")
    press(driver, "a[href^='/desk/labels?']")
    keep_screenshot("desk-issue")
    press(driver, "main form .btn")
    assert heading(driver) == "24 张标签"
    keep_screenshot("desk-run")
    pages = PdfReader(io.BytesIO(download(driver, "a[href*='a4.pdf']", tmp_path))).pages
    assert len(pages) == 1
    printed = pages[0].extract_text()
    assert printed.count(LOT) == 24
    assert site.url.split("://", 1)[1] in printed
    label = driver.find_element(By.CSS_SELECTOR, ".labels img")
    [code] = pyzbar.decode(Image.open(io.BytesIO(label.screenshot_as_png)))
    link = code.data.decode()
    assert re.fullmatch(rf"{site.url}/01/{make.GTIN}/10/{LOT}/21/\d{{11}}\?s=\w{{14}}", link)
    screen(360, 640)
    driver.get(link)
    assert LOT in driver.find_element(By.TAG_NAME, "main").text
    assert heading(driver) in ("正常", "提示")


@pytest.mark.slow
def test_a_mistake_in_the_form_leads_to_its_field(
    driver: Chrome, screen: Screen, keep_screenshot: Keep, site: Site
) -> None:
    screen(360, 740)
    driver.get(f"{site.url}/desk/batches/form?lang=zh-CN")
    fill(driver, lot="有空格 的批号", quantity="48")
    type_day(driver, "production_date")
    press(driver, "main form.narrow > .btn")
    assert driver.title.startswith("错误：")
    keep_screenshot("desk-mistake-phone")
    tab_to(driver, ".summary a").send_keys(Keys.ENTER)
    assert driver.current_url.endswith("#lot")
    assert driver.find_element(By.ID, "lot").get_attribute("value") == "有空格 的批号"
    for path in ("/desk", "/desk/batches", "/desk/archive", "/desk/clients", "/desk/batches/import", "/desk/ranges"):
        driver.get(f"{site.url}{path}")
        keep_screenshot(f"desk-phone{path.replace('/', '-')}")
