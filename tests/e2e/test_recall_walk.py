"""An inspector runs a recall: in a browser without JavaScript, from log-in and search to closed sums; a second person
announces, the holder answers at its own desk, and the code page says so to everybody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pyotp
import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.expected_conditions import staleness_of
from selenium.webdriver.support.wait import WebDriverWait

from tests.e2e.conftest import _served
from tests.server.portal import make
from trace_server.accounts.model import Role
from trace_server.config import Settings
from trace_server.db import Database, open_database
from trace_server.db.migrate import upgrade
from trace_server.users import operations as users
from trace_server.users import rules
from trace_server.users.model import Scope

NUMBER = "示市监召〔2026〕9号"
BUREAU = "示例市市场监督管理局"
PASSWORD = "violet harbour sixteen lanterns"


@dataclass(frozen=True)
class Place:
    """A served site; the inspector's second factor; sessions of his colleague, of the dairy and of a shop."""

    url: str
    secret: str
    colleague: str
    dairy: str
    shop: str


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    address = f"sqlite:///{tmp_path_factory.mktemp('recall') / 'suyuan.sqlite'}"
    upgrade(address)
    database = open_database(address)
    make.load(database, batches=[make.batch(), make.batch(lot="L2612")])
    make.capture(database, *make.whole_way())
    secret, _ = person(database, "inspector", Role.REGULATOR, Scope())
    _, colleague = person(database, "colleague", Role.REGULATOR, Scope())
    _, dairy = person(database, "dairy", Role.PRODUCER, Scope(subject=make.PRODUCER))
    _, shop = person(database, "shop", Role.PRODUCER, Scope(subject=make.MARKET))
    with _served(database) as url:
        yield Place(url, secret, colleague, dairy, shop)


def person(database: Database, name: str, role: Role, scope: Scope) -> tuple[str, str]:
    """Somebody who joined five minutes ago; secret of the second factor and the session's token."""
    caller, before = users.Caller("127.0.0.1", "Chromium"), make.NOW - timedelta(minutes=5)
    _, code = users.add_user(
        database, before, "cli:admin", name=name, display_name=name, role=role, department=BUREAU, scope=scope
    )
    half = users.join(database, before, code, PASSWORD, caller)
    secret = rules.new_totp_secret()
    key = Settings(code_secret=make.SECRET).derived_key(users.FACTOR_PURPOSE)
    return secret, users.set_factor(database, before, key, half, secret, pyotp.TOTP(secret).at(before), caller)


def enter(driver: Chrome, place: Place, token: str, path: str) -> None:
    driver.get(place.url + "/how-to-check")
    driver.delete_all_cookies()
    driver.add_cookie({"name": "suyuan-local", "value": token, "path": "/"})
    driver.get(place.url + path)


def write(driver: Chrome, **values: str) -> None:
    for name, text in values.items():
        box = driver.find_element(By.CSS_SELECTOR, f"main [name={name}]")
        box.clear()
        box.send_keys(text)


def send(driver: Chrome) -> None:
    button = driver.find_element(By.CSS_SELECTOR, "main form .btn.fill")
    button.click()
    WebDriverWait(driver, 30).until(staleness_of(button))


def take(driver: Chrome, step: str, why: str = "") -> None:
    driver.find_element(By.CSS_SELECTOR, f"input[name=step][value={step}]").click()
    if why:
        write(driver, text=why)
    send(driver)


def said(driver: Chrome) -> str:
    return driver.find_element(By.TAG_NAME, "main").text


def test_an_inspector_runs_a_recall(
    driver: Chrome, place: Place, screen: Callable[[int, int], None], keep_screenshot: Callable[[str], None]
) -> None:
    screen(1280, 900)
    driver.get(place.url + "/console/search")
    write(driver, name="inspector", password=PASSWORD)
    send(driver)
    write(driver, code=pyotp.TOTP(place.secret).at(make.NOW))
    send(driver)
    driver.get(place.url + "/console/search")
    write(driver, q=make.LOT)
    send(driver)
    keep_screenshot("recall-1-search")
    driver.find_element(By.PARTIAL_LINK_TEXT, "起草这个批次的召回").click()
    assert make.LOT in driver.find_element(By.ID, "batches").get_attribute("value")
    driver.find_element(By.CSS_SELECTOR, "#level option[value='1']").click()
    write(
        driver, notice_no=NUMBER, reason="抽检发现菌落总数超过标准限量。", action="停止饮用，凭包装退货退款。",
        return_to="任意销售门店服务台", phone="000-00000",
    )  # fmt: skip
    keep_screenshot("recall-2-draft")
    send(driver)
    assert "草稿须由另一位同事宣布" in said(driver)
    here = driver.current_url.removeprefix(place.url)
    driver.find_element(By.PARTIAL_LINK_TEXT, "受影响的对象").click()
    assert make.ITEM in said(driver)
    keep_screenshot("recall-3-affected")
    driver.get(f"{place.url}{here}/proof?uri={make.ITEM}")
    assert make.LOT_URI in said(driver)
    keep_screenshot("recall-4-proof")
    assert "停售·召回" not in code_page(driver, place)

    enter(driver, place, place.colleague, here)
    take(driver, "announce", "检验报告 7 号")
    take(driver, "notify")
    keep_screenshot("recall-5-notified")
    assert "召回" in code_page(driver, place)
    keep_screenshot("recall-6-code-page")

    for session, returned in ((place.dairy, "0"), (place.shop, "1")):
        enter(driver, place, session, "/desk/recalls")
        assert NUMBER in said(driver)
        write(driver, in_stock="0", sold="0", returned=returned, destroyed="0")
        send(driver)

    enter(driver, place, place.colleague, here)
    assert "账目已结平" in said(driver)
    keep_screenshot("recall-7-sums")
    for step in ("reconcile", "dispose", "close"):
        take(driver, step, "货品已全部收回")
    assert driver.find_element(By.ID, "facts").text == "已结束"
    screen(360, 800)
    keep_screenshot("recall-8-closed-phone")


def code_page(driver: Chrome, place: Place) -> str:
    """What a consumer reads who scans the carton, who was not here before."""
    driver.get(place.url + make.signed_path())
    return driver.find_element(By.TAG_NAME, "h1").text + driver.find_element(By.TAG_NAME, "main").text
