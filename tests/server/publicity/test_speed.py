"""The public list of decisions stays quick with many of them: p95 ≤ 300 ms at 100,000. Every search reads an index."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import date, timedelta

from flask.testing import FlaskClient
from sqlalchemy import event, insert

from tests.server.credit import make
from trace_server.credit import store
from trace_server.credit.identity import record_id_of
from trace_server.credit.model import Op, State
from trace_server.credit.tables import violation_record, violation_version
from trace_server.services import Services

SOAK = os.environ.get("SUYUAN_SOAK") == "1"
MANY = 100_000 if SOAK else 1_000
P95_S = 0.3 if SOAK else 3.0
"""The short form only finds what is wrong by an order of magnitude: others share the machine."""
ROUNDS = 20 if SOAK else 3
ASKED = ("", "?q=示例食品499", "?q=没有的名称", "?q=〔2026〕999", "?region=3209&category=drug", "?category=gi",
         "?from=2026-01-03&to=2026-01-04")  # fmt: skip


def fill(outside: Services) -> None:
    """Published decisions of half a year, in two categories."""
    base, batch = make.first_version("x"), 2_000
    for start in range(0, MANY, batch):
        heads, versions = [], []
        for number in range(start, min(start + batch, MANY)):
            decision = replace(
                base.decision,
                decision_no=f"示市监罚〔2026〕{number}号",
                decided_on=make.TODAY - timedelta(days=number % 150),
                subject_name=f"示例食品{number % 5000}号有限公司",
            )
            record = replace(base, record_id=record_id_of(decision.decision_no, decision.authority_code),
                             decision=decision, state=State.PUBLISHED, window_max_end=date(2029, 1, 1),
                             category="drug" if number % 7 == 0 else "food")  # fmt: skip
            published_on = decision.decided_on + timedelta(days=number % 20)
            heads.append({**store._head_row(record), "window_basis": "b", "published_on": published_on})
            versions.append(store._version_row(store.Written(record, Op.UPSERT, (), "d")))
        with outside.db.begin() as conn:
            conn.execute(insert(violation_record), heads)
            conn.execute(insert(violation_version), versions)


def test_each_search_and_each_next_page_is_quick(http: FlaskClient, outside: Services) -> None:
    fill(outside)
    assert http.get("/penalties").status_code == 200
    for query in ASKED:
        took = []
        for _ in range(ROUNDS):
            begun = time.perf_counter()
            assert http.get(f"/penalties{query}").status_code == 200
            took.append(time.perf_counter() - begun)
        assert sorted(took)[int(ROUNDS * 0.95) - 1] <= P95_S, query
    path, took = "/penalties", []
    while path and len(took) < 2 * ROUNDS:
        begun = time.perf_counter()
        answer = http.get(path)
        took.append(time.perf_counter() - begun)
        path = answer.headers.get("Link", "").partition(">")[0].lstrip("<")
    assert sorted(took)[int(len(took) * 0.95)] <= P95_S


def test_no_search_reads_more_statements_than_a_page_needs(http: FlaskClient, outside: Services) -> None:
    """Not one for each row: the calendar, the page, and the figures once."""
    for number in range(25):
        make.published(outside, CF_WSH=f"示市监罚〔2026〕{number}号")
    http.get("/penalties")
    seen: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    with outside.db.read() as conn:
        engine = conn.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        assert http.get("/penalties?q=示例食品").status_code == 200
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert len([statement for statement in seen if statement.lstrip().startswith("SELECT")]) <= 3, seen
