"""`trace-server commitments …`: look at the register and take steps."""

from __future__ import annotations

import json

import click

from trace_server.commitments import operations, rules
from trace_server.commitments.model import CommitmentEvent, CommitmentState, Finding
from trace_server.commitments.operations import Step
from trace_server.commitments.states import EVENTS_BY_HAND
from trace_server.commitments.wire import commitment_json
from trace_server.services import Services, operator_name

JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
OPERATOR = click.option("--operator", default=operator_name, help="Who does it, for the audit log; default: you.")
MAX_LISTED = 500


@click.group("commitments")
def commitments() -> None:
    """Credit commitments, e.g. `trace-server commitments list --state breach`."""


@commitments.command("list")
@click.option("--uscc", default="", help="Of one subject.")
@click.option("--state", default=None, type=click.Choice([state.value for state in CommitmentState]))
@JSON
@click.pass_obj
def list_commitments(services: Services, *, uscc: str, state: str | None, as_json: bool) -> None:
    """trace-server commitments list --state breach

    In the order they were signed.
    """
    wanted = CommitmentState(state) if state else None
    for row in operations.list_commitments(services, uscc, wanted, after=None, limit=MAX_LISTED):
        if as_json:
            click.echo(json.dumps(commitment_json(row, within=True), ensure_ascii=False))
            continue
        mark = "  异议处理中" if row.objection else ""
        click.echo(f"{row.code}  {row.state}  {row.promise.type}  {row.uscc}  {rules.shared_name(row)}{mark}")


@commitments.command("step")
@click.argument("code")
@click.argument("event", type=click.Choice([event.value for event in EVENTS_BY_HAND]))
@click.option("--reason", required=True, help="Why, in a sentence.")
@click.option("--document", default="", help="Number of the paper behind it.")
@click.option("--unfulfilled", default="", help="未履行的承诺内容, for a breach.")
@click.option("--pursued", default="", help="违诺责任追究内容, for a breach.")
@OPERATOR
@JSON
@click.pass_obj
def step(services: Services, /, *, code: str, event: str, operator: str, as_json: bool, **words: str) -> None:
    """trace-server commitments step CODE fulfil --reason "…"

    Whoever found a breach does not record it.
    """
    row = operations.open_commitment(services, code, owner="")
    finding = Finding(unfulfilled=words["unfulfilled"], pursued=words["pursued"])
    taken = Step(CommitmentEvent(event), row.version, words["reason"], words["document"], finding)
    moved = operations.take_step(services, operator, code, taken)
    if as_json:
        click.echo(json.dumps(commitment_json(moved, within=True), ensure_ascii=False))
        return
    click.echo(f"{moved.code}  {moved.state}")


commands: list[click.Command] = [commitments]
