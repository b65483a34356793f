"""What all tests of the server share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher


@pytest.fixture(autouse=True, scope="session")
def _light_passwords() -> Iterator[None]:
    """Log-ins of tests cost no tenth of a second each; what the product takes is tested by `tests/server/users`."""
    from trace_server.users import rules

    strong, rules._hasher = rules._hasher, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    yield
    rules._hasher = strong
