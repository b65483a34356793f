"""Answers → outputs. Called only after the commit; slow outputs get a thread and a short queue of their own."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Sequence

import gateway_agent.outputs
from gateway_agent.config import OutputConfig
from gateway_agent.lines import Lines
from gateway_agent.outputs._base import Display, Output, OutputKind
from trace_core.errors import ConfigError
from trace_core.registry import discover

log = logging.getLogger(__name__)

WAITING = 100
"""Answers before a slow output; past it the oldest is given up: a lamp that lags shows the wrong vehicle."""


def output_kinds() -> dict[str, OutputKind]:
    return discover(gateway_agent.outputs, "OUTPUT", OutputKind)


def open_outputs(configs: Sequence[OutputConfig], lines: Lines | None = None) -> list[Output]:
    """Outputs that connect to nothing yet. Raises `ConfigError` for a kind or a setting that cannot be."""
    kinds = output_kinds()
    lines = lines or Lines()
    opened: list[Output] = []
    for config in configs:
        kind = kinds.get(config.type)
        if kind is None:
            raise ConfigError(
                f"no output of type {config.type!r}", where="answer.outputs", remedy=f"one of: {', '.join(kinds)}"
            )
        output = kind.open(config, lines)
        output = Aside(kind.name, output) if kind.is_slow else output
        opened.append(Chosen(output, config) if config.answers or config.read_points else output)
    return opened


class Chosen:
    """Passes on only the answers that its settings name."""

    def __init__(self, output: Output, config: OutputConfig) -> None:
        self._output = output
        self._answers = frozenset(config.answers)
        self._read_points = frozenset(config.read_points)

    def show(self, displays: Sequence[Display]) -> None:
        chosen = [d for d in displays if self._is_meant(d)]
        if chosen:
            self._output.show(chosen)

    def _is_meant(self, display: Display) -> bool:
        if self._answers and display.shown.answer not in self._answers:
            return False
        return not self._read_points or display.read_point in self._read_points


class Aside:
    """An output in a thread of its own, started with the first answer. What fails is logged and counted."""

    def __init__(self, name: str, output: Output) -> None:
        self._name = name
        self._output = output
        self._queue: queue.Queue[Display] = queue.Queue(WAITING)
        self._thread: threading.Thread | None = None
        self.failures = 0
        self.given_up = 0

    def show(self, displays: Sequence[Display]) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=f"output {self._name}", daemon=True)
            self._thread.start()
        for display in displays:
            while True:
                try:
                    self._queue.put_nowait(display)
                    break
                except queue.Full:
                    self._give_up_oldest()

    def _give_up_oldest(self) -> None:
        try:
            self._queue.get_nowait()
        except queue.Empty:
            return  # the thread took it just now
        self.given_up += 1
        if self.given_up % WAITING == 1:
            log.error("output %s is too slow: %d answers given up so far", self._name, self.given_up)

    def _run(self) -> None:
        while True:
            display = self._queue.get()
            try:
                self._output.show([display])
            except OSError as error:
                self.failures += 1
                log.error("output %s (%d failures): %s", self._name, self.failures, error)  # noqa: TRY400
