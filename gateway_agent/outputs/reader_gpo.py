"""An output line (GPO) of a reader as the interlock: high on the answers of `high_on`, low on every other.

With `pulse_s` the line falls by itself: what passes next must be asked about first. A reader that (re)appears gets
its line low before anything else, so a gate does not stay open over a cut cable once the reader is back. While the
cable is cut nobody can switch the line: where that matters, put a relay with a time limit of its own behind it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from gateway_agent.blocklist import Verdict
from gateway_agent.config import OutputConfig
from gateway_agent.lines import Lines
from gateway_agent.outputs._base import Display, Output, OutputKind
from trace_core.errors import ConfigError

log = logging.getLogger(__name__)


class GpoOutput:
    """Used by the thread of a slow output; the end of a pulse comes from a timer."""

    def __init__(self, config: OutputConfig, lines: Lines) -> None:
        self._config = config
        self._lines = lines
        self._high_on = frozenset(config.high_on)
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        lines.watch(config.reader, config.gpo)

    def show(self, displays: Sequence[Display]) -> None:
        """The newest answer counts."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            high = displays[-1].shown.answer in self._high_on
            self._lines.switch(self._config.reader, self._config.gpo, high=high)
            if high and self._config.pulse_s > 0:
                self._timer = threading.Timer(self._config.pulse_s, self._fall)
                self._timer.daemon = True
                self._timer.start()

    def _fall(self) -> None:
        with self._lock:
            if self._timer is not threading.current_thread():
                return  # another answer came meanwhile
            self._timer = None
            try:
                self._lines.switch(self._config.reader, self._config.gpo, high=False)
            except OSError as error:
                # It gets its line low when it is back.
                log.error("the line could not be lowered: %s", error)  # noqa: TRY400 - said in one line


def _open(config: OutputConfig, lines: Lines) -> Output:
    outputs = lines.of(config.reader)
    if outputs is None:
        raise ConfigError(f"no reader {config.reader!r}", where="outputs.reader", remedy="name a [[reader]]")
    if config.gpo not in outputs:
        numbers = ", ".join(map(str, outputs)) or "none"
        raise ConfigError(f"{config.gpo} is no output line", where="outputs.gpo", remedy=f"it has: {numbers}")
    for word in config.high_on:
        if word not in set(Verdict):
            raise ConfigError(f"{word!r} is no answer", where="outputs.high_on", remedy="allow, warn or refuse")
    return GpoOutput(config, lines)


OUTPUT = OutputKind("reader_gpo", _open, is_slow=True)
