"""Which decisions may enter the archive: every rule of the 双公示 data standard, values in and values out.

All faults are found at once and reported by field, so that a sender mends a file in one go.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from trace_core.errors import InputError
from trace_core.ids import uscc
from trace_server.credit.coding import day_of
from trace_server.credit.fields import (
    BY_NAME,
    CODE_UNKNOWN,
    FIELDS,
    LEGAL_PERSON,
    OPEN,
    PERSON,
    SEALED,
    TRADER,
    Field,
    FieldKind,
    Need,
)
from trace_server.credit.messages import message
from trace_server.credit.model import PenaltyDecision
from trace_server.credit.penalties import PenaltyKind, penalty_kind

_AMOUNT = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,6})?")
_IDENTITY = re.compile(r"(?<![0-9A-Za-z])[1-9][0-9]{5}(?:19|20)[0-9]{2}[01][0-9][0-3][0-9]{4}[0-9Xx](?![0-9A-Za-z])")
_SEPARATORS = re.compile(r"[;；]")
MIN_IDENTITY_CHARS = 6
"""Shorter document numbers would turn up in text by chance."""


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One fault: JSON pointer into what was sent, stable code, and the parts of its sentence."""

    pointer: str
    code: str
    params: dict[str, str] = field(default_factory=dict)

    def message(self, language: str) -> str:
        return message(self.code, self.params, language)


class BadDecision(InputError):
    """A decision breaks one or more rules; `problems` names each field."""

    code = "bad-decision"

    def __init__(self, problems: list[FieldProblem]) -> None:
        sentences = "; ".join(f"{p.pointer}: {p.message('en')}" for p in problems[:3])
        super().__init__(
            f"{len(problems)} field(s) do not fit: {sentences}", remedy="mend the fields named and send again"
        )
        self.problems = tuple(problems)


def parse_decision(raw: Mapping[str, object], *, today: date, pointer: str = "") -> PenaltyDecision:
    """Build a decision from text by official code (`CF_…`) or attribute name.

    Texts are trimmed; a code is normalised as GB 32100 writes it; the penalty kinds are a list or joined by
    `;`. `today` is the day in Asia/Shanghai. Raises `BadDecision` with every fault and its JSON pointer.
    Source: 双公示 data standard 2018, administrative penalties.
    """
    draft = _Draft(pointer)
    draft.read(raw)
    draft.require()
    draft.compare(today)
    if draft.problems:
        raise BadDecision(draft.problems)
    return PenaltyDecision(**draft.values)


class _Draft:
    """Values and faults of one decision while it is being read."""

    def __init__(self, pointer: str) -> None:
        self.pointer = pointer
        self.values: dict[str, Any] = {}
        self.problems: list[FieldProblem] = []
        self._faulty: set[str] = set()
        self._spelt: dict[str, str] = {}

    def fault(self, spec: Field, code: str, **params: str) -> None:
        name = self._spelt.get(spec.attribute, spec.code)
        self._faulty.add(spec.attribute)
        self.problems.append(FieldProblem(f"{self.pointer}/{name}", code, {"field": spec.code, **params}))

    def read(self, raw: Mapping[str, object]) -> None:
        for name, value in raw.items():
            spec = BY_NAME.get(name)
            if spec is None:
                where = name.replace("~", "~0").replace("/", "~1")[:128]
                self.problems.append(FieldProblem(f"{self.pointer}/{where}", "unknown-field", {"field": name[:128]}))
            elif spec.attribute in self._spelt:
                self.fault(spec, "given-twice")
            elif value is not None:
                self._spelt[spec.attribute] = name
                self._read_one(spec, value)

    def _read_one(self, spec: Field, value: object) -> None:
        if spec.kind is FieldKind.PENALTIES and isinstance(value, list) and all(isinstance(v, str) for v in value):
            value = ";".join(value)
        if not isinstance(value, str):
            self.fault(spec, "not-text")
            return
        text = value.strip()
        if not text:
            return
        if any(unicodedata.category(char) == "Cc" and char not in "\n\r\t" for char in text):
            self.fault(spec, "control-character")
        elif spec.kind in (FieldKind.TEXT, FieldKind.CHOICE, FieldKind.PENALTIES) and len(text) > spec.length:
            self.fault(spec, "too-long", length=str(spec.length))
        else:
            read = _READERS[spec.kind](self, spec, text)
            if read is not None:
                self.values[spec.attribute] = read

    def require(self) -> None:
        for spec in FIELDS:
            if spec.attribute not in self.values and spec.attribute not in self._faulty and _NEEDED[spec.need](self):
                self.fault(spec, "missing")

    def compare(self, today: date) -> None:
        decided = self.values.get("decided_on")
        if decided is not None:
            if decided > today:
                self.fault(BY_NAME["decided_on"], "in-the-future")
            for attribute in ("valid_until", "public_until"):
                if attribute in self.values and self.values[attribute] < decided:
                    self.fault(BY_NAME[attribute], "before-decision")
        for attribute in ("uscc", "authority_code", "source_code"):
            may_be_unknown = attribute == "uscc" and self.kind() == TRADER
            if self.values.get(attribute) == CODE_UNKNOWN and not may_be_unknown:
                self.fault(BY_NAME[attribute], "code-unknown")
        secrets = [str(self.values[s.attribute]) for s in SEALED if s.attribute in self.values and not s.choices]
        for spec in OPEN:
            text = self.values.get(spec.attribute) if spec.kind is FieldKind.TEXT else None
            if text is not None and (_IDENTITY.search(text) or any(_holds(text, secret) for secret in secrets)):
                self.fault(spec, "identity-in-text")

    def kind(self) -> str | None:
        return self.values.get("subject_kind")

    def penalties(self) -> set[PenaltyKind | None]:
        return {penalty_kind(name) for name in self.values.get("penalty_kinds", ())}


