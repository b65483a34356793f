"""A gateway may let go of what a backup holds, and of nothing else."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner

from tests.server.ingest.make import EPOCH, NOW, run
from trace_core.errors import InputError
from trace_server.audit import store as audit
from trace_server.config import Settings
from trace_server.db import Database
from trace_server.ingest import backups, cli, operations
from trace_server.services import Services

LATER = NOW + timedelta(hours=1)


def test_a_confirmed_backup_is_told_with_the_next_answer_and_never_taken_back(database: Database) -> None:
    operations.accept_batch(database, NOW, "gate-1", run(1, 2))
    assert operations.accept_batch(database, LATER, "gate-1", run(3, 2)).backed_up_to == 0
    assert backups.confirm(database, LATER, "ops", NOW) == {f"gate-1/{EPOCH}": 2}
    assert operations.accept_batch(database, LATER, "gate-1", run(3, 2)).backed_up_to == 2
    assert backups.confirm(database, LATER, "ops", NOW - timedelta(days=1)) == {}
    assert backups.confirm(database, LATER, "ops", None) == {f"gate-1/{EPOCH}": 4}
    assert operations.accept_batch(database, LATER, "gate-1", run(5, 1)).backed_up_to == 4
    with database.read() as conn:
        assert [entry.action for entry in audit.entries(conn)] == ["backup.confirm"] * 3


def test_no_backup_holds_the_future(database: Database) -> None:
    with pytest.raises(InputError):
        backups.confirm(database, NOW, "ops", LATER)


def test_where_commits_are_replicated_a_commit_is_a_backup(database: Database) -> None:
    for _ in range(2):
        ack = operations.accept_batch(database, NOW, "gate-1", run(1, 3), is_backup=True)
        assert ack.backed_up_to == 3


def test_the_command_confirms_one_time_or_all(database: Database) -> None:
    services = Services(database, Settings(), lambda: LATER)
    operations.accept_batch(database, NOW, "gate-1", run(1, 2))

    def confirm(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(cli.backup, ["confirm", *words], obj=services)
        return result.exit_code, result.stdout

    assert confirm()[0] == confirm("--all", "--at", NOW.isoformat())[0] == 2
    code, told = confirm("--at", NOW.isoformat(), "--json")
    assert (code, json.loads(told)) == (0, {"confirmed": {f"gate-1/{EPOCH}": 2}})
    assert confirm("--all", "--json") == (0, '{"confirmed": {}}\n')
    assert confirm("--at", "2026-11-24T00:00:00")[0] == 1
