"""What the worker does for reports: reads the facts, makes the file, signs it, keeps it; all or nothing."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from trace_core.errors import ConfigError, InputError, NotFound
from trace_server.audit.lifecycle import advance
from trace_server.credit.steps import law_day
from trace_server.db import Connection
from trace_server.jobs.model import Attempt, GiveUp, Kind
from trace_server.reports import kinds as registered
from trace_server.reports import rules, signing, store
from trace_server.reports.gathering import gather
from trace_server.reports.model import Content, Report, ReportEvent, ReportState
from trace_server.reports.operations import JOB_KIND
from trace_server.reports.rendering import html, pdf
from trace_server.reports.states import TRANSITIONS

STEPS = 3
"""Facts read, file made, file kept."""


def make(attempt: Attempt) -> str:
    """Make one report; the result is the path of its file."""
    outside, number = attempt.services, str(attempt.job.payload["report_no"])
    with outside.db.read() as conn:
        row = store.find(conn, number)
    if row is None:
        raise GiveUp("there is no such report", where=number)
    result = f"/api/v1/reports/{number}/file"
    if row.state is not ReportState.REQUESTED:  # an earlier attempt has ended it
        return result
    try:
        made, content, data = _made(attempt, row)
    except (NotFound, InputError, ConfigError) as error:
        raise GiveUp(error.what, where=error.where, remedy=error.remedy) from error
    attempt.progress(2, STEPS)
    with outside.db.begin() as conn:
        held = store.find(conn, number, lock=True)
        if held is None or held.state is not ReportState.REQUESTED:
            raise GiveUp("the report has its file already", where=number)
        store.keep_file(conn, outside.db.dialect, made.file_sha256, data)
        store.add_items(conn, number, content.held)
        attempt.finish(conn, result)
        _issue(conn, made)
    return result


def _made(attempt: Attempt, row: Report) -> tuple[Report, Content, bytes]:
    outside, kind = attempt.services, registered.require(row.wish.kind)
    now, settings = outside.clock(), outside.settings
    with outside.db.read() as conn:
        source = gather(conn, outside.db.dialect, row.wish, kind, now)
    content = kind.build(source)
    attempt.progress(1, STEPS)
    report = replace(
        row,
        subject_name=source.subjects[0].name if len(source.subjects) == 1 else "",
        generated_at=now,
        valid_to=rules.valid_to(law_day(now)),
        policy_version=content.policy_version[:64],
        content_sha256=hashlib.sha256(signing.content_bytes(row, content)).hexdigest(),
    )
    # The file cannot carry its own hash: it carries a signature over the statement without it.
    printed = replace(report, seal=signing.sign(settings, signing.statement(report)))
    key = printed.seal.split(";")[1]
    address = f"{settings.public_url}/verify/{row.report_no}"
    data = pdf(html(printed, kind, content, address, key_id=key))
    whole = replace(report, file_sha256=hashlib.sha256(data).hexdigest())
    return replace(whole, seal=signing.sign(settings, signing.statement(whole))), content, data


def _issue(conn: Connection, made: Report) -> None:
    if made.generated_at is None:
        raise ValueError("a report is issued with its times")
    state = advance(
        conn, made.generated_at, table=TRANSITIONS, state=ReportState.REQUESTED, event=ReportEvent.ISSUE,
        actor=made.asker.actor, object=made.report_no, action="reports.issue",
        detail={"kind": made.wish.kind, "purpose": made.wish.purpose, "file_sha256": made.file_sha256,
                "content_sha256": made.content_sha256},
    )  # fmt: skip
    store.save(conn, replace(made, state=state))


kinds: list[Kind] = [Kind(JOB_KIND, make, max_attempts=4)]
