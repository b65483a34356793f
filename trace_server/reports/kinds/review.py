"""信用审查报告: many subjects for one purpose. Facts only; whoever asked decides."""

from __future__ import annotations

from trace_server.lists import rules as lists
from trace_server.reports import parts
from trace_server.reports.model import Content, Facts, Kind, Part, Source

MAX_SUBJECTS = 200
_HEADINGS = ("统一社会信用代码", "名称", "登记状态", "公示期内处罚", "所列名单", "违诺", "信用等级")


def _build(source: Source) -> Content:
    rows = tuple(_row(facts) for facts in source.subjects)
    note = "本表只列事实，不作是否通过的结论；由审查单位依据各自规定决定。"
    details = tuple(
        (facts.uscc, one.decision.decision_no, one.decision.violation_kind, parts.day(one.decision.decided_on))
        for facts in source.subjects
        for one in facts.penalties
    )
    held = tuple(one for facts in source.subjects for one in parts.held(facts, "penalties", "lists", "commitments"))
    made = (
        Part("审查事实", _HEADINGS, rows, note),
        Part("所涉行政处罚", ("统一社会信用代码", "决定书文号", "违法行为", "决定日期"), details),
        parts.sources(source.subjects[0]),
    )
    return Content(made, held, parts.policy_of(source.subjects))


def _row(facts: Facts) -> tuple[str, ...]:
    grade = facts.grade.assessment.grade if facts.grade else None
    return (
        facts.uscc,
        facts.name or "本平台未登记",
        parts.STATUS[facts.subject.status.value] if facts.subject else "—",
        f"{len(facts.penalties)} 条",
        "、".join(lists.kind(one.list_id).title for one in facts.memberships) or "无",
        parts.breach_words(facts.commitments),
        f"{grade.level} {grade.level_name}（{grade.scheme}，{parts.day(grade.as_of)}）" if grade else "未评价",
    )


KIND = Kind("review", "信用审查报告", _build, most_subjects=MAX_SUBJECTS, needs_authority=True)
