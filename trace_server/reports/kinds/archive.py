"""信用档案（全部记录）: with records that have stopped; an authority with a written authorisation alone."""

from __future__ import annotations

from trace_server.reports import parts
from trace_server.reports.model import Content, Kind, Source


def _build(source: Source) -> Content:
    (facts,) = source.subjects
    made = (
        parts.basic(facts), parts.summary(facts), parts.licences(facts), parts.every_record(facts),
        parts.every_membership(facts), parts.promises(facts), parts.tracing(facts), parts.objections(facts),
        parts.sources(facts),
    )  # fmt: skip
    return Content(made, parts.held(facts, "archive"), parts.policy_of(source.subjects))


KIND = Kind("archive", "信用档案（全部记录）", _build, needs_authority=True, needs_authorisation=True)
