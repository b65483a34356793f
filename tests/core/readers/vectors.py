"""Outside vectors: bytes that we did not make, with what they mean."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from trace_core.readers._base import CodeRead, TagRead

FOLDER = Path(__file__).parents[2] / "vectors"


@dataclass(frozen=True, slots=True)
class Vector:
    """One frame or payload. `refused`: the receiver must not take it."""

    protocol: str
    source: str
    name: str
    direction: str
    data: bytes
    reads: tuple[TagRead, ...] = ()
    codes: tuple[CodeRead, ...] = ()
    events: tuple[str, ...] = ()
    refused: bool = False
    options: Mapping[str, object] = field(default_factory=dict)
    reply: Mapping[str, str] = field(default_factory=dict)
    """`reply`, `reply_starts`, `reply_ends` → hex."""

    def __str__(self) -> str:
        return f"{self.protocol}: {self.name}"


def load(protocol: str) -> list[Vector]:
    """All vectors in tests/vectors/<protocol>/*.json, file by file."""
    found: list[Vector] = []
    for path in sorted((FOLDER / protocol).glob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        found += [_vector(protocol, document["source"], entry) for entry in document["vectors"]]
    return found


def _vector(protocol: str, source: str, entry: dict[str, object]) -> Vector:
    text = entry.get("text")
    data = str(text).encode() if text is not None else bytes.fromhex(str(entry["hex"]))
    reads = entry.get("reads", [])
    assert isinstance(reads, list)
    return Vector(
        protocol=protocol,
        source=source,
        name=str(entry["name"]),
        direction=str(entry["direction"]),
        data=data,
        reads=tuple(_read(read) for read in reads),
        codes=tuple(CodeRead(**code) for code in entry.get("codes", ())),  # type: ignore[attr-defined]
        events=tuple(entry.get("events", ())),  # type: ignore[arg-type]
        refused=bool(entry.get("refused", False)),
        options=entry.get("options", {}),  # type: ignore[arg-type]
        reply={key: str(value) for key, value in entry.items() if key.startswith("reply")},
    )


def _read(entry: dict[str, object]) -> TagRead:
    values = dict(entry)
    for name in ("epc", "tid"):
        if name in values:
            values[name] = bytes.fromhex(str(values[name]))
    if "reader_time" in values:
        values["reader_time"] = datetime.fromisoformat(str(values["reader_time"]))
    return TagRead(**values)  # type: ignore[arg-type]
