"""Child processes that are kept running: whoever dies is started again, until told to stop."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

log = logging.getLogger(__name__)

RESTART_AFTER_S = 0.2
STOP_LIMIT_S = 15.0
"""Longest drain of a part; after it the process is killed."""


class Supervised:
    """One program in a process group of its own. `pid_file` tells others which process to look at."""

    def __init__(self, name: str, command: Sequence[str], *, environment: Mapping[str, str], folder: Path) -> None:
        self.name = name
        self.restarts = 0
        self._command = list(command)
        self._environment = {**os.environ, **environment}
        self._log = folder / f"{name}.log"
        self._pid_file = folder / f"{name}.pid"
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep_running, name=f"supervise-{name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask it to end, wait for its drain, then make sure."""
        self._stopping.set()
        process = self._process
        if process is not None and process.poll() is None:
            process.terminate()
        self._thread.join(STOP_LIMIT_S)
        if process is not None:
            self._kill_group(process)
        self._thread.join(5)
        self._pid_file.unlink(missing_ok=True)

    def log_tail(self, lines: int = 20) -> str:
        """The last words of the program, for an error message."""
        if not self._log.exists():
            return ""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-lines:])

    def _keep_running(self) -> None:
        while not self._stopping.is_set():
            with self._log.open("ab") as out:
                process = subprocess.Popen(  # noqa: S603 - our own programs, argument list
                    self._command,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=out,
                    env=self._environment,
                    start_new_session=True,
                )
            self._process = process
            self._pid_file.write_text(str(process.pid))
            if self._stopping.is_set():
                process.terminate()
            code = process.wait()
            # A killed parent may leave children holding its port.
            self._kill_group(process)
            if self._stopping.is_set():
                return
            self.restarts += 1
            log.warning("%s ended with %d; starting it again", self.name, code)
            time.sleep(RESTART_AFTER_S)

    @staticmethod
    def _kill_group(process: subprocess.Popen[bytes]) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
