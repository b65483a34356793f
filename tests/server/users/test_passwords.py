"""Passwords are kept as the standard of the day demands."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.server.users.conftest import NOW, PASSWORD
from trace_server.accounts.model import Role
from trace_server.db import Database
from trace_server.problems import NotAuthenticated
from trace_server.users import operations, rules
from trace_server.users.model import Scope, UserState
from trace_server.users.operations import Caller


def test_a_password_is_kept_as_argon2id_with_64_mib_and_3_passes() -> None:
    """In a process of its own: other tests take lighter parameters."""
    words = "from trace_server.users import rules; print(rules.hash_password('four words of no sense'))"
    told = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, timeout=60, check=True).stdout
    assert told.startswith("$argon2id$v=19$m=65536,t=3,p=")


def test_an_account_that_is_shut_while_its_password_changes_stays_shut(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, code = operations.add_user(
        database,
        NOW,
        "test",
        name="clerk",
        display_name="示例",
        role=Role.REGULATOR,
        department="示例市市场监督管理局",
        scope=Scope(),
    )
    token = operations.join(database, NOW, code, PASSWORD, Caller("127.0.0.1", "test"))

    def shut_first(password: str) -> str:
        operations.disable_user(database, NOW, "test", "clerk")
        return "changed"

    monkeypatch.setattr(rules, "hash_password", shut_first)
    with pytest.raises(NotAuthenticated):
        operations.change_password(database, NOW, token, PASSWORD, "other harbour seventeen lamps")
    user, _sessions = operations.account(database, NOW, "clerk")
    assert (user.state, user.password_hash != "changed") == (UserState.DISABLED, True)
