"""JSON values → values of an event: texts, numbers, times, terms, lists, objects with and without extensions.

A reader takes the value, the names in force and the JSON pointer of the place, and raises `EventError` with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TypeAlias, TypeVar

from trace_core.epcis import cbv
from trace_core.epcis.checks import Extensions, ExtensionValue, require_number
from trace_core.epcis.jsonld import Context, escape
from trace_core.errors import EventError

MAX_DEPTH = 32
"""Levels of nesting in an extension; the deepest of the published examples has 7."""

Reader: TypeAlias = Callable[[object, Context, str], object]
Fields: TypeAlias = Mapping[str, tuple[str, Reader]]
"""JSON member → (attribute, reader of its value)."""
Built = TypeVar("Built")

_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,30})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})\Z"
)
# PostgreSQL stores neither, and UTF-8 cannot write a lone surrogate
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def read_time(value: object, _: Context, where: str) -> datetime:
    """An xsd:dateTimeStamp as aware UTC; digits beyond microseconds are cut."""
    text = read_text(value, _, where)
    if _TIME.match(text):
        try:
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise EventError(f"{text!r} is no time: {error}", where=where, remedy="check date and time") from error
    raise EventError(
        f"{text!r:.100} is no time with its offset from UTC", where=where, remedy="write 2026-01-31T08:30:00.000+08:00"
    )


def build(kind: Callable[..., Built], where: str, values: Mapping[str, object]) -> Built:
    """Construct, with the place of a refused member made absolute."""
    try:
        return kind(**values)
    except EventError as error:
        place = f"{where}/{error.where}" if error.where else where
        raise EventError(error.what, where=place, remedy=error.remedy) from error


def require(members: Mapping[str, object], names: tuple[str, ...], where: str) -> None:
    for name in names:
        if name not in members:
            raise EventError(f"{name} is missing", where=where, remedy=f"add {name}")


def read_object(value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise EventError("a JSON object is expected", where=where)
    return value


def read_list(value: object, where: str) -> list[object]:
    if not isinstance(value, list):
        raise EventError("a JSON array is expected", where=where, remedy="put the value between [ and ]")
    return value


def read_text(value: object, _: Context, where: str) -> str:
    if not isinstance(value, str):
        raise EventError("a string is expected", where=where)
    if (not value.isascii() and _UNSTORABLE.search(value)) or "\x00" in value:
        raise EventError("the text holds a NUL or half a surrogate pair", where=where, remedy="send valid UTF-8 text")
    return value


def read_number(value: object, _: Context, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise EventError(f"{value!r:.100} is no number", where=where, remedy="write a JSON number without quotes")
    return value


def read_boolean(value: object, _: Context, where: str) -> bool:
    if not isinstance(value, bool):
        raise EventError("true or false is expected", where=where)
    return value


def read_uri(value: object, context: Context, where: str) -> str:
    return context.iri(read_text(value, context, where))


def read_uris(value: object, context: Context, where: str) -> tuple[str, ...]:
    return tuple(read_uri(item, context, f"{where}/{index}") for index, item in enumerate(read_list(value, where)))


def read_uri_or_uris(value: object, context: Context, where: str) -> tuple[str, ...]:
    return (read_uri(value, context, where),) if isinstance(value, str) else read_uris(value, context, where)


def one_of(vocabulary: cbv.Vocabulary) -> Reader:
    """A short name of `vocabulary`, or any URI or CURIE."""

    def read(value: object, context: Context, where: str) -> str:
        text = read_text(value, context, where)
        uri = vocabulary.uri(text)
        if uri is None:
            raise EventError(
                f"{text!r:.100} is no {vocabulary.title} of CBV 2.0",
                where=where,
                remedy="use a name of the standard, or a full URI for one of your own",
            )
        return context.iri(uri) if uri is text else uri

    return read


def some_of(vocabulary: cbv.Vocabulary) -> Reader:
    """A list of what `one_of` reads."""
    return each(one_of(vocabulary))


def closed(kind: Callable[..., object], fields: Fields, *required: str) -> Reader:
    """An object without extensions."""

    def read(value: object, context: Context, where: str) -> object:
        members = read_object(value, where)
        values: dict[str, object] = {}
        for key, item in members.items():
            if key not in fields:
                raise EventError(
                    f"{key!r:.100} does not belong here", where=where, remedy=f"allowed are {', '.join(fields)}"
                )
            attribute, reader = fields[key]
            values[attribute] = reader(item, context, f"{where}/{key}")
        require(members, required, where)
        return build(kind, where, values)

    return read


def opened(kind: Callable[..., object], fields: Fields, *required: str) -> Reader:
    """An object with extensions beside its own members."""

    def read(value: object, context: Context, where: str) -> object:
        members = read_object(value, where)
        values: dict[str, object] = {}
        extensions: dict[str, ExtensionValue] = {}
        for key, item in members.items():
            field = fields.get(key)
            if field is not None:
                values[field[0]] = field[1](item, context, f"{where}/{key}")
            else:
                add_extension(extensions, key, item, context, f"{where}/{escape(key)}")
        require(members, required, where)
        return build(kind, where, {**values, "extensions": extensions})

    return read


def each(reader: Reader) -> Reader:
    def read(value: object, context: Context, where: str) -> tuple[object, ...]:
        return tuple(reader(item, context, f"{where}/{index}") for index, item in enumerate(read_list(value, where)))

    return read


def add_extension(
    into: dict[str, ExtensionValue], key: str, value: object, context: Context, where: str, depth: int = 1
) -> None:
    name = context.name(key, where)
    if depth == 1 and not name.startswith("{"):
        raise EventError(
            f"{key!r:.100} is no field of this kind of object",
            where=where,
            remedy="check the spelling; fields of your own need a prefix that @context declares",
        )
    if name in into:
        raise EventError(f"{key!r:.100} is given twice under different spellings", where=where)
    into[name] = _extension(value, context, where, depth)


def read_extensions(members: Mapping[str, object], context: Context, where: str, depth: int) -> Extensions:
    if "@context" in members:
        context = context.extended(members["@context"], f"{where}/@context")
    found: dict[str, ExtensionValue] = {}
    for key, value in members.items():
        if key != "@context":
            add_extension(found, key, value, context, f"{where}/{escape(key)}", depth)
    return found


def _extension(value: object, context: Context, where: str, depth: int) -> ExtensionValue:
    if depth > MAX_DEPTH:
        raise EventError("the extension is nested too deeply", where=where, remedy=f"at most {MAX_DEPTH} levels")
    if isinstance(value, str):
        return read_text(value, context, where)
    if isinstance(value, dict):
        return read_extensions(value, context, where, depth + 1)
    if isinstance(value, list):
        return tuple(_extension(item, context, f"{where}/{i}", depth + 1) for i, item in enumerate(value))
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        require_number(value, where)
        return value
    raise EventError("this is no JSON value", where=where)
