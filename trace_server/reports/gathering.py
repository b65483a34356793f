"""What reports are made from, read in one transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from trace_server.catalog import store as catalog
from trace_server.commitments.operations import shown_of
from trace_server.credit.operations import archive, checked_grade, records_of
from trace_server.credit.steps import law_day
from trace_server.credit.store import grades, head_seq
from trace_server.db import Connection, Dialect
from trace_server.lists import store as lists
from trace_server.reports import store
from trace_server.reports.model import Chain, Facts, Kind, Receipt, Source, Wish
from trace_server.trace.answering import ask, bodies
from trace_server.trace.model import Direction
from trace_server.trace.question import Question

RECEIVING = "receiving"
MAX_RECEIPTS = 500
"""Events that a pack lists, the newest; older ones are said to be left out."""


def gather(conn: Connection, dialect: Dialect, wish: Wish, kind: Kind, now: datetime) -> Source:
    """The facts of a wish. Raises `NotFound` for goods that nobody has recorded."""
    # First of all: what changes from here on is newer than the report, never older.
    seq = head_seq(conn)
    subjects = tuple(facts_of(conn, code, now, seq) for code in wish.usccs)
    return Source(wish, subjects, _chain(conn, dialect, wish.uri, now) if kind.needs_goods else None)


def facts_of(conn: Connection, uscc: str, now: datetime, seq: int) -> Facts:
    """Everything on one subject."""
    today = law_day(now)
    members = lists.of_subject(conn, uscc)
    batches, inspected = store.batch_counts(conn, uscc)
    return Facts(
        uscc=uscc,
        as_of=now,
        today=today,
        change_no=seq,
        subject=catalog.subject(conn, uscc),
        licences=tuple(catalog.licences(conn, uscc)),
        penalties=archive(conn, uscc, today).shown,
        all_records=tuple(records_of(conn, uscc)),
        memberships=tuple(one for one in members if one.holds(today)),
        all_memberships=tuple(members),
        commitments=tuple(shown_of(conn, uscc)),
        grade=checked_grade(conn, uscc),
        stated=tuple(grades.facts(conn, uscc)),
        recalled=tuple(store.recalled_of(conn, uscc)),
        batches=batches,
        inspected=inspected,
    )


def _chain(conn: Connection, dialect: Dialect, uri: str, now: datetime) -> Chain:
    answer = ask(conn, dialect, Question(uri, (Direction.UPSTREAM,)), now)
    papers = {event.event_key: documents(event.body) for event in bodies(conn, dialect, answer)}
    receipts = tuple(
        Receipt(
            step,
            step.hop.event.biz_step.replace("-", ":").rsplit("/", 1)[-1].rsplit(":", 1)[-1] == RECEIVING,
            papers.get(step.hop.event.event_key, ()),
        )
        for step in answer.steps
    )
    return Chain(answer.uri, receipts[-MAX_RECEIPTS:], answer.truncated or len(receipts) > MAX_RECEIPTS)


def documents(body: str) -> tuple[str, ...]:
    """The papers that an EPCIS event in JSON names: `<type> <number>`, without the words all types begin with."""
    event: dict[str, Any] = msgspec.json.decode(body)
    named = event.get("bizTransactionList") or ()
    return tuple(
        f"{str(one.get('type', '')).rsplit('BTT-', 1)[-1].rsplit(':', 1)[-1]} {one['bizTransaction']}".strip()
        for one in named
        if isinstance(one, dict) and one.get("bizTransaction")
    )
