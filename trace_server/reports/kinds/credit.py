"""公共信用报告: the ten parts of the public credit report."""

from __future__ import annotations

from trace_server.reports import parts
from trace_server.reports.model import Content, Kind, Source


def _build(source: Source) -> Content:
    (facts,) = source.subjects
    made = (
        parts.basic(facts), parts.summary(facts), parts.licences(facts), parts.penalties(facts), parts.listed(facts),
        parts.promises(facts), parts.tracing(facts), parts.honours(facts), parts.objections(facts),
        parts.sources(facts),
    )  # fmt: skip
    return Content(made, parts.held(facts, "penalties", "lists", "commitments"), parts.policy_of(source.subjects))


KIND = Kind("credit", "公共信用报告", _build)
