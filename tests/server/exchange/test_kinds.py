"""Lists and licences in the feed, receipts, proofs and the daily comparison."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask.testing import FlaskClient

from tests.server.credit.make import SUBJECT, Clock, paper, published
from tests.server.portal import make as goods
from trace_server.credit.operations import withdraw
from trace_server.exchange import licences, pulling, recalls, reconciling
from trace_server.exchange.model import CheckState
from trace_server.lists import operations as lists
from trace_server.lists.model import ListEvent, Membership
from trace_server.lists.operations import Proposal
from trace_server.recall import operations as recall
from trace_server.recall.model import Notice, Scope
from trace_server.services import Services

Bearer = Callable[[str], dict[str, str]]
API = "/api/v1/credit"


def listed(outside: Services) -> Membership:
    wanted = Proposal("red", SUBJECT, "年度诚信典型", "示信〔2026〕1号", "示例市信用办")
    row = lists.propose(outside, "user:one", wanted)
    return lists.take_step(outside, "user:two", row.membership_id, ListEvent.LIST, version=row.version, reason="核实")


def pull(http: FlaskClient, headers: dict[str, str], **query: Any) -> dict[str, Any]:
    answer = http.get(f"{API}/violations", query_string=query, headers=headers)
    assert answer.status_code == 200, answer.text
    return dict(answer.get_json())


def test_a_listing_and_its_end_are_in_the_feed_in_the_order_of_commits(
    http: FlaskClient, bearer: Bearer, outside: Services, clock: Clock
) -> None:
    office = bearer("credit_office")
    row = listed(outside)
    published(outside)
    lists.take_step(outside, "user:two", row.membership_id, ListEvent.REVOKE, version=row.version, reason="认定有误")
    items = pull(http, office)["items"]
    assert [(item["seq"], item["op"], item["ext"]["kind"]) for item in items] == [
        (1, "upsert", "list"), (2, "upsert", "penalty"), (3, "upsert", "penalty"), (4, "withdraw", "list"),
    ]  # fmt: skip
    assert [item["seq"] for item in pull(http, office, kind="list")["items"]] == [1, 4]
    assert "列入事由" not in items[0]["record"]  # stopped by now: only its keys are told
    assert items[3]["supersedes"] == 1
    snapshot = http.get(f"{API}/snapshot", headers=office).get_json()["items"]
    held = {(item["record_id"], item["version"], item["ext"]["state"]) for item in snapshot}
    today = clock.now.date()
    clock.now += timedelta(days=1)
    told = http.get(f"{API}/digest?day={today}", headers=office).get_json()
    assert told["sha256"] == reconciling.digest_of(held)


def test_a_licence_is_told_when_it_is_new_and_when_it_has_changed(
    http: FlaskClient, bearer: Bearer, outside: Services
) -> None:
    goods.load(outside.db)
    count = licences.tell_licences(outside)
    assert count > 0
    assert licences.tell_licences(outside) == 0
    items = pull(http, bearer("credit_office"), kind="licence")["items"]
    assert len(items) == count
    assert {item["op"] for item in items} == {"upsert"}
    assert all(item["record"]["许可编号"] for item in items)


def test_a_recall_is_told_once_it_is_announced_and_again_when_it_goes_on(
    http: FlaskClient, bearer: Bearer, outside: Services
) -> None:
    goods.load(outside.db)
    scope, notice = Scope(batches=((goods.GTIN, goods.LOT),)), Notice("示召〔2026〕9号", "示例局", "r", "a", "t", "000")
    now = outside.clock()
    made = recall.create(outside.db, now, "one", category="food", level=1, scope=scope, notice=notice)
    assert recalls.tell_recalls(outside) == 0
    recall.announce(outside.db, now, "two", made.recall_id, "检验报告")
    assert recalls.tell_recalls(outside) == 1
    assert recalls.tell_recalls(outside) == 0
    (item,) = pull(http, bearer("credit_office"), kind="recall")["items"]
    assert item["record"]["召回级别"] == "一级"
    assert item["record"]["统一社会信用代码"] == goods.PRODUCER
    assert goods.LOT in item["record"]["涉及批次"]
    recall.notify(outside.db, now, "two", made.recall_id)
    assert recalls.tell_recalls(outside) == 1
    items = pull(http, bearer("auditor"), kind="recall")["items"]
    assert [(one["op"], one["ext"]["state"]) for one in items] == [("upsert", "announced"), ("correct", "notifying")]


def test_receipts_prove_who_has_stopped_sharing_a_record(http: FlaskClient, bearer: Bearer, outside: Services) -> None:
    office, other = bearer("credit_office"), bearer("auditor")
    record = published(outside)
    for who in (office, other):
        pull(http, who)
    withdraw(outside, record.record_id, paper())
    pull(http, other)
    answer = http.post(f"{API}/receipts", json={"seqs": [3], "statement": "已删除"}, headers=other)
    assert answer.get_json() == {"taken": 1, "new": 1}
    assert http.post(f"{API}/receipts", json={"seqs": [3]}, headers=other).get_json() == {"taken": 1, "new": 0}
    assert http.post(f"{API}/receipts", json={"seqs": [99]}, headers=other).status_code == 400
    proof = http.get(f"{API}/changes/3/receipts", headers=office).get_json()
    found = {one["receiver"]: (one["told_at"] is not None, one["receipt"]) for one in proof["receivers"]}
    assert found == {"a credit_office": (False, ""), "a auditor": (True, "已删除")}


def test_a_puller_sees_how_far_it_is(http: FlaskClient, bearer: Bearer, outside: Services) -> None:
    office = bearer("credit_office")
    published(outside)
    cursor = pull(http, office, limit=1)["next_cursor"]
    (place,) = http.get(f"{API}/places", headers=office).get_json()["items"]
    assert (place["given"], place["confirmed"], place["lag"]) == (1, 0, 1)
    pull(http, office, cursor=cursor)
    (place,) = http.get(f"{API}/places", headers=office).get_json()["items"]
    assert (place["given"], place["confirmed"], place["lag"]) == (2, 1, 0)


def test_a_difference_between_both_sides_is_a_task_until_it_is_settled(
    http: FlaskClient, bearer: Bearer, outside: Services, clock: Clock
) -> None:
    office = bearer("credit_office")
    published(outside)
    day = clock.now.date().isoformat()
    wrong = {"day": day, "count": 1, "sha256": "0" * 64}
    assert http.post(f"{API}/comparisons", json=wrong, headers=office).status_code == 400
    clock.now += timedelta(days=1)
    answer = http.post(f"{API}/comparisons", json=wrong, headers=office).get_json()
    assert not answer["equal"]
    (check,), _ = pulling.checks(outside.db, CheckState.OPEN)
    right = wrong | {"sha256": answer["ours_sha256"], "count": answer["ours_count"]}
    assert http.post(f"{API}/comparisons", json=right, headers=office).get_json()["equal"]
    assert pulling.checks(outside.db, CheckState.OPEN)[0] == []
    http.post(f"{API}/comparisons", json=wrong, headers=office)
    now = clock()
    settled = pulling.settle_check(outside.db, now, "user:one", check.client_id, check.day, "对方漏收一条，已重发")
    assert settled.state is CheckState.SETTLED
