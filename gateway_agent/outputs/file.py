"""A file that grows by one JSON line an answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from gateway_agent.config import OutputConfig
from gateway_agent.lines import Lines
from gateway_agent.outputs._base import Display, Output, OutputKind
from trace_core.errors import ConfigError

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class FileOutput:
    """Lines of one call go out in one write, so a reader never sees half a line."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def show(self, displays: Sequence[Display]) -> None:
        lines = [_ENCODER.encode(display.fields()) for display in displays]
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # Opened each time: the file may be rotated away under us.
        with self._path.open("ab", buffering=0) as file:
            file.write(("\n".join(lines) + "\n").encode())


def _open(config: OutputConfig, _lines: Lines) -> Output:
    if config.path.is_dir():
        raise ConfigError("a file is needed", where="outputs.path", remedy='write path = "answers.jsonl"')
    return FileOutput(config.path)


OUTPUT = OutputKind("file", _open, is_slow=False)
