"""Passwords are kept as the standard of the day demands."""

from __future__ import annotations

import subprocess
import sys


def test_a_password_is_kept_as_argon2id_with_64_mib_and_3_passes() -> None:
    """In a process of its own: other tests take lighter parameters."""
    words = "from trace_server.users import rules; print(rules.hash_password('four words of no sense'))"
    told = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, timeout=60, check=True).stdout
    assert told.startswith("$argon2id$v=19$m=65536,t=3,p=")
