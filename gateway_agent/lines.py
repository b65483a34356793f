"""Output lines of readers, by reader name: outputs wish, the pump of the reader's port carries it out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

Switch: TypeAlias = Callable[[str, int, bool], None]
"""Reader, line, high. Raises `OSError` when the reader is not there."""


@dataclass(slots=True)
class Lines:
    """`outputs`: reader → numbers of the lines that its kind can have."""

    outputs: Mapping[str, Sequence[int]] = field(default_factory=dict)
    _switches: dict[str, Switch] = field(default_factory=dict)
    _watched: dict[str, set[int]] = field(default_factory=dict)

    def of(self, reader: str) -> Sequence[int] | None:
        """Its lines; None when there is no such reader."""
        return self.outputs.get(reader)

    def watch(self, reader: str, number: int) -> None:
        """This line belongs to an output: it is lowered whenever its reader appears."""
        self._watched.setdefault(reader, set()).add(number)

    def watched(self, reader: str) -> Sequence[int]:
        return sorted(self._watched.get(reader, ()))

    def serve(self, reader: str, switch: Switch) -> None:
        """`switch` reaches this reader from now on."""
        self._switches[reader] = switch

    def switch(self, reader: str, number: int, *, high: bool) -> None:
        """Raises `OSError` when the reader is not there."""
        found = self._switches.get(reader)
        if found is None:
            raise OSError(f"reader {reader} is not served")
        found(reader, number, high)
