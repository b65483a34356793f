"""What a buyer sees: the label's QR opened in a real browser, on a small phone, without JavaScript."""

from __future__ import annotations

import base64
import io
import os
import re
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image
from pyzbar import pyzbar
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions
from selenium.webdriver.support.ui import WebDriverWait

from tests.e2e.conftest import Site
from tests.server.portal import make
from trace_server.portal import labels
from trace_server.portal.signature import CodeKeys

Screen = Callable[[int, int], None]
Keep = Callable[[str], None]
WORDS = {
    "normal": ("正常", "Nothing unusual"),
    "recall": ("停售·召回", "Do not use: recalled"),
    "expired": ("提示", "Take note"),
    "near": ("提示", "Take note"),
    "gap": ("正常", "Nothing unusual"),
    "no_journey": ("提示", "Take note"),
}
PHONE = (360, 640)


def follow(driver: Chrome, selector: str) -> None:
    """Click and wait for the page that comes."""
    before = driver.find_element(By.TAG_NAME, "h1")
    driver.find_element(By.CSS_SELECTOR, selector).click()
    WebDriverWait(driver, 10).until(expected_conditions.staleness_of(before))
    WebDriverWait(driver, 10).until(expected_conditions.presence_of_element_located((By.TAG_NAME, "footer")))


def test_the_qr_of_a_printed_label_opens_the_page_of_its_code(
    driver: Chrome, screen: Screen, site: Site, tmp_path: Path
) -> None:
    label = tmp_path / "label.png"
    label.write_bytes(labels.png(site.link("normal")))
    [found] = pyzbar.decode(Image.open(label))
    screen(*PHONE)
    driver.get(found.data.decode())
    assert driver.find_element(By.TAG_NAME, "h1").text == "正常"
    assert make.LOT in driver.find_element(By.TAG_NAME, "main").text


def test_the_sheet_of_labels_can_be_scanned_off_the_paper(
    driver: Chrome, screen: Screen, site: Site, tmp_path: Path, keep_screenshot: Keep
) -> None:
    keys = CodeKeys.parse(make.SECRET)
    sheet = tmp_path / "sheet.html"
    sheet.write_text(labels.sheet([labels.svg(site.code(state), site.url, keys) for state in ("normal", "recall")]))
    screen(800, 400)
    driver.get(sheet.as_uri())
    keep_screenshot("labels")
    seen = {code.data.decode() for code in pyzbar.decode(Image.open(io.BytesIO(driver.get_screenshot_as_png())))}
    assert seen == {site.link("normal"), site.link("recall")}


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("state", WORDS)
def test_the_first_screen_of_a_phone_says_verdict_goods_and_count(
    driver: Chrome, screen: Screen, site: Site, keep_screenshot: Keep, state: str, language: str
) -> None:
    screen(*PHONE)
    driver.get(f"{site.link(state)}&lang={language}")
    keep_screenshot(f"{state}-{language}-phone")
    assert driver.find_element(By.TAG_NAME, "html").get_attribute("lang") == language
    assert driver.find_element(By.TAG_NAME, "h1").text == WORDS[state][language == "en"]
    count = driver.find_element(By.CSS_SELECTOR, ".count .n")
    assert count.location["y"] + count.size["height"] <= PHONE[1]
    screen(1280, 900)
    driver.get(f"{site.link(state)}&lang={language}")
    keep_screenshot(f"{state}-{language}-desktop")


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_pages_without_goods_are_helpful_in_both_languages(
    driver: Chrome, screen: Screen, site: Site, keep_screenshot: Keep, language: str
) -> None:
    pages = {
        "unknown": f"{site.url}{site.code('normal').path}?s=0000&lang={language}",
        "malformed": f"{site.url}/01/123/10/x/21/y?lang={language}",
        "away": site.link("normal").replace(site.url, site.broken_url) + f"&lang={language}",
        "home": f"{site.url}/?lang={language}",
        "find": f"{site.url}/find?code=abc&lang={language}",
        "guide": f"{site.url}/how-to-check?lang={language}",
        "report": f"{site.url}/report?lang={language}",
        "nowhere": f"{site.url}/nowhere?lang={language}",
    }
    for size, (width, height) in {"phone": PHONE, "desktop": (1280, 900)}.items():
        screen(width, height)
        for name, url in pages.items():
            driver.get(url)
            keep_screenshot(f"{name}-{language}-{size}")
            assert driver.find_element(By.TAG_NAME, "h1").text
            assert "12315" in driver.find_element(By.TAG_NAME, "footer").text


