"""The commands do what the operations do, and print one JSON document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.server.credit.make import SUBJECT, codes, services_on
from trace_core.errors import TraceError
from trace_server.credit.cli import commands
from trace_server.credit.fields import FIELDS
from trace_server.credit.rules import BadDecision
from trace_server.db import Database
from trace_server.services import Services

(credit,) = commands


@pytest.fixture
def services(database: Database) -> Services:
    return services_on(database)


def run(services: Services, *words: str) -> Any:
    """Exit code 0 and the JSON lines that were printed."""
    outcome = CliRunner().invoke(credit, words, obj=services)
    if isinstance(outcome.exception, TraceError):
        raise outcome.exception
    assert outcome.exit_code == 0, outcome.output
    return [json.loads(line) for line in outcome.stdout.splitlines()]


@pytest.fixture
def decision_file(tmp_path: Path) -> Path:
    file = tmp_path / "decision.json"
    file.write_text(json.dumps({"decision": codes(), "category": "food"}, ensure_ascii=False), encoding="utf-8")
    return file


def test_a_record_goes_from_file_to_feed(services: Services, decision_file: Path, tmp_path: Path) -> None:
    (made,) = run(services, "record", "--file", str(decision_file), "--operator", "clerk", "--json")
    assert made["created"] is True
    (again,) = run(services, "record", "--file", str(decision_file), "--operator", "clerk", "--json")
    assert again["created"] is False
    key = made["record_id"]
    run(services, "review", key, "--note", "no secret", "--operator", "head", "--json")
    (shown,) = run(services, "publish", key, "--operator", "clerk", "--json")
    assert shown["ext"]["state"] == "published"
    mended = tmp_path / "mended.json"
    mended.write_text(json.dumps({"decision": codes(CF_NR_FK="1"), "category": "food"}), encoding="utf-8")
    run(services, "correct", key, "--file", str(mended), "--reason", "typing error", "--operator", "clerk", "--json")
    (listed,) = run(services, "list", "--uscc", SUBJECT, "--json")
    assert [item["version"] for item in listed["items"]] == [3]
    for step in ("suspend", "resume", "withdraw"):
        run(services, step, key, "--reason", "court", "--document", "1号", "--operator", "clerk", "--json")
    feed = run(services, "feed", "--after", "2", "--json")
    assert [item["op"] for item in feed] == ["correct", "suspend", "resume", "withdraw"]


def test_words_are_printed_without_json(services: Services, decision_file: Path) -> None:
    for words in (["record", "--file", str(decision_file)], ["list", "--uscc", SUBJECT], ["feed"]):
        outcome = CliRunner().invoke(credit, words, obj=services)
        assert outcome.exit_code == 0
        assert "示市监罚〔2026〕1号" in outcome.output


def test_a_faulty_file_is_refused_with_its_fields(services: Services, tmp_path: Path) -> None:
    file = tmp_path / "decision.json"
    file.write_text(json.dumps({"decision": codes(CF_WSH=None), "category": "food"}), encoding="utf-8")
    with pytest.raises(BadDecision, match="/decision/CF_WSH"):
        run(services, "record", "--file", str(file))
    file.write_text("[" * 100_000, encoding="utf-8")
    with pytest.raises(TraceError, match="not JSON"):
        run(services, "record", "--file", str(file))


def test_the_fields_of_a_decision_are_listed() -> None:
    plain = CliRunner().invoke(credit, ["fields"])
    assert len(plain.output.splitlines()) == len(FIELDS)
    listed = json.loads(CliRunner().invoke(credit, ["fields", "--json"]).output)
    assert [item["code"] for item in listed["items"]] == [field.code for field in FIELDS]
