"""A mass balance as JSON and as files: the same over HTTP and from the command line."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from pydantic import BaseModel, Field

from trace_core.errors import InputError
from trace_server.exports.model import Sheet
from trace_server.exports.registry import registry
from trace_server.trace.balance import Balance, Line, Stock
from trace_server.trace.model import BEGINNING, END
from trace_server.trace.wire import File

FORMATS: Final = tuple(sorted(registry()))


class BalanceLineOut(BaseModel):
    """One transformation by one yield; kilograms, null where the records do not tell."""

    event_time: datetime
    transformation: str
    place: str
    rule: str = Field(description="row of the table of yields, empty when none is for these goods")
    is_confirmed: bool = Field(description="an office has confirmed the yield")
    used_kg: float | None
    made_kg: float | None
    expected_min_kg: float | None
    expected_max_kg: float | None
    difference_kg: float | None = Field(description="beyond the expected range; 0 inside it")
    verdict: str = Field(description="within, over, under, incomplete or no_yield")
    missing: list[str] = Field(description="what is not recorded")


class StockOut(BaseModel):
    """What is left of a lot by its records."""

    uri: str
    made: float
    ended: float = Field(description="used up or destroyed")
    left: float | None = Field(description="null while something is missing")
    uom: str
    missing: list[str]


class BalanceOut(BaseModel):
    """The balance as it is known now."""

    uri: str
    lines: list[BalanceLineOut]
    stock: list[StockOut]


COLUMNS: Final = tuple(BalanceLineOut.model_fields)


def balance_out(balance: Balance) -> BalanceOut:
    """The balance as it goes over the wire."""
    lines, stock = [_line(one) for one in balance.lines], [_stock(one) for one in balance.stock]
    return BalanceOut(uri=balance.uri, lines=lines, stock=stock)


def balance_file(balance: Balance, name: str) -> File:
    """The lines as a file, the window on its last sheet. Raises `InputError` for a format that is not in `FORMATS`."""
    export = registry().get(name)
    if export is None:
        raise InputError(f"there is no format {name!r:.40}", where="format", remedy=", ".join(FORMATS))
    window = balance.window
    ends = [("from", window.start, BEGINNING), ("to", window.end, END)]
    asked = [(word, "" if moment == open_end else moment.isoformat()) for word, moment, open_end in ends]
    out = io.BytesIO()
    export.write(Sheet("balance", COLUMNS, _rows(balance), (("object or site", balance.uri), *asked)), out)
    return File(f"balance{export.suffix}", export.media_type, out.getvalue())


def _rows(balance: Balance) -> Iterator[tuple[str, ...]]:
    for line in balance.lines:
        told = _line(line)
        yield tuple(_text(getattr(told, name)) for name in COLUMNS)


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.12g}"
    if isinstance(value, list):
        return "; ".join(value)
    return "" if value is None else str(value)


def _line(one: Line) -> BalanceLineOut:
    low, high = one.expected or (None, None)
    return BalanceLineOut(
        event_time=one.event_time,
        transformation=one.transformation.hex(),
        place=one.place,
        rule=one.rule,
        is_confirmed=one.is_confirmed,
        used_kg=one.used,
        made_kg=one.made,
        expected_min_kg=low,
        expected_max_kg=high,
        difference_kg=one.difference,
        verdict=one.verdict.value,
        missing=list(one.missing),
    )


def _stock(one: Stock) -> StockOut:
    return StockOut(uri=one.uri, made=one.made, ended=one.ended, left=one.left, uom=one.uom, missing=list(one.missing))