def _holds(text: str, secret: str) -> bool:
    return len(secret) >= MIN_IDENTITY_CHARS and secret.upper() in text.upper()


def _text(draft: _Draft, spec: Field, text: str) -> str | None:  # noqa: ARG001
    return text


def _choice(draft: _Draft, spec: Field, text: str) -> str | None:
    if text in spec.choices:
        return text
    draft.fault(spec, "not-a-choice", choices="、".join(spec.choices))
    return None


def _code(draft: _Draft, spec: Field, text: str) -> str | None:
    code = unicodedata.normalize("NFKC", text).strip().upper()
    if code == CODE_UNKNOWN or uscc.is_valid(code):
        return code
    draft.fault(spec, "bad-code")
    return None


def _penalties(draft: _Draft, spec: Field, text: str) -> tuple[str, ...] | None:
    names = tuple(name for part in _SEPARATORS.split(text) if (name := part.strip()))
    unknown = [name for name in names if penalty_kind(name) is None]
    for name in unknown:
        draft.fault(spec, "unknown-penalty", kind=name)
    return None if unknown or not names else tuple(dict.fromkeys(names))


def _amount(draft: _Draft, spec: Field, text: str) -> Decimal | None:
    if _AMOUNT.fullmatch(text):
        return Decimal(text)
    draft.fault(spec, "bad-amount")
    return None


def _date(draft: _Draft, spec: Field, text: str) -> date | None:
    day = day_of(text)
    if day is None:
        draft.fault(spec, "bad-date")
    return day


_READERS: dict[FieldKind, Callable[[_Draft, Field, str], Any]] = {
    FieldKind.TEXT: _text,
    FieldKind.CHOICE: _choice,
    FieldKind.USCC: _code,
    FieldKind.PENALTIES: _penalties,
    FieldKind.AMOUNT: _amount,
    FieldKind.DATE: _date,
}

_LICENCE_KINDS = {PenaltyKind.LICENCE, PenaltyKind.LICENCE_SUSPENDED, PenaltyKind.LICENCE_REVOKED}

_NEEDED: dict[Need, Callable[[_Draft], bool]] = {
    Need.ALWAYS: lambda draft: True,  # noqa: ARG005
    Need.NEVER: lambda draft: False,  # noqa: ARG005
    Need.UNLESS_PERSON: lambda draft: draft.kind() != PERSON,
    Need.PERSON: lambda draft: draft.kind() == PERSON,
    Need.LEGAL_PERSON: lambda draft: draft.kind() == LEGAL_PERSON,
    Need.TRADER_WITHOUT_CODE: lambda draft: draft.kind() == TRADER and draft.values.get("uscc") == CODE_UNKNOWN,
    Need.FINE: lambda draft: PenaltyKind.FINE in draft.penalties(),
    Need.CONFISCATION: lambda draft: PenaltyKind.CONFISCATION in draft.penalties(),
    Need.LICENCE: lambda draft: bool(draft.penalties() & _LICENCE_KINDS),
}


MAX_REASON = 2000
"""Characters of a reason; it is shown to the public with a withdrawal."""
MAX_DOCUMENT = 128


def check_reason(reason: str, document: str | None) -> None:
    """A step that stops, corrects or revives a record gives a sentence, and no identity number in it.

    Raises `InputError`.
    """
    if not reason.strip() or len(reason) > MAX_REASON:
        raise InputError("the step needs a reason", where="reason", remedy=f"give 1 to {MAX_REASON} characters")
    if _IDENTITY.search(reason):
        raise InputError("the reason holds the number of an identity document", where="reason", remedy="remove it")
    if document is not None and not 0 < len(document) <= MAX_DOCUMENT:
        raise InputError(
            "the number of the paper does not fit", where="document", remedy=f"1 to {MAX_DOCUMENT} characters"
        )
