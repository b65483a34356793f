"""A client is what its token says, as long as it is not revoked."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.server.callers import COMPANY
from trace_core.errors import Conflict, IdentifierError, InputError, NotFound
from trace_server.accounts import operations
from trace_server.accounts.model import FOR_COMPANY, PERMISSIONS, Permission, Role
from trace_server.db import Database
from trace_server.problems import NotAuthenticated

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def test_a_token_gives_its_client_until_it_is_revoked(database: Database) -> None:
    made, token = operations.add_client(database, NOW, "test", name="erp", role=Role.PRODUCER, subject=COMPANY)
    assert operations.authenticate(database, token) == made
    assert operations.revoke_client(database, NOW, "test", "erp").is_revoked
    with pytest.raises(NotAuthenticated):
        operations.authenticate(database, token)


def test_tokens_are_random_and_not_stored(database: Database) -> None:
    _, token = operations.add_client(database, NOW, "test", name="a", role=Role.AUDITOR)
    _, other = operations.add_client(database, NOW, "test", name="b", role=Role.AUDITOR)
    assert token != other
    assert len(token) >= 43
    with database.read() as conn:
        assert token not in str(conn.exec_driver_sql("SELECT * FROM client").all())


def test_a_new_installation_has_no_account(database: Database) -> None:
    assert operations.list_clients(database) == []
    assert operations.list_gateways(database) == []


def test_names_are_unique_and_not_empty(database: Database) -> None:
    operations.add_client(database, NOW, "test", name="erp", role=Role.PRODUCER, subject=COMPANY)
    with pytest.raises(Conflict):
        operations.add_client(database, NOW, "test", name="erp", role=Role.AUDITOR)
    with pytest.raises(InputError):
        operations.add_client(database, NOW, "test", name=" ", role=Role.AUDITOR)


@pytest.mark.parametrize("role", sorted(FOR_COMPANY))
def test_whoever_acts_for_a_company_names_it(database: Database, role: Role) -> None:
    for subject, error in (("", InputError), ("91320900MA1T000211", IdentifierError)):
        with pytest.raises(error):
            operations.add_client(database, NOW, "test", name="x", role=role, subject=subject)
    assert operations.list_clients(database) == []


def test_revoking_names_what_is_wrong(database: Database) -> None:
    made, _ = operations.add_client(database, NOW, "test", name="erp", role=Role.PRODUCER, subject=COMPANY)
    operations.revoke_client(database, NOW, "test", made.client_id)
    with pytest.raises(Conflict):
        operations.revoke_client(database, NOW, "test", "erp")
    with pytest.raises(NotFound):
        operations.revoke_client(database, NOW, "test", "nobody")


def test_every_role_has_a_row_and_every_permission_a_role() -> None:
    assert set(PERMISSIONS) == set(Role)
    assert set().union(*PERMISSIONS.values()) == set(Permission)
