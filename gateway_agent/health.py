"""Is the gateway well? The writer leaves a sign of life; `status --check` judges it from outside."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway_agent.config import Config
from gateway_agent.outbox_schema import Level
from trace_core.readers._base import DeviceState

log = logging.getLogger(__name__)

FILE = "alive"
BEAT_S = 5.0
"""An empty file's time stamp: cheap, but flash memory is not to be written more often."""
MAX_AGE_S = 60.0


class Heartbeat:
    """Owned by the writer's thread: where that hangs, nothing is stored and no answer is shown."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._beaten_at = float("-inf")

    def beat(self, now: float) -> None:
        """`now` on the boot clock, seconds."""
        if now - self._beaten_at < BEAT_S:
            return
        self._beaten_at = now
        try:
            self._path.touch(mode=0o600)
        except OSError as error:
            log.error("no sign of life could be left: %s", error)  # noqa: TRY400 - said in one line


def complaints(config: Config, status: Mapping[str, Any]) -> list[str]:
    """What is wrong, a sentence each; empty when all is well. `status` as `read_status` gives it."""
    if not status["running"]:
        return ["The gateway does not run."]
    found: list[str] = []
    try:
        age_s = time.time() - (config.gateway.state_dir / FILE).stat().st_mtime
    except FileNotFoundError:
        age_s = float("inf")
    if age_s > MAX_AGE_S:
        seen = "at all" if age_s == float("inf") else f"for {age_s:.0f} s"
        found.append(f"The gateway has shown no sign of life {seen}.")
    if status["outbox"]["level"] == Level.FULL:
        found.append("The outbox is full: reads are counted, not taken.")
    states = {reader["name"]: reader for reader in status["readers"]}
    for reader in config.readers:
        line = states.get(reader.name)
        if line is None:
            found.append(f"The reader {reader.name} has not been heard of.")
        elif line["state"] != DeviceState.ONLINE:
            detail = f" ({line['detail']})" if line["detail"] else ""
            found.append(f"The reader {reader.name} is {line['state']} since {line['since']}{detail}.")
    return found
