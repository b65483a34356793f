"""The list follows recalls and dates, and a new version appears only when it says something new."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from gateway_agent.answering import parse_block_list
from trace_server.blocklist import operations, rules
from trace_server.blocklist.model import BlockedBatch
from trace_server.db import Database

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
EPC = "urn:epc:id:sgtin:6901234.056789.1000000001"


def test_a_blocked_batch_lists_its_lot_and_each_tagged_item() -> None:
    lines = rules.entries([BlockedBatch("06901234567892", "L1", True, None, (EPC,))])
    assert [(line["match"], line["value"], line["answer"], line["reason"]) for line in lines] == [
        ("class", "https://id.gs1.org/01/06901234567892/10/L1", "refuse", "recalled"),
        ("uri", EPC, "refuse", "recalled"),
    ]


def test_an_expired_batch_says_so() -> None:
    (line,) = rules.entries([BlockedBatch("06901234567892", "L1", False, date(2026, 1, 1), ())])
    assert line["reason"] == "expired"


def test_the_same_lines_make_no_new_version(database: Database) -> None:
    first = operations.refresh(database, NOW)
    assert operations.refresh(database, NOW + timedelta(minutes=1)) == first == 1
    found = operations.newest(database)
    assert found is not None
    assert found.issued_at == NOW


def test_there_is_no_list_before_the_first(database: Database) -> None:
    assert operations.newest(database) is None


@pytest.mark.parametrize("recalled", [True, False])
def test_the_gateway_understands_what_the_server_publishes(recalled: bool) -> None:
    lines = rules.entries([BlockedBatch("06901234567892", "L1", recalled, date(2026, 1, 1), (EPC,))])
    import json

    document = {"version": 3, "issued_at": NOW.isoformat(), "entries": lines}
    parsed = parse_block_list(json.dumps(document).encode())
    assert parsed.version == 3
    assert "https://id.gs1.org/01/06901234567892/21/1000000001" in parsed.items
