"""Programs as processes of their own, as an operator runs them; ended by their own process group."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.services import free_port

START_LIMIT_S = 60.0


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A served database; `command` runs another `trace-server` command on it."""

    url: str
    environment: Mapping[str, str]

    def command(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--json"))

    def run(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "trace_server", *words],
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{words}: {done.stderr[-2000:]}"
        return done.stdout

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.run("events", "list", "--json").splitlines()]


@contextmanager
def running(words: Sequence[str], environment: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m …` in a process group of its own, SIGTERM at the end of the block."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", *words],
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=20)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=5)


@contextmanager
def running_server(database_url: str, folder: Path, *options: str, scheme: str = "http") -> Iterator[RunningServer]:
    """`trace-server run` on a migrated database, on a free port."""
    port = free_port()
    environment = {
        "SUYUAN_DATABASE_URL": database_url,
        "SUYUAN_ALLOW_UNSAFE_DATABASE": "1",
        "SUYUAN_CODE_SECRET": "for tests only, long enough to be taken",
        "SUYUAN_PUBLIC_URL": f"{scheme}://127.0.0.1:{port}",
    }
    words = ["trace_server", "run", "--port", str(port), *options]
    with running(words, environment, folder / "server.log") as process:
        server = RunningServer(f"{scheme}://127.0.0.1:{port}", environment)
        if scheme == "http":
            _wait_until_ready(server.url, process, folder / "server.log")
        yield server


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    limit = time.monotonic() + START_LIMIT_S
    while time.monotonic() < limit:
        assert process.poll() is None, log.read_text()
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/readyz", timeout=2):
            return
        time.sleep(0.1)
    raise AssertionError(f"{url} is not ready: {log.read_text()}")
