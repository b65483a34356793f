"""A decision as text by official code, the way 双公示 files, the exchange feed and our own storage hold it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from trace_server.credit.fields import FIELDS, OPEN, PERSON, FieldKind
from trace_server.credit.model import FieldChange, PenaltyDecision
from trace_server.credit.penalties import name_2018

_DATE = re.compile(r"([0-9]{4})/([0-9]{2})/([0-9]{2})")
SEPARATOR = ";"
UNDER_OBJECTION = "异议处理中"
"""What every output says of a thing while an objection about it is under way."""
OBJECTION_FIELD = "异议标注"
"""Where it says so, for things told by field name."""


def day_of(text: str) -> date | None:
    """The day that `YYYY/MM/DD` names; None for any other text and for days that no calendar has."""
    parts = _DATE.fullmatch(text)
    if parts is None:
        return None
    try:
        return date(int(parts[1]), int(parts[2]), int(parts[3]))
    except ValueError:
        return None


def value_text(value: str | date | Decimal | tuple[str, ...]) -> str:
    """A field value as text: dates `YYYY/MM/DD`, amounts in plain decimals without trailing zeros, lists by `;`."""
    if isinstance(value, date):
        return f"{value.year:04}/{value.month:02}/{value.day:02}"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return SEPARATOR.join(value) if isinstance(value, tuple) else value


def open_codes(decision: PenaltyDecision) -> dict[str, str]:
    """Official code → text of every field that is given and is no identity document, in the official order."""
    found = ((field.code, getattr(decision, field.attribute)) for field in OPEN)
    return {code: value_text(value) for code, value in found if value is not None}


def field_changes(before: PenaltyDecision, after: PenaltyDecision) -> tuple[FieldChange, ...]:
    """Fields in which two versions differ, as both may be shared: a person's name is masked on both sides."""
    old, new = open_codes(before), open_codes(after)
    names = [d.subject_name for d in (before, after) if PERSON in (before.subject_kind, after.subject_kind)]
    differing = [field.code for field in OPEN if old.get(field.code) != new.get(field.code)]
    return tuple(FieldChange(code, _masked(old.get(code), names), _masked(new.get(code), names)) for code in differing)


def shared_codes(decision: PenaltyDecision) -> dict[str, str]:
    """What leaves the archive: as `open_codes`, penalties by the list of 2018, a person's name masked everywhere."""
    codes = open_codes(decision)
    codes["CF_CFLB"] = SEPARATOR.join(dict.fromkeys(name_2018(name) for name in decision.penalty_kinds))
    if decision.subject_kind == PERSON:
        return {code: _masked(text, [decision.subject_name]) or "" for code, text in codes.items()}
    return codes


def file_codes(decision: PenaltyDecision, *, is_contested: bool) -> dict[str, str]:
    """As `shared_codes`, the way a 双公示 file says it: an objection under way stands in the remarks."""
    codes = shared_codes(decision)
    if is_contested:
        codes["BZ"] = "；".join(filter(None, (codes.get("BZ"), UNDER_OBJECTION)))
    return codes


def masked_name(name: str) -> str:
    """A natural person's name as the public may see it: 张三丰 becomes 张某某."""
    return name[:1] + "某" * min(max(len(name) - 1, 1), 2)


def _masked(text: str | None, names: list[str]) -> str | None:
    for name in names:
        text = text.replace(name, masked_name(name)) if text is not None else None
    return text


def from_codes(codes: Mapping[str, str]) -> PenaltyDecision:
    """Inverse of `open_codes`; trusts its input, which this program wrote."""
    values: dict[str, Any] = {}
    for field in FIELDS:
        text = codes.get(field.code)
        if text is None:
            continue
        if field.kind is FieldKind.DATE:
            values[field.attribute] = day_of(text)
        elif field.kind is FieldKind.AMOUNT:
            values[field.attribute] = Decimal(text)
        elif field.kind is FieldKind.PENALTIES:
            values[field.attribute] = tuple(text.split(SEPARATOR))
        else:
            values[field.attribute] = text
    return PenaltyDecision(**values)
