"""`trace-server inspections …`: plans, draws and tasks on the command line."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path

import click

from trace_core.errors import InputError
from trace_server.services import Services, operator_name
from trace_server.supervision import operations, rules, telling
from trace_server.supervision.model import Inspector, Intensity, Plan, PlanFields
from trace_server.supervision.operations import Official
from trace_server.supervision.wire import opened_json, plan_json, task_json

JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
OPERATOR = click.option("--operator", default=operator_name, help="Who does it, for the audit log; default: you.")
PLAN = click.argument("plan_id")
DAY = click.DateTime(["%Y-%m-%d"])
MAX_LISTED = 500


@click.group("inspections")
def inspections() -> None:
    """Inspection plans by grade, drawn at random, e.g. `trace-server inspections list`."""


@inspections.command("list")
@JSON
@click.pass_obj
def list_plans(services: Services, *, as_json: bool) -> None:
    """trace-server inspections list

    The newest first.
    """
    for plan in operations.list_plans(services, Official("", ""), limit=MAX_LISTED):
        _tell(plan, as_json=as_json)


@inspections.command("plan")
@click.option("--title", required=True)
@click.option("--region", required=True, help="Six digits; ending in 00: all below it.")
@click.option("--department", required=True, help="Whose plan it is.")
@click.option("--content", required=True, help="What is inspected.")
@click.option("--method", required=True, help="How.")
@click.option("--basis", required=True, help="Law and article.")
@click.option("--from", "from_day", required=True, type=DAY)
@click.option("--to", "to_day", required=True, type=DAY)
@click.option("--intensity", default="least", type=click.Choice([one.value for one in Intensity]))
@click.option("--inspector", "people", multiple=True, help='"user:… Name", once for each; default: the department\'s.')
@OPERATOR
@JSON
@click.pass_obj
def make_plan(
    services: Services, /, *, from_day: datetime, to_day: datetime, people: tuple[str, ...], operator: str,
    as_json: bool, **words: str,
) -> None:  # fmt: skip
    """trace-server inspections plan --title … --region 320900 …

    A plan over the graded subjects of a region.
    """
    fields = PlanFields(
        words["title"], words["region"], words["content"], words["method"], words["basis"], from_day.date(),
        to_day.date(), Intensity(words["intensity"]),
    )  # fmt: skip
    found = [Inspector(actor, name or actor) for actor, _, name in (text.partition(" ") for text in people)] or None
    _tell(operations.make_plan(services, Official(operator, words["department"]), fields, found), as_json=as_json)


@inspections.command("change")
@PLAN
@click.option("--uscc", required=True)
@click.option("--yearly", required=True, type=int, help="Inspections a year; 0: none.")
@click.option("--reason", required=True)
@OPERATOR
@JSON
@click.pass_obj
def change(
    services: Services, *, plan_id: str, uscc: str, yearly: int, reason: str, operator: str, as_json: bool
) -> None:
    """trace-server inspections change PLAN --uscc … --yearly 4 --reason "…"

    Another frequency for one subject.
    """
    plan, by = _held(services, plan_id, operator)
    _tell(operations.change(services, by, plan_id, plan.version, uscc, yearly, reason), as_json=as_json)


@inspections.command("commit")
@PLAN
@OPERATOR
@JSON
@click.pass_obj
def commit(services: Services, *, plan_id: str, operator: str, as_json: bool) -> None:
    """trace-server inspections commit PLAN

    Close the lists; the digests of lists and secret are public from now on.
    """
    plan, by = _held(services, plan_id, operator)
    _tell(operations.commit(services, by, plan_id, plan.version), as_json=as_json)


@inspections.command("draw")
@PLAN
@click.option("--word", required=True, help="What nobody could know when it was committed.")
@OPERATOR
@JSON
@click.pass_obj
def draw(services: Services, *, plan_id: str, word: str, operator: str, as_json: bool) -> None:
    """trace-server inspections draw PLAN --word "…"

    Draw subjects and inspectors, once; another person than who committed it.
    """
    plan, by = _held(services, plan_id, operator)
    _tell(operations.draw(services, by, plan_id, plan.version, word), as_json=as_json)


@inspections.command("publish")
@PLAN
@OPERATOR
@JSON
@click.pass_obj
def publish(services: Services, *, plan_id: str, operator: str, as_json: bool) -> None:
    """trace-server inspections publish PLAN

    Open seed, lists, tasks and results to everybody.
    """
    plan, by = _held(services, plan_id, operator)
    _tell(operations.publish(services, by, plan_id, plan.version), as_json=as_json)


@inspections.command("withdraw")
@PLAN
@click.option("--reason", required=True)
@OPERATOR
@JSON
@click.pass_obj
def withdraw(services: Services, *, plan_id: str, reason: str, operator: str, as_json: bool) -> None:
    """trace-server inspections withdraw PLAN --reason "…"

    Give it up before its draw.
    """
    plan, by = _held(services, plan_id, operator)
    _tell(operations.withdraw(services, by, plan_id, plan.version, reason), as_json=as_json)


@inspections.command("show")
@PLAN
@JSON
@click.pass_obj
def show(services: Services, *, plan_id: str, as_json: bool) -> None:
    """trace-server inspections show PLAN

    A plan with its lists and tasks.
    """
    opened = operations.open_plan(services, Official("", ""), plan_id)
    if as_json:
        click.echo(json.dumps(opened_json(opened), ensure_ascii=False))
        return
    _tell(opened.plan, as_json=False)
    for level, (subjects, visits) in rules.expected(opened.candidates, opened.plan.fields).items():
        click.echo(f"  {level or 'by hand':>8}  {subjects} subjects  {visits} visits")
    for task in opened.tasks:
        found = task.finding.value if task.finding else ""
        click.echo(f"  {task.number:>5}  {task.due_on}  {task.uscc}  {task.level}  {task.state}  {found}  {task.name}")


@inspections.command("tasks")
@click.option("--inspector", required=True, help="Name in the audit log, as user:…")
@JSON
@click.pass_obj
def tasks(services: Services, *, inspector: str, as_json: bool) -> None:
    """trace-server inspections tasks --inspector user:…

    Visits that somebody has to make, the most urgent first.
    """
    for task in operations.own_tasks(services, inspector):
        if as_json:
            click.echo(json.dumps(task_json(task), ensure_ascii=False))
            continue
        click.echo(f"{task.due_on}  {task.plan_id}/{task.number}  {task.uscc}  {task.level}  {task.name}")


@inspections.command("proof")
@PLAN
@click.pass_obj
def proof(services: Services, *, plan_id: str) -> None:
    """trace-server inspections proof PLAN > draw.json

    The proof of a published draw.
    """
    click.echo(json.dumps(telling.proof(services, plan_id), ensure_ascii=False, indent=1))


@inspections.command("check-draw")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@JSON
def check_draw(*, file: Path, as_json: bool) -> None:
    """trace-server inspections check-draw draw.json

    Repeat a draw from its proof, without a database. Ends with 1 when something does not come out as it says.
    """
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError("this is no JSON", where=str(file)) from error
    if not isinstance(document, dict):
        raise InputError("this is no proof of a draw", where=str(file))
    wrong = rules.repeat(document)
    if as_json:
        click.echo(json.dumps({"plan_id": document["plan_id"], "holds": not wrong, "wrong": wrong}))
    else:
        click.echo(f"not as it says: {', '.join(wrong)}" if wrong else "the draw comes out as the proof says")
    if wrong:
        sys.exit(1)


def _held(services: Services, plan_id: str, operator: str) -> tuple[Plan, Official]:
    """On a command line one acts for the plan's own department."""
    plan = operations.open_plan(services, Official(operator, ""), plan_id).plan
    return plan, Official(operator, plan.department)


def _tell(plan: Plan, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(plan_json(plan), ensure_ascii=False))
        return
    fields = plan.fields
    period = f"{fields.period_from} to {fields.period_to}"
    click.echo(f"{plan.plan_id}  {plan.state}  {fields.region}  {period}  {fields.title}")


commands: list[click.Command] = [inspections]
