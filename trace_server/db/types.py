"""Column types for what the two databases disagree on. Each takes and gives one Python type, the same on both."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, LargeBinary, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import NullType, TypeDecorator, TypeEngine

KEY_BYTES = 16
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def dump_json(value: object) -> str:
    """JSON text as both databases store it. Raises `TypeError` on values that JSON does not know."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def to_microseconds(moment: datetime) -> int:
    """Microseconds since 1970-01-01 UTC of an aware `moment`; raises `ValueError` on a naive one."""
    if moment.tzinfo is None:
        raise ValueError("a time without an offset from UTC is not a point in time")
    return (moment - EPOCH) // _MICROSECOND


def key_of_text(value: str | bytes | None, _cursor: object) -> bytes | None:
    """A psycopg2 type caster: the text of a `uuid` → 16 bytes."""
    return None if value is None else bytes.fromhex(str(value).replace("-", ""))


class Key(TypeDecorator[bytes]):
    """A 16-byte key: `bytes` in Python, `uuid` on PostgreSQL, `BLOB` on SQLite."""

    impl = LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(Uuid(as_uuid=True))
        return dialect.type_descriptor(LargeBinary(KEY_BYTES))

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> object:
        if value is None:
            return None
        if len(value) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes, not {len(value)}")
        return uuid.UUID(bytes=bytes(value)) if dialect.name == "postgresql" else value

    def result_processor(self, dialect: Dialect, coltype: object) -> None:  # noqa: ARG002
        """Both drivers give bytes already, PostgreSQL's by `key_of_text`; a chain reads thousands of keys."""
        return


class KeyList(TypeDecorator[list[bytes]]):
    """Read only: keys one after the other in one value, as `Dialect.key_list` aggregates them."""

    impl = LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        # The driver's own value, without one more copy.
        return dialect.type_descriptor(NullType())

    def process_result_value(self, value: memoryview | str | None, dialect: Dialect) -> list[bytes]:  # noqa: ARG002
        packed = bytes.fromhex(value) if isinstance(value, str) else bytes(value or b"")
        return [packed[start : start + KEY_BYTES] for start in range(0, len(packed), KEY_BYTES)]


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time, read back in UTC, exact to the microsecond.

    `timestamptz` on PostgreSQL; microseconds since 1970 as INTEGER on SQLite, whose text dates neither sort
    with mixed precision nor fit eight bytes.
    """

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(DateTime(timezone=True))
        return dialect.type_descriptor(BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> object:
        if value is None:
            return None
        microseconds = to_microseconds(value)
        return value if dialect.name == "postgresql" else microseconds

    def process_result_value(self, value: datetime | int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        if isinstance(value, datetime):
            return value if value.tzinfo is UTC else value.astimezone(UTC)
        return EPOCH + timedelta(microseconds=value)


class Json(TypeDecorator[Any]):
    """Any JSON value; `None` is SQL NULL. `jsonb` on PostgreSQL, TEXT on SQLite."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(JSONB(none_as_null=True))
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: object, dialect: Dialect) -> object:
        if value is None or dialect.name == "postgresql":
            return value
        return dump_json(value)

    def process_result_value(self, value: object, dialect: Dialect) -> object:
        if value is None or dialect.name == "postgresql":
            return value
        return json.loads(str(value))
