"""The desk of lists: one person proposes and notifies, another lists once objections are over."""

from __future__ import annotations

from collections.abc import Callable

from tests.server.credit.make import SUBJECT
from tests.server.users.conftest import Browser, Clock
from trace_server.accounts.model import Role

LogIn = Callable[..., Browser]
LISTS = "/console/lists"
PROPOSAL = {
    "list": "serious", "uscc": SUBJECT, "reason": "情节严重、危害较大", "document_no": "示列〔2026〕1号",
    "issuer": "示例市市场监督管理局",
}  # fmt: skip


def act(browser: Browser, path: str, event: str, version: int) -> int:
    return browser.submit(path, f"{path}/steps", event=event, reason="依据文书", version=str(version)).status_code


def test_two_people_list_a_subject_after_notice(log_in: LogIn, clock: Clock) -> None:
    one, two = log_in("one-1"), log_in("office-1", Role.CREDIT_OFFICE)
    made = one.submit(LISTS, LISTS, **PROPOSAL)
    assert made.status_code == 303, made.text
    path = made.headers["Location"].partition("?")[0]
    assert "情节严重、危害较大" in two.get(path).text
    assert 'value="list"' not in two.get(path).text
    assert act(one, path, "notice", 1) == 303
    early = two.submit(path, f"{path}/steps", event="list", reason="依据文书", version="2")
    assert early.status_code == 400
    assert "异议期还没有结束" in early.text or "not over" in early.text
    clock.advance(14 * 86_400)
    for browser, name in ((one, "one-1"), (two, "office-1")):
        browser.log_in(name)
    assert act(one, path, "list", 2) == 400
    assert act(two, path, "list", 2) == 303
    page = two.get(path).text
    assert 'value="revoke"' in page
    assert 'value="remove_early"' not in page
    assert SUBJECT in two.get(f"{LISTS}?list=serious&state=listed").text
    assert SUBJECT not in two.get(f"{LISTS}?list=red").text


def test_a_mistake_stands_at_its_field_and_what_was_typed_stays(log_in: LogIn) -> None:
    office = log_in("office-1", Role.CREDIT_OFFICE)
    for field, value in (("uscc", "123"), ("list", "nothing"), ("reason", " "), ("issuer", "")):
        answer = office.submit(LISTS, LISTS, **(PROPOSAL | {field: value}))
        assert answer.status_code == 400
        assert f'href="#{field}"' in answer.text
        assert "示列〔2026〕1号" in answer.text
    assert office.submit(LISTS, LISTS, **PROPOSAL).status_code == 303
    again = office.submit(LISTS, LISTS, **PROPOSAL)
    assert again.status_code == 400
    assert 'href="#uscc"' in again.text
    assert log_in("audit-1", Role.AUDITOR).get(LISTS).status_code == 403
