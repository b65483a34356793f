"""Where answers appear: each kind of output is one entry in `_KINDS`. Called only after the commit."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from gateway_agent.config import OutputConfig
from gateway_agent.observing import Shown
from trace_core.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Display:
    """One answer at one moment."""

    shown_at: datetime
    read_point: str
    epc: bytes
    shown: Shown

    def fields(self) -> dict[str, object]:
        """The line of `answers.jsonl`."""
        return {
            "shown_at": self.shown_at.isoformat(timespec="milliseconds"),
            "read_point": self.read_point,
            "epc": self.epc.hex().upper(),
            "uri": self.shown.uri,
            "answer": self.shown.answer,
            "reason": self.shown.reason,
            "list_age_s": self.shown.list_age_s,
            "seq": self.shown.seq,
            "epoch": self.shown.epoch,
        }


class Output(Protocol):
    def show(self, displays: Sequence[Display]) -> None:
        """Raises `OSError` when the output cannot take them."""
        ...


class FileOutput:
    """Appends one JSON line an answer. Lines of one call go out in one write, so a reader never sees half a line."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path

    def show(self, displays: Sequence[Display]) -> None:
        lines = [json.dumps(display.fields(), ensure_ascii=False, separators=(",", ":")) for display in displays]
        # Opened each time: the file may be rotated away under us.
        with self._path.open("ab", buffering=0) as file:
            file.write(("\n".join(lines) + "\n").encode())


_KINDS: dict[str, Callable[[OutputConfig], Output]] = {"file": lambda config: FileOutput(config.path)}


def open_outputs(configs: Sequence[OutputConfig]) -> list[Output]:
    """Raises `ConfigError` for a kind that does not exist."""
    for config in configs:
        if config.type not in _KINDS:
            raise ConfigError(
                f"no output of type {config.type!r}", where="answer.outputs", remedy=f"one of: {', '.join(_KINDS)}"
            )
    return [_KINDS[config.type](config) for config in configs]
