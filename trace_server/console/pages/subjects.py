"""The archive of a subject: who it is, its grade with every line, each entry in its phase; or as the public sees it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from flask import Blueprint, Response, request

from trace_core.ids import uscc
from trace_server.accounts.model import Permission
from trace_server.cases import operations as cases
from trace_server.cases.store import Wanted
from trace_server.commitments import operations as commitments
from trace_server.console.credit_words import COMMITMENT_STATES, OBJECTION_STATES, TARGETS
from trace_server.console.pages._answers import words
from trace_server.console.rules import actor_of
from trace_server.console.subject_words import (
    EFFECTS,
    KINDS,
    LICENCE_STATES,
    LIST_STATES,
    PHASES,
    RECORD_STATES,
    REPORT_STATES,
    SEVERITIES,
    STATUSES,
)
from trace_server.console.words import CASE_STATES, GRADE_LINES, GRADE_REASONS, REPAIR_STATES
from trace_server.credit.steps import law_day
from trace_server.credit.store import head_seq
from trace_server.lists import rules as lists
from trace_server.objections import operations as objections
from trace_server.repairs import operations as repairs
from trace_server.reports import operations as reports
from trace_server.reports.gathering import facts_of
from trace_server.reports.model import Asker, Facts
from trace_server.reports.words import KINDS as REPORT_KINDS
from trace_server.services import services
from trace_server.users.access import chosen_language, console, current_person, page
from trace_server.users.model import User

blueprint = Blueprint("subjects", __name__)

MOST = 200
"""Entries of one kind that the page shows."""
RECENT_REPORTS = 500


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the archive. `phase`: before, during or after (国办发 2019: 事前、事中、事后)."""

    phase: str
    kind: str
    title: str
    state: str
    begins: date | None
    ends: date | None
    path: str = ""
    is_public: bool = False
    """The public page shows it today."""


@blueprint.get("/console/subjects/<code>")
@console("credit:read")
def archive(code: str) -> Response:
    """Everything of one subject; `view=public` leaves what the public page shows today."""
    outside, user = services(), current_person().user
    parsed = uscc.parse(code).code
    now = outside.clock()
    with outside.db.read() as conn:
        facts = facts_of(conn, parsed, now, head_seq(conn))
    is_public = request.args.get("view") == "public"
    entries = [*_of_facts(facts), *_of_desks(user, parsed)]
    shown = [one for one in entries if one.is_public or not is_public]
    shown.sort(key=lambda one: one.begins or date.min, reverse=True)
    names = [record.decision.subject_name for record in facts.all_records]
    names += [row.promise.subject_name for row in facts.commitments]
    return page(
        "subject",
        uscc=parsed,
        facts=facts,
        name=facts.subject.name if facts.subject else next(iter(names), ""),
        other_names=sorted(set(names) - {facts.subject.name if facts.subject else next(iter(names), "")}),
        phases=[(word, [one for one in shown if one.phase == phase]) for phase, word in words(PHASES).items()],
        is_public=is_public,
        hidden=len(entries) - sum(one.is_public for one in entries),
        public_url=f"{outside.settings.public_url}/credit/{parsed}",
        kinds=words(KINDS),
        statuses=words(STATUSES),
        lines=words(GRADE_LINES),
        reasons=words(GRADE_REASONS),
    )


def _of_facts(facts: Facts) -> Iterator[Entry]:
    is_english = chosen_language() == "en"
    licences, states, list_states = words(LICENCE_STATES), words(RECORD_STATES), words(LIST_STATES)
    severities = words(SEVERITIES)
    for licence in facts.licences[:MOST]:
        title = licence.title_en if is_english and licence.title_en else licence.title
        yield Entry(
            "before", "licence", f"{title} {licence.number}", licences[licence.state.value], licence.valid_from,
            licence.valid_to,
        )  # fmt: skip
    for batch in facts.recalled[:MOST]:
        notice = batch.recall.notice_no if batch.recall else ""
        announced = batch.recall.announced_on if batch.recall else None
        yield Entry("during", "recall", f"{batch.gtin} {batch.lot}", notice, announced, None)
    for record in facts.all_records[:MOST]:
        decision, severity = record.decision, severities[record.severity.value]
        yield Entry(
            "after", "record", f"{decision.decision_no} {decision.violation_kind}（{severity}）",
            states[record.state.value], decision.decided_on, record.window_max_end,
            is_public=record.is_shown(facts.today),
        )  # fmt: skip
    for row in facts.all_memberships[:MOST]:
        kind = lists.kinds()[row.list_id]
        title = kind.title_en if is_english else kind.title
        yield Entry(
            "after", "list", f"{title} {row.document_no}", list_states[row.state.value], row.listed_on,
            row.ended_on or row.until,
        )  # fmt: skip
    effects = words(EFFECTS)
    for measure, member in lists.restriction(facts.uscc, "", facts.today, facts.memberships).measures:
        title = f"{measure.title_en if is_english else measure.title} {measure.legal_basis}"
        yield Entry("after", "measure", title, effects[measure.effect.value], member.listed_on, member.until)


def _of_desks(user: User, code: str) -> Iterator[Entry]:
    """What other desks keep of the subject, of what this user may see."""
    outside = services()
    if Permission.COMMITMENTS_READ in user.permissions:
        states = words(COMMITMENT_STATES)
        for row in commitments.list_commitments(outside, code, None, after=None, limit=MOST):
            yield Entry(
                "before", "commitment", row.promise.cause, states[row.state.value], row.promise.made_on,
                row.promise.valid_until, f"/console/commitments/{row.code}", row.is_shown,
            )  # fmt: skip
    if Permission.REPORTS_READ in user.permissions:
        states, names = words(REPORT_STATES), words(REPORT_KINDS)
        for report in reports.list_reports(outside, Asker(user.actor), limit=RECENT_REPORTS):
            if code in report.wish.usccs:
                yield Entry(
                    "before", "report", f"{names[report.wish.kind]} {report.report_no}", states[report.state.value],
                    law_day(report.requested_at), report.valid_to, f"/console/reports/{report.report_no}",
                )  # fmt: skip
    if Permission.CASES_READ in user.permissions:
        states = words(CASE_STATES)
        for case in cases.list_cases(outside, actor_of(user), Wanted(subject=code), limit=MOST):
            yield Entry(
                "during", "case", case.title, states[case.state.value], law_day(case.opened_at), None,
                f"/console/cases/{case.case_id}",
            )  # fmt: skip
    if Permission.OBJECTIONS_READ in user.permissions:
        states, targets = words(OBJECTION_STATES), words(TARGETS)
        for raised in objections.list_objections(outside, code, None, after=None, limit=MOST):
            yield Entry(
                "after", "objection", targets[raised.kind.value], states[raised.state.value], law_day(raised.raised_at),
                None, f"/console/objections/{raised.objection_id}",
            )  # fmt: skip
    states = words(REPAIR_STATES)
    may_open = Permission.REPAIRS_DECIDE in user.permissions
    for wish in repairs.list_applications(outside, code, None, after=None, limit=MOST):
        yield Entry(
            "after", "repair", wish.correction, states[wish.state.value], law_day(wish.submitted_at), None,
            f"/console/repairs/{wish.application_id}" if may_open else "",
        )  # fmt: skip
