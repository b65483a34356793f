"""A program that is run for each answer: a lamp, a barrier, a relay of the filling scale.

The list of arguments goes to the kernel as it is: no shell, so nothing in a tag can become a command. In each
argument `{answer}`, `{reason}`, `{epc}`, `{uri}`, `{read_point}`, `{list_age_s}`, `{seq}`, `{epoch}` and
`{shown_at}` are replaced.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Sequence

from gateway_agent.config import OutputConfig
from gateway_agent.lines import Lines
from gateway_agent.outputs._base import Display, Output, OutputKind
from trace_core.errors import ConfigError

WORDS = ("shown_at", "read_point", "epc", "uri", "answer", "reason", "list_age_s", "seq", "epoch")
_WORD = re.compile(r"\{([a-z_]+)\}")


class CommandOutput:
    """Runs the program once an answer, one after the other, and kills what lasts longer than `time_limit_s`."""

    def __init__(self, command: Sequence[str], time_limit_s: float) -> None:
        self._command = tuple(command)
        self._time_limit_s = time_limit_s

    def show(self, displays: Sequence[Display]) -> None:
        for display in displays:
            self._run(display.fields())

    def _run(self, fields: dict[str, object]) -> None:
        def word(match: re.Match[str]) -> str:
            value = fields[match[1]]
            return "" if value is None else str(value)

        arguments = [_WORD.sub(word, part) for part in self._command]
        process = subprocess.Popen(  # noqa: S603 - an argument list from the settings, no shell
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            code = process.wait(self._time_limit_s)
        except subprocess.TimeoutExpired as error:
            # Its own session: what it started dies with it.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise OSError(f"{arguments[0]} was killed after {self._time_limit_s:g} s") from error
        if code != 0:
            raise OSError(f"{arguments[0]} ended with {code}")


def _open(config: OutputConfig, _lines: Lines) -> Output:
    if not config.command or not config.command[0]:
        raise ConfigError("no command", where="outputs.command", remedy='write command = ["/opt/lamp", "{answer}"]')
    for name in _WORD.findall(" ".join(config.command)):
        if name not in WORDS:
            raise ConfigError(f"unknown word {{{name}}}", where="outputs.command", remedy=f"known: {', '.join(WORDS)}")
    return CommandOutput(config.command, config.time_limit_s)


OUTPUT = OutputKind("command", _open, is_slow=True)