def test_many_queries_of_one_code_turn_it_into_a_possible_copy(
    driver: Chrome, screen: Screen, site: Site, keep_screenshot: Keep
) -> None:
    screen(*PHONE)
    for number in range(21):  # the browser has one address; the others come from elsewhere on loopback
        _visit(site.link("suspect"), f"127.0.1.{number + 1}")
    driver.get(site.link("suspect"))
    assert driver.find_element(By.TAG_NAME, "h1").text == "疑似假冒"
    keep_screenshot("suspect-zh-CN-phone")
    driver.get(site.link("suspect") + "&lang=en")
    keep_screenshot("suspect-en-phone")
    assert driver.find_element(By.TAG_NAME, "h1").text == "Possible copy"


def _visit(url: str, source: str) -> None:
    parts = urlsplit(url)
    connection = HTTPConnection(str(parts.hostname), int(parts.port or 80), source_address=(source, 0), timeout=10)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}")
        assert connection.getresponse().status == 200
    finally:
        connection.close()


def test_the_language_link_keeps_the_code(driver: Chrome, screen: Screen, site: Site) -> None:
    screen(*PHONE)
    driver.get(site.link("normal"))
    follow(driver, "a.lang")
    assert driver.find_element(By.TAG_NAME, "h1").text == "Nothing unusual"
    assert make.LOT in driver.find_element(By.TAG_NAME, "main").text
    follow(driver, "a.lang")
    assert driver.find_element(By.TAG_NAME, "h1").text == "正常"


def test_a_typed_code_finds_its_page_without_javascript(driver: Chrome, screen: Screen, site: Site) -> None:
    screen(*PHONE)
    driver.get(f"{site.url}/")
    signature = site.link("normal").rsplit("=", 1)[-1]
    driver.find_element(By.ID, "code").send_keys(site.code("normal").readable)
    driver.find_element(By.ID, "s").send_keys(f"{signature[:5]}-{signature[5:]}".lower())
    follow(driver, "form button")
    assert driver.find_element(By.TAG_NAME, "h1").text == "正常"


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("state", ["normal", "recall", "gap"])
def test_nothing_scrolls_sideways_at_320_pixels(
    driver: Chrome, screen: Screen, site: Site, keep_screenshot: Keep, state: str, language: str
) -> None:
    screen(320, 640)
    driver.get(f"{site.link(state)}&lang={language}")
    width = driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]["width"]
    keep_screenshot(f"{state}-{language}-320")
    assert width <= 320


def test_targets_are_large_enough_for_a_thumb(driver: Chrome, screen: Screen, site: Site) -> None:
    screen(*PHONE)
    driver.get(site.link("recall"))
    selector = ".btn, .top a, .verdict a, .call a, .tel"
    small = [e.text for e in driver.find_elements(By.CSS_SELECTOR, selector) if e.size["height"] < 44]
    assert small == []


def test_the_page_asks_nobody_else_and_stores_nothing(driver: Chrome, screen: Screen, site: Site) -> None:
    screen(*PHONE)
    driver.get(site.link("normal"))
    assert driver.get_cookies() == []
    assert [entry for entry in driver.get_log("browser") if "Content Security Policy" in entry["message"]] == []


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("state", ["normal", "recall"])
def test_the_page_prints_on_one_sheet_of_a4(
    driver: Chrome, screen: Screen, site: Site, state: str, language: str
) -> None:
    screen(1280, 900)
    driver.get(f"{site.link(state)}&lang={language}")
    printed = driver.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True, "printBackground": False})
    pages = re.findall(rb"/Type\s*/Page\b(?!s)", base64.b64decode(printed["data"]))
    if folder := os.environ.get("SUYUAN_SCREENSHOTS"):
        (Path(folder) / f"{state}-{language}.pdf").write_bytes(base64.b64decode(printed["data"]))
    assert len(pages) == 1
