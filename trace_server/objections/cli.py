"""`trace-server objections …`: look at objections and take steps."""

from __future__ import annotations

import json

import click

from trace_server.objections import operations, rules
from trace_server.objections.model import ObjectionEvent, ObjectionState, Remedy, TargetKind
from trace_server.objections.operations import Claim, Step
from trace_server.objections.wire import objection_json
from trace_server.services import Services, operator_name

JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
OPERATOR = click.option("--operator", default=operator_name, help="Who does it, for the audit log; default: you.")
MAX_LISTED = 500


@click.group("objections")
def objections() -> None:
    """Objections to records, list entries and commitments, e.g. `trace-server objections list --state raised`."""


@objections.command("list")
@click.option("--uscc", default="", help="Of one subject.")
@click.option("--state", default=None, type=click.Choice([state.value for state in ObjectionState]))
@JSON
@click.pass_obj
def list_objections(services: Services, *, uscc: str, state: str | None, as_json: bool) -> None:
    """trace-server objections list --state raised

    In the order they were raised.
    """
    wanted = ObjectionState(state) if state else None
    for row in operations.list_objections(services, uscc, wanted, after=None, limit=MAX_LISTED):
        if as_json:
            click.echo(json.dumps(objection_json(row, within=True), ensure_ascii=False))
            continue
        due = f"  due {row.due_at:%Y-%m-%d}" if row.due_at else ""
        click.echo(f"{row.objection_id}  {row.state}  {row.kind} {row.target}  {row.uscc}{due}")


@objections.command("raise")
@click.option("--kind", required=True, type=click.Choice([kind.value for kind in TargetKind]))
@click.option("--target", required=True, help="Record id, membership id or 承诺编码.")
@click.option("--claim", required=True, help="What is wrong.")
@click.option("--paper", "papers", multiple=True, help="Number of a paper; may be given several times.")
@click.option("--representative", required=True, help="Who speaks for the subject.")
@OPERATOR
@JSON
@click.pass_obj
def raise_objection(
    services: Services, /, *, kind: str, papers: tuple[str, ...], operator: str, as_json: bool, **words: str
) -> None:
    """trace-server objections raise --kind record --target … --claim "…" --representative "…"

    Hand in an objection that came on paper.
    """
    claim = Claim(TargetKind(kind), words["target"], words["claim"], papers, words["representative"])
    row = operations.raise_objection(services, operator, claim, owner=None)
    click.echo(json.dumps(objection_json(row, within=True), ensure_ascii=False) if as_json else row.objection_id)


@objections.command("step")
@click.argument("objection_id")
@click.argument("event", type=click.Choice([event.value for event in ObjectionEvent]))
@click.option("--reason", required=True, help="Why; told to who raised it.")
@click.option("--document", default="", help="Number of the decision.")
@click.option("--remedy", default="", type=click.Choice([remedy.value for remedy in Remedy]), help="Of a proposal.")
@click.option("--change", "changes", multiple=True, help="CF_…=text, of a record to correct; several times.")
@OPERATOR
@JSON
@click.pass_obj
def step(
    services: Services, /, *, objection_id: str, changes: tuple[str, ...], operator: str, as_json: bool, **words: str
) -> None:
    """trace-server objections step ID propose --remedy withdraw --reason "…"

    Whoever proposed does not uphold.
    """
    row = operations.open_objection(services, objection_id, owner="")
    taken = Step(
        ObjectionEvent(words["event"]), row.version, words["reason"], words["document"], Remedy(words["remedy"]),
        rules.read_changes("\n".join(changes)),
    )  # fmt: skip
    moved = operations.take_step(services, operator, objection_id, taken)
    shown = json.dumps(objection_json(moved, within=True), ensure_ascii=False)
    click.echo(shown if as_json else f"{moved.objection_id}  {moved.state}")


commands: list[click.Command] = [objections]
