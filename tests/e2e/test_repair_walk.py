"""The credit office repairs a record: in a browser without JavaScript, by two persons, from application to the end of
its display everywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pyotp
import pytest
import requests
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.expected_conditions import staleness_of
from selenium.webdriver.support.wait import WebDriverWait

from tests.e2e.conftest import _served
from tests.server.credit.make import SUBJECT, published, recorded, services_on
from tests.server.portal import make
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Role
from trace_server.config import Settings
from trace_server.db import Database, open_database
from trace_server.db.migrate import upgrade
from trace_server.users import operations as users
from trace_server.users import rules
from trace_server.users.model import Scope

NUMBER = "示市监罚〔2026〕1号"
OFFICE = "示例市信用办"


@dataclass(frozen=True)
class Office:
    """A served site, sessions of two clerks, a puller's token, and the ids of two records."""

    url: str
    first: str
    second: str
    puller: dict[str, str]
    record_id: str
    waiting_id: str


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    address = f"sqlite:///{tmp_path_factory.mktemp('office') / 'suyuan.sqlite'}"
    upgrade(address)
    database = open_database(address)
    record = published(services_on(database))
    waiting = recorded(services_on(database), CF_WSH="示市监罚〔2026〕2号")
    _, token = accounts.add_client(database, make.NOW, "tester", name="信用平台", role=Role.CREDIT_OFFICE)
    first, second = (session(database, name) for name in ("clerk-1", "clerk-2"))
    with _served(database) as url:
        yield Office(
            url, first, second, {"Authorization": f"Bearer {token}"}, record.record_id, waiting.record_id
        )  # fmt: skip


def session(database: Database, name: str) -> str:
    """A clerk with password and second factor, logged in; the session's token."""
    caller = users.Caller("127.0.0.1", "Chromium")
    _, code = users.add_user(
        database, make.NOW, "cli:admin", name=name, display_name=name, role=Role.CREDIT_OFFICE, department=OFFICE,
        scope=Scope(),
    )  # fmt: skip
    half = users.join(database, make.NOW, code, "violet harbour sixteen lanterns", caller)
    secret = rules.new_totp_secret()
    key = Settings(code_secret=make.SECRET).derived_key(users.FACTOR_PURPOSE)
    return users.set_factor(database, make.NOW, key, half, secret, pyotp.TOTP(secret).at(make.NOW), caller)


def enter(driver: Chrome, office: Office, token: str, path: str) -> None:
    driver.get(office.url + "/how-to-check")
    driver.delete_all_cookies()
    driver.add_cookie({"name": "suyuan-local", "value": token, "path": "/"})
    driver.get(office.url + path)


def write(driver: Chrome, name: str, text: str) -> None:
    box = driver.find_element(By.NAME, name)
    box.clear()
    box.send_keys(text)


def send(driver: Chrome) -> None:
    WebDriverWait(driver, 30).until(lambda shown: shown.execute_script("return document.readyState") == "complete")
    button = driver.find_element(By.CSS_SELECTOR, "main form .btn.fill")
    button.click()
    WebDriverWait(driver, 30).until(staleness_of(button))


def public_page(office: Office) -> str:
    """As somebody sees it who was not here before: a browser may keep the page for its few minutes."""
    return requests.get(f"{office.url}/credit/{SUBJECT}", timeout=30).text


def choose(driver: Chrome, event: str) -> None:
    driver.find_element(By.CSS_SELECTOR, f"input[value={event}]").click()


def test_the_credit_office_repairs_a_record(
    driver: Chrome, office: Office, screen: Callable[[int, int], None], keep_screenshot: Callable[[str], None]
) -> None:
    screen(1280, 900)
    pull = {"url": f"{office.url}/api/v1/credit/violations", "headers": office.puller, "timeout": 30}
    cursor = requests.get(**pull).json()["next_cursor"]
    driver.get(f"{office.url}/credit/{SUBJECT}")
    assert NUMBER in driver.page_source

    enter(driver, office, office.first, "/console/repairs")
    keep_screenshot("repairs")
    for name, text in (
        ("record_id", office.record_id), ("correction", "已补做出厂检验，缴清罚款"), ("promise", "承诺所提交材料真实"),
        ("papers", "缴款书 2026-77\n检验报告 2026-12"),
    ):  # fmt: skip
        write(driver, name, text)
    send(driver)
    here = driver.current_url.removeprefix(office.url)
    choose(driver, "accept")
    write(driver, "reason", "材料齐全")
    send(driver)
    choose(driver, "grant")
    write(driver, "reason", "条件具备")
    write(driver, "document_no", "示信修〔2026〕1号")
    send(driver)
    assert "受理人不能自己决定" in driver.find_element(By.TAG_NAME, "main").text  # the same person may not
    keep_screenshot("repair-refused")

    enter(driver, office, office.second, here.partition("?")[0])
    choose(driver, "grant")
    write(driver, "reason", "条件具备")
    write(driver, "document_no", "示信修〔2026〕1号")
    keep_screenshot("repair")
    send(driver)
    assert driver.find_element(By.ID, "facts").text == "同意修复"

    assert NUMBER not in public_page(office)
    (item,) = requests.get(**pull, params={"cursor": cursor}).json()["items"]
    assert (item["op"], item["record_id"], item["ext"]["shared"]) == ("repair", office.record_id, False)
    receipt = {"json": {"seqs": [item["seq"]], "statement": "已停止共享"}, "headers": office.puller, "timeout": 30}
    assert requests.post(f"{office.url}/api/v1/credit/receipts", **receipt).status_code == 200
    enter(driver, office, office.second, "/console/exchange")
    keep_screenshot("exchange")
    driver.find_element(By.PARTIAL_LINK_TEXT, "停止共享证明").click()
    assert "已停止共享" in driver.find_element(By.TAG_NAME, "main").text
    keep_screenshot("exchange-proofs")


def test_two_persons_publish_a_decision(
    driver: Chrome, office: Office, screen: Callable[[int, int], None], keep_screenshot: Callable[[str], None]
) -> None:
    screen(1280, 900)
    path = f"/console/publications/{office.waiting_id}"
    enter(driver, office, office.first, "/console/publications")
    keep_screenshot("publications")
    driver.get(office.url + path)
    write(driver, "note", "没有商业秘密和个人信息")
    send(driver)
    write(driver, "note", "可以公示")
    send(driver)
    assert "审查人不能自己公示" in driver.find_element(By.TAG_NAME, "main").text
    enter(driver, office, office.second, path)
    keep_screenshot("publication")
    write(driver, "note", "可以公示")
    send(driver)
    assert "示市监罚〔2026〕2号" in public_page(office)
