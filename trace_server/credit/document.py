"""The JSON document that hands a decision in: the decision's fields and what people found beside it.

{"decision": {"CF_WSH": …}, "category": "food", "procedure": "ordinary", "severity": null,
 "batches": ["https://id.gs1.org/01/…/10/…"], "evidence_ref": "…"}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from trace_core.ids.canonical import canonical_uri
from trace_server.credit.fields import FIELDS, Field, FieldKind, Need
from trace_server.credit.model import CATEGORIES, Circumstances, PenaltyDecision, Procedure, Severity
from trace_server.credit.rules import BadDecision, FieldProblem, parse_decision

MAX_BATCHES = 500
MAX_EVIDENCE_CHARACTERS = 256
MEMBERS = ("decision", "category", "procedure", "severity", "batches", "evidence_ref")
_LOT = re.compile(r"https://id\.gs1\.org/01/[0-9]{14}/10/[^/?#\s]{1,60}")


def read_document(raw: object, *, today: date) -> tuple[PenaltyDecision, Circumstances]:
    """Both halves of a document. Raises `BadDecision` with every fault and its JSON pointer.

    `today` is the day in Asia/Shanghai; batches come back as canonical Digital Links, sorted.
    """
    if not isinstance(raw, Mapping):
        raise BadDecision([FieldProblem("", "not-an-object", {"field": "document"})])
    reading = _Reading(raw)
    around = reading.circumstances()
    decision: PenaltyDecision | None = None
    inner = raw.get("decision")
    if not isinstance(inner, Mapping):
        reading.fault("decision", "missing" if inner is None else "not-an-object")
    else:
        try:
            decision = parse_decision(inner, today=today, pointer="/decision")
        except BadDecision as err:
            raise BadDecision([*err.problems, *reading.problems]) from err
    if reading.problems or decision is None:
        raise BadDecision(reading.problems)
    return decision, around


class _Reading:
    """Faults found so far in the members around the decision."""

    def __init__(self, raw: Mapping[Any, Any]) -> None:
        self.raw = raw
        self.problems: list[FieldProblem] = []

    def fault(self, member: str, code: str, **params: str) -> None:
        self.problems.append(FieldProblem(f"/{member}", code, {"field": member, **params}))

    def circumstances(self) -> Circumstances:
        for name in self.raw:
            if name not in MEMBERS:
                self.fault(str(name)[:128].replace("~", "~0").replace("/", "~1"), "unknown-field")
        if self.raw.get("category") is None:
            self.fault("category", "missing")
        category = self._choice("category", CATEGORIES)
        procedure = self._choice("procedure", tuple(Procedure))
        severity = self._choice("severity", tuple(Severity))
        return Circumstances(
            category=category or "",
            procedure=Procedure(procedure) if procedure else Procedure.ORDINARY,
            severity=Severity(severity) if severity else None,
            batches=self._batches(),
            evidence_ref=self._evidence(),
        )

    def _choice(self, member: str, choices: tuple[str, ...]) -> str | None:
        value = self.raw.get(member)
        if value is None:
            return None
        if not isinstance(value, str) or value not in choices:
            self.fault(member, "not-a-choice", choices=", ".join(choices))
            return None
        return value

    def _batches(self) -> tuple[str, ...]:
        value = self.raw.get("batches") or []
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.fault("batches", "not-a-list")
            return ()
        if len(value) > MAX_BATCHES:
            self.fault("batches", "too-many", length=str(MAX_BATCHES))
            return ()
        found = {item: canonical_uri(item) for item in value}
        for item, uri in found.items():
            if not _LOT.fullmatch(uri):
                self.fault("batches", "bad-batch", value=item[:128])
        return tuple(sorted(set(found.values())))

    def _evidence(self) -> str | None:
        value = self.raw.get("evidence_ref")
        if value is None:
            return None
        if not isinstance(value, str):
            self.fault("evidence_ref", "not-text")
            return None
        if len(value) > MAX_EVIDENCE_CHARACTERS:
            self.fault("evidence_ref", "too-long", length=str(MAX_EVIDENCE_CHARACTERS))
        return value.strip() or None


def document_schema() -> dict[str, Any]:
    """JSON Schema of the document, made from `FIELDS`; says what a sender can check before sending."""
    return {
        "type": "object",
        "required": ["decision", "category"],
        "additionalProperties": False,
        "properties": {
            "decision": {
                "type": "object",
                "description": "Fields by official code (CF_…) or by the attribute name in the description.",
                "properties": {field.code: _field_schema(field) for field in FIELDS},
                "required": [field.code for field in FIELDS if field.need is Need.ALWAYS],
            },
            "category": {"type": "string", "enum": list(CATEGORIES)},
            "procedure": {"type": "string", "enum": list(Procedure), "default": Procedure.ORDINARY.value},
            "severity": {"type": ["string", "null"], "enum": [*Severity, None], "description": "default: by policy"},
            "batches": {"type": "array", "items": {"type": "string", "format": "uri"}, "maxItems": MAX_BATCHES},
            "evidence_ref": {"type": ["string", "null"], "maxLength": MAX_EVIDENCE_CHARACTERS},
        },
    }


def _field_schema(field: Field) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "type": "string",
        "title": field.chinese,
        "description": f"{field.english}; attribute `{field.attribute}`; needed: {field.need.value}",
    }
    if field.kind is FieldKind.DATE:
        schema["pattern"] = "^[0-9]{4}/[0-9]{2}/[0-9]{2}$"
    elif field.kind is FieldKind.AMOUNT:
        schema["pattern"] = r"^[0-9]{1,12}(\.[0-9]{1,6})?$"
    else:
        schema["maxLength"] = field.length
    if field.choices:
        schema["enum"] = list(field.choices)
    if field.kind is FieldKind.PENALTIES:
        return {**schema, "type": ["string", "array"], "items": {"type": "string"}}
    return schema
