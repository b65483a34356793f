"""The operator's eyes at a gate: which tags have had their answer shown."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path


class AnswerScreen:
    """Follows the file that a gateway's answer output appends to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.counts: Counter[str] = Counter()
        """How often each answer (allow, warn, refuse) was shown."""
        self._position = 0
        self._shown: dict[tuple[str, str], str] = {}

    def look(self) -> None:
        """Read what was shown since the last look. Half a line stays for the next one."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            file.seek(self._position)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._position += len(line)
                shown = json.loads(line)
                key = (shown["read_point"], shown["epc"])
                if key not in self._shown:
                    self.counts[shown["answer"]] += 1
                self._shown[key] = shown["answer"]

    def answer(self, read_point: str, epc: bytes) -> str | None:
        """What was shown for a tag at a read point, or None while the operator still waits."""
        return self._shown.get((read_point, epc.hex().upper()))
