"""Assessments as JSON: one text for one result, whatever the order of the inputs was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import fields, is_dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from trace_server.credit.grading.green import green_channel
from trace_server.credit.grading.model import (
    Assessment,
    Commitment,
    Facts,
    Grade,
    GradeRecord,
    GreenChannel,
    Line,
    LineKind,
    Membership,
    Reason,
    Supervision,
)
from trace_server.credit.grading.policy import GradePolicy
from trace_server.credit.grading.scoring import grade


def assess(
    records: Collection[GradeRecord],
    memberships: Collection[Membership],
    commitments: Collection[Commitment],
    facts: Facts,
    policy: GradePolicy,
    as_of: date,
) -> Assessment:
    """Grade and green channel of a day, with a digest of everything they were made from."""
    inputs = [
        [policy.id, policy.version],
        *(sorted(map(_text, items)) for items in (records, memberships, commitments)),
        facts.registered_on,
        sorted(map(_text, facts.recalls)),
        sorted(map(_text, facts.completeness)),
    ]
    return Assessment(
        grade(records, memberships, commitments, facts, policy, as_of),
        green_channel(records, memberships, commitments, facts, policy, as_of),
        hashlib.sha256(_text(inputs).encode()).hexdigest(),
    )


def assessment_bytes(assessment: Assessment) -> bytes:
    """The canonical form: sorted keys, no spaces, UTF-8, exact decimals without trailing zeros."""
    return _text(assessment).encode()


def result_digest(assessment: Assessment) -> str:
    """SHA-256 of the result without its day: the same while nothing has changed but the date."""
    undated = replace(assessment, grade=replace(assessment.grade, as_of=date.min))
    return hashlib.sha256(assessment_bytes(undated)).hexdigest()


def assessment_json(assessment: Assessment) -> dict[str, Any]:
    """As JSON values; decimals and days are texts."""
    document: dict[str, Any] = json.loads(_text(assessment))
    return document


def assessment_from_json(document: dict[str, Any]) -> Assessment:
    """Inverse of `assessment_json`; trusts its input, which this program wrote."""
    found = document["grade"]
    task = found["supervision"]
    score = found["score"]
    return Assessment(
        Grade(
            **{
                **found,
                "as_of": date.fromisoformat(found["as_of"]),
                "score": None if score is None else Decimal(score),
                "lines": tuple(_line(line) for line in found["lines"]),
                "supervision": task and Supervision(**{**task, "sampling": Decimal(task["sampling"])}),
            }
        ),
        GreenChannel(
            document["green"]["eligible"],
            tuple(Reason(r["condition"], r["met"], tuple(r["refs"])) for r in document["green"]["reasons"]),
            tuple(document["green"]["benefits"]),
        ),
        document["inputs_hash"],
    )


def _line(line: dict[str, Any]) -> Line:
    return Line(
        kind=LineKind(line["kind"]),
        ref=line["ref"],
        points=Decimal(line["points"]),
        factors=tuple((name, Decimal(value)) for name, value in line["factors"]),
        basis=line["basis"],
        detail=line["detail"],
        related=line["related"],
    )


def _text(value: object) -> str:
    return json.dumps(value, default=_plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return "0" if not value else f"{value.normalize():f}"
    if isinstance(value, date):
        return value.isoformat()
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    raise TypeError(f"{type(value).__name__} has no canonical text")
