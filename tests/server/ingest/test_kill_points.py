"""A server that dies at a named point has all of a batch or nothing of it; sending again gives each event once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from tests.server.ingest.make import NOW, count, run
from trace_server.db import Database
from trace_server.ingest import operations, tables
from trace_server.ingest.killpoints import AFTER_COMMIT, POINTS, VARIABLE

SCRIPT = """
import sys
from tests.server.ingest.make import NOW, run
from trace_server.db import open_database
from trace_server.ingest import operations
operations.accept_batch(open_database(sys.argv[1]), NOW, "gate-1", run(1, 30))
"""


@pytest.mark.parametrize("point", POINTS)
def test_nothing_is_lost_or_doubled_by_a_kill(database: Database, point: str) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", SCRIPT, database.url], env={**os.environ, VARIABLE: point}, check=False, timeout=60
    )
    assert killed.returncode == -signal.SIGKILL
    stored = 30 if point == AFTER_COMMIT else 0
    for table in (tables.event, tables.link, tables.object_, tables.gateway_event):
        assert count(database, table) == stored
    assert operations.accept_batch(database, NOW, "gate-1", run(1, 30)).ack == 30
    for table in (tables.event, tables.link, tables.object_, tables.gateway_event):
        assert count(database, table) == 30
