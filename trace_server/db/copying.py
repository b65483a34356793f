"""Rows as text for PostgreSQL's `COPY … FROM STDIN` (text format, PostgreSQL 15 manual, COPY, "Text Format").

One line a row, columns joined by TAB, `\\N` for NULL; backslash, TAB, LF and CR in data are escaped.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Column, LargeBinary, Numeric, String
from sqlalchemy.types import Float, Integer, TypeEngine

from trace_server.db.types import KEY_BYTES, Json, Key, UtcDateTime, dump_json

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
Encoder = Callable[[Any], str]


def copy_text(columns: Sequence[Column[Any]], rows: Iterable[Mapping[str, Any]]) -> io.StringIO:
    """The rows as a readable stream. Raises `ValueError` or `TypeError` on a value its column cannot hold."""
    # Column by column: a batch of links repeats its times and small numbers thousands of times.
    kept = list(rows)
    texts = [_column(encoder(column.type), [row.get(column.key) for row in kept]) for column in columns]
    return io.StringIO("\n".join(["\t".join(fields) for fields in zip(*texts, strict=True)] + [""]))


def _column(encode: Encoder, values: list[Any]) -> list[str]:
    if encode not in (_time, str):  # few different values there; elsewhere a look-up costs more than it saves
        return ["\\N" if value is None else encode(value) for value in values]
    known: dict[Any, str] = {None: "\\N"}
    texts = []
    for value in values:
        text = known.get(value)
        if text is None:
            text = known[value] = encode(value)
        texts.append(text)
    return texts


def encoder(kind: TypeEngine[Any]) -> Encoder:
    """The function that writes one non-null value of a column of type `kind`."""
    for family, encode in _ENCODERS:
        if isinstance(kind, family):
            return encode
    raise TypeError(f"no COPY encoding for column type {kind!r}")


def _key(value: bytes) -> str:
    if len(value) != KEY_BYTES:
        raise ValueError(f"a key has {KEY_BYTES} bytes, not {len(value)}")
    return value.hex()


def _time(value: datetime) -> str:
    if value.tzinfo is None:
        raise ValueError("a time without an offset from UTC is not a point in time")
    return value.isoformat()


def _text(value: str) -> str:
    # Nearly all values hold nothing to escape; the test is cheaper than the translation.
    return value.translate(_ESCAPES) if not value.isprintable() or "\\" in value else value


def _json(value: object) -> str:
    return dump_json(value).translate(_ESCAPES)


def _bytes(value: bytes) -> str:
    return "\\\\x" + value.hex()


def _bool(value: bool) -> str:
    return "t" if value else "f"


_ENCODERS: tuple[tuple[type[TypeEngine[Any]], Encoder], ...] = (
    (Key, _key),
    (UtcDateTime, _time),
    (Json, _json),
    (String, _text),
    (LargeBinary, _bytes),
    (Boolean, _bool),
    (Integer, str),
    (Float, repr),
    (Numeric, str),
)
