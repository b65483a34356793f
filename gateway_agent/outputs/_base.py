"""The contract of an output: it is told after the commit, and nothing it does can hold up the gate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway_agent.config import OutputConfig
from gateway_agent.lines import Lines
from gateway_agent.observing import Shown


@dataclass(frozen=True, slots=True)
class Display:
    """One answer at one moment."""

    shown_at: datetime
    read_point: str
    epc: bytes
    shown: Shown

    def fields(self) -> dict[str, object]:
        """The line of `answers.jsonl`, the message over MQTT, and the words of a command."""
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


@dataclass(frozen=True, slots=True)
class OutputKind:
    """One kind. `open` checks the settings (`ConfigError`) and connects to nothing yet."""

    name: str
    open: Callable[[OutputConfig, Lines], Output]
    is_slow: bool
    """Gets a thread of its own: whoever waits for a lamp or a broker must not be the writer."""
