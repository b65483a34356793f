"""`trace-server credit grade` and `credit fact`: the grade with every line, and the facts it depends on."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date, datetime

import click

from trace_core.errors import NotFound
from trace_core.ids import uscc
from trace_server.credit.grade_choice import policy_in_force
from trace_server.credit.grade_facts import state_fact
from trace_server.credit.grade_keeping import assessed
from trace_server.credit.grading.coding import assessment_json
from trace_server.credit.grading.facts import FactKind, StatedFact
from trace_server.credit.grading.model import Assessment, Line
from trace_server.credit.grading.policy import SCHEME
from trace_server.credit.grading.scoring import display
from trace_server.credit.steps import law_day
from trace_server.credit.store import grades
from trace_server.services import Services, operator_name

USCC = click.option("--uscc", "code", required=True, help="Unified social credit code of the subject.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
OPERATOR = click.option("--operator", default=operator_name, help="Who does it, for the audit log; default: you.")
DAY = click.DateTime(["%Y-%m-%d"])


@click.command("grade")
@USCC
@click.option("--as-of", type=DAY, help="Grade on this day by what is recorded now; default: today.")
@JSON
@click.pass_obj
def grade(services: Services, *, code: str, as_of: datetime | None, as_json: bool) -> None:
    """trace-server credit grade --uscc 91320900MA1T000210 --json

    Compute the grade with a line for every point, the supervision task and the green channel. Stores nothing.
    """
    day = law_day(services.clock()) if as_of is None else as_of.date()
    subject = uscc.parse(code).code
    with services.db.read() as conn:
        policy = policy_in_force(conn, day)
        if policy is None:
            raise NotFound(
                "no grading policy is in force", where=day.isoformat(), remedy="choose another day with --as-of"
            )
        made = assessed(conn, subject, policy, day)
        stored = grades.line(conn, subject, SCHEME)
    if not as_json:
        _print(made)
        return
    shown = None if stored is None else {"level": stored.level, "as_of": stored.as_of.isoformat()}
    click.echo(json.dumps({"uscc": subject, "stored": shown, **assessment_json(made)}, ensure_ascii=False))


@click.command("fact")
@USCC
@click.option("--kind", required=True, type=click.Choice([kind.value for kind in FactKind]), help="What it says.")
@click.option("--ref", required=True, help="Number of the paper.")
@click.option("--from", "from_day", required=True, type=DAY, help="First day.")
@click.option("--until", "until_day", type=DAY, help="Last day; for a commitment the day it was made good.")
@click.option("--percent", help="Of a chain completeness.")
@click.option("--source", required=True, help="Who stated it.")
@OPERATOR
@JSON
@click.pass_obj
def fact(services: Services, /, *, as_json: bool, operator: str, **stated: str | datetime | None) -> None:
    """trace-server credit fact --uscc … --kind list_red --ref 示诚信〔2026〕1号 --from 2026-01-01 --source …

    State a fact that grading depends on; the same paper again with --until ends it.
    """
    made = StatedFact(
        uscc=uscc.parse(str(stated["code"])).code,
        kind=FactKind(str(stated["kind"])),
        ref=str(stated["ref"]),
        from_day=_day(stated["from_day"]) or date.min,
        until_day=_day(stated["until_day"]),
        percent=None if stated["percent"] is None else str(stated["percent"]),
        source=str(stated["source"]),
    )
    changed = state_fact(services, made, actor=operator)
    if as_json:
        click.echo(json.dumps({**asdict(made), "grade_changed": changed}, default=str, ensure_ascii=False))
        return
    click.echo(f"{made.kind}  {made.ref}  {'grade changed' if changed else 'grade unchanged'}")


def _day(value: str | datetime | None) -> date | None:
    return value.date() if isinstance(value, datetime) else None


def _print(made: Assessment) -> None:
    found = made.grade
    score = "-" if found.score is None else display(found.score)
    policy = f"{found.policy_id} {found.policy_version} ({found.policy_status})"
    click.echo(f"{found.scheme} {found.level} {found.level_name}  {score}  {found.as_of}  {policy}")
    for line in found.lines:
        click.echo(_line(line))
    click.echo(f"green channel: {'yes' if made.green.eligible else 'no'}")
    for reason in made.green.reasons:
        click.echo(f"  {'met    ' if reason.met else 'not met'}  {reason.condition}  {' '.join(reason.refs)}".rstrip())


def _line(line: Line) -> str:
    product = " x ".join(f"{name} {value:f}" for name, value in line.factors)
    words = (line.kind.value, line.basis, line.detail, line.ref, product)
    return f"  {display(line.points):>8}  " + "  ".join(word for word in words if word)
