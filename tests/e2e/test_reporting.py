"""A passer-by reports what a label says, by keyboard, without JavaScript, and finds the answer again."""

from __future__ import annotations

from collections.abc import Callable

from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.expected_conditions import staleness_of, visibility_of_element_located
from selenium.webdriver.support.ui import WebDriverWait

from tests.e2e.conftest import Site
from tests.server.complaints.make import WHAT


def press(driver: Chrome, selector: str, *keys: str) -> None:
    """Type into an element, or press it, by keys alone."""
    driver.find_element(By.CSS_SELECTOR, selector).send_keys(*keys)


def go(driver: Chrome, selector: str) -> None:
    """Press a link or button, and wait for the page that it leads to."""
    before = driver.find_element(By.TAG_NAME, "html")
    press(driver, selector, Keys.ENTER)
    WebDriverWait(driver, 30).until(staleness_of(before))
    WebDriverWait(driver, 30).until(visibility_of_element_located((By.TAG_NAME, "footer")))


def heading(driver: Chrome) -> str:
    return driver.find_element(By.TAG_NAME, "h1").text


def test_a_report_is_made_by_keyboard_from_the_code_page_and_followed(
    driver: Chrome, site: Site, screen: Callable[[int, int], None], keep_screenshot: Callable[[str], None]
) -> None:
    screen(360, 640)
    driver.get(site.link("normal"))
    driver.delete_all_cookies()  # those of other programs on this host
    go(driver, "a[href^='/report?kind=report']")
    assert site.code("normal").readable in driver.find_element(By.TAG_NAME, "main").text
    go(driver, "main form button")
    go(driver, "form.card button")  # nothing typed yet
    summary = driver.find_element(By.CSS_SELECTOR, ".err a")
    assert driver.title.startswith("错误：")
    assert str(summary.get_attribute("href")).endswith("#what")
    press(driver, "#what", WHAT)
    go(driver, "form.card button")
    assert heading(driver) == "在哪里？"
    driver.back()
    what = WebDriverWait(driver, 30).until(visibility_of_element_located((By.ID, "what")))
    assert what.get_attribute("value") == WHAT
    driver.forward()
    WebDriverWait(driver, 30).until(visibility_of_element_located((By.ID, "region")))
    press(driver, "#region", "亭")
    go(driver, "form.card button")
    go(driver, "form.card button")  # anonymous is chosen already
    assert WHAT in driver.find_element(By.TAG_NAME, "main").text
    go(driver, "button.fill")
    token = driver.find_element(By.CLASS_NAME, "token").text
    keep_screenshot("report-token")
    assert token not in driver.current_url
    driver.get(f"{site.url}/report/follow")
    press(driver, "#token", token.replace("-", ""))
    go(driver, "form.card button")
    assert heading(driver) == "已收到"
    press(driver, "#message", "后门也有一箱")
    go(driver, "form.card button")
    assert "后门也有一箱" in driver.find_element(By.TAG_NAME, "main").text
    assert token not in driver.current_url
    assert driver.get_cookies() == []


def test_exit_clears_what_was_typed(driver: Chrome, site: Site) -> None:
    driver.get(f"{site.url}/report?kind=report")
    go(driver, "main form button")
    press(driver, "#what", WHAT)
    go(driver, "form.card button")
    form = driver.current_url
    go(driver, ".leave button")
    assert heading(driver) == "查一查手里的商品"
    driver.get(form)
    assert heading(driver) == "这份表单已经没有了"
