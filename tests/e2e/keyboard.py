"""A person who has only a keyboard: goes from element to element by Tab, types, presses Enter."""

from __future__ import annotations

from selenium.webdriver import ActionChains, Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support import expected_conditions
from selenium.webdriver.support.ui import WebDriverWait

MAX_TABS = 90
"""Keys to reach anything on a page."""


def tab_to(driver: Chrome, selector: str) -> WebElement:
    """Press Tab until the element has the focus; it must be visible there."""
    wanted = driver.find_element(By.CSS_SELECTOR, selector)
    for _ in range(MAX_TABS):
        if driver.switch_to.active_element == wanted:
            return wanted
        ActionChains(driver).send_keys(Keys.TAB).perform()
    raise AssertionError(f"{selector} cannot be reached by Tab")


def press(driver: Chrome, selector: str, key: str = Keys.ENTER) -> None:
    """Go there by Tab, press the key, wait for the page that comes."""
    before = driver.find_element(By.TAG_NAME, "h1")
    tab_to(driver, selector).send_keys(key)
    WebDriverWait(driver, 20).until(expected_conditions.staleness_of(before))
    WebDriverWait(driver, 20).until(expected_conditions.presence_of_element_located((By.TAG_NAME, "footer")))


def fill(driver: Chrome, **values: str) -> None:
    for name, value in values.items():
        tab_to(driver, f"#{name}").send_keys(value)


def heading(driver: Chrome) -> str:
    return driver.find_element(By.TAG_NAME, "h1").text
