"""The gateway as a process of its own, as it runs in the field: settings in a file, signals, a state folder."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway_agent.killpoints import VARIABLE

WAIT_S = 12.0


@dataclass
class GatewayProcess:
    """Folder, settings and at most one running process."""

    folder: Path
    server_url: str
    reader: str
    """The `[[reader]]` and `[[read_point]]` tables."""
    gateway: str = ""
    answers_file: str = "state/answers.jsonl"
    """Where the answers are shown: what stands there was acknowledged."""
    prefix: Sequence[str] = ()
    """Words before the command of `start`, as `fiu-run`."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables of `start` beside the usual ones."""
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.config.write_text(
            f'[server]\nurl = "{self.server_url}"\nfirst_connect_spread_s = 0\nslow_retry_s = 0.3\ntimeout_s = 2\n'
            f'[gateway]\nstate_dir = "state"\n{self.gateway}\n{self.reader}\n'
            f'[answer]\noutputs = [{{type = "file", path = "{self.answers_file}"}}]\n'
        )

    @property
    def config(self) -> Path:
        return self.folder / "gateway.toml"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "gateway_agent", *words], capture_output=True, text=True, timeout=30, check=False
        )

    def enrol(self, code: str = "code-1") -> None:
        done = self.command("enrol", "--config", str(self.config), "--code", code)
        assert done.returncode == 0, done.stderr

    def start(self, kill_at: str = "") -> None:
        environment = {**os.environ, VARIABLE: kill_at, **self.environment}
        with (self.folder / "gateway.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, sys.executable, "-m", "gateway_agent", "run", "--config", str(self.config)],
                env=environment,
                stdout=log,
                stderr=log,
            )

    def start_and_wait(self) -> None:
        """Until it handles signals: before that SIGTERM ends any process at once, and nothing was begun."""
        starts = self.log().count("INFO MainThread running") if self.config.with_name("gateway.log").exists() else 0
        self.start()
        until(lambda: self.log().count("INFO MainThread running") > starts, "the gateway started")

    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def terminate(self) -> int:
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(20)

    def answers(self) -> list[dict[str, Any]]:
        """Lines shown so far; a last line that is not finished is left out."""
        path = self.folder / self.answers_file
        if not path.exists():
            return []
        return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]

    def status(self) -> Mapping[str, Any]:
        done = self.command("status", "--config", str(self.config), "--json")
        assert done.returncode == 0, done.stderr
        fields: Mapping[str, Any] = json.loads(done.stdout)
        return fields

    def log(self) -> str:
        return (self.folder / "gateway.log").read_text()


@contextlib.contextmanager
def ended(gateway: GatewayProcess) -> Iterator[GatewayProcess]:
    """No process outlives its test."""
    try:
        yield gateway
    finally:
        if gateway.running():
            gateway.kill()


def until(claim: Callable[[], object], what: str, limit_s: float = WAIT_S) -> None:
    limit = time.monotonic() + limit_s
    while not claim():
        assert time.monotonic() < limit, f"not within {limit_s:.0f} s: {what}"
        time.sleep(0.02)


def serial_reader(url: str, window_s: float = 10.0) -> str:
    return (
        f'[[reader]]\nname = "door"\nprotocol = "magicrf"\nurl = "serial://{url}"\n'
        f'[[read_point]]\nreader = "door"\nid = "urn:epc:id:sgln:6901234.00001.0"\npresence_window_s = {window_s}\n'
        'biz_step = "receiving"\n'
    )


def mqtt_reader(url: str, window_s: float = 10.0) -> str:
    return (
        f'[[reader]]\nname = "gate"\nprotocol = "mqtt_json"\nurl = "{url}"\n'
        f'[[read_point]]\nreader = "gate"\nid = "urn:epc:id:sgln:6901234.00002.0"\npresence_window_s = {window_s}\n'
    )
