"""Set the stage: folder, database, master data, credentials, processes. All through the programs' own commands."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from suyuan.demo.processes import Supervised
from trace_core.errors import Retryable

COMMAND_LIMIT_S = 120.0


@dataclass(frozen=True, slots=True)
class Stage:
    """Where things stand: `folder` holds database, logs, pid files and the gateways' state."""

    folder: Path
    port: int
    environment: Mapping[str, str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def state_dir(self, gateway_id: str) -> Path:
        return self.folder / gateway_id

    def config_file(self, gateway_id: str) -> Path:
        return self.folder / f"{gateway_id}.toml"

    def server_command(self, *words: str) -> Any:  # noqa: ANN401 - JSON
        """Run `trace-server …  --json` to its end and return what it printed."""
        return json.loads(self._run("trace_server", [*words, "--json"]))

    def gateway_command(self, *words: str) -> str:
        return self._run("gateway_agent", list(words))

    def run_server_command(self, *words: str) -> str:
        return self._run("trace_server", list(words))

    def supervised(self, name: str, module: str, *words: str) -> Supervised:
        command = [sys.executable, "-m", module, *words]
        return Supervised(name, command, environment=self.environment, folder=self.folder)

    def _run(self, module: str, words: Sequence[str]) -> str:
        done = subprocess.run(  # noqa: S603 - our own programs, argument list
            [sys.executable, "-m", module, *words],
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=COMMAND_LIMIT_S,
            check=False,
        )
        if done.returncode != 0:
            shown = " ".join(word for word in words if len(word) < 60)
            raise Retryable(f"`{module} {shown}` ended with {done.returncode}: {done.stderr.strip()[-600:]}")
        return done.stdout


def set_stage(folder: Path, port: int) -> Stage:
    """A migrated database in `folder` and the settings of the server. `port` 0 takes a free one."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    chosen = port or free_port()
    secret = folder / "code_secret"
    if not secret.exists():
        secret.touch(mode=0o600)
        secret.write_text(secrets.token_hex(32))
    stage = Stage(
        folder=folder,
        port=chosen,
        environment={
            "SUYUAN_DATABASE_URL": f"sqlite:///{folder / 'suyuan.sqlite'}",
            "SUYUAN_CODE_SECRET_FILE": str(secret),
            "SUYUAN_PUBLIC_URL": f"http://127.0.0.1:{chosen}",
            "PYTHONUNBUFFERED": "1",
        },
    )
    stage.run_server_command("db", "upgrade")
    return stage


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
