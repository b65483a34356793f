"""`trace-server policies …`: the policy lab on the command line."""

from __future__ import annotations

import json
import secrets
from datetime import datetime
from pathlib import Path

import click

from trace_server.policies import operations
from trace_server.policies.model import PolicyVersion, Risk, Simulation
from trace_server.policies.operations import POLICY_ID
from trace_server.policies.wire import comparison_json, simulation_json, version_json
from trace_server.services import Services, operator_name

JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
OPERATOR = click.option("--operator", default=operator_name, help="Who does it, for the audit log; default: you.")
NUMBER = click.argument("number", type=int)
REASON = click.option("--reason", required=True, help="Why, in a sentence.")
DAY = click.DateTime(["%Y-%m-%d"])
FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
MAX_SHOWN = 20


@click.group("policies")
def policies() -> None:
    """Versions of the grading policy, e.g. `trace-server policies start > policy.toml`."""


@policies.command("list")
@JSON
@click.pass_obj
def list_versions(services: Services, *, as_json: bool) -> None:
    """trace-server policies list

    The newest first. Number 1 is the shipped default.
    """
    for row in operations.list_versions(services):
        _tell(row, as_json=as_json)


@policies.command("start")
@click.pass_obj
def start(services: Services) -> None:
    """trace-server policies start > policy.toml

    The policy in force as the text of a new draft.
    """
    click.echo(operations.starting_text(services), nl=False)


@policies.command("draft")
@FILE
@REASON
@OPERATOR
@JSON
@click.pass_obj
def draft(services: Services, *, file: Path, reason: str, operator: str, as_json: bool) -> None:
    """trace-server policies draft policy.toml --reason "…"

    Register a draft.
    """
    _tell(operations.draft(services, operator, file.read_text(encoding="utf-8"), reason), as_json=as_json)


@policies.command("edit")
@NUMBER
@FILE
@OPERATOR
@JSON
@click.pass_obj
def edit(services: Services, *, number: int, file: Path, operator: str, as_json: bool) -> None:
    """trace-server policies edit 2 policy.toml

    Replace the text of a draft.
    """
    text = file.read_text(encoding="utf-8")
    version = _version(services, number)
    _tell(operations.edit(services, operator, POLICY_ID, number, version, text), as_json=as_json)


@policies.command("roll-back")
@NUMBER
@REASON
@OPERATOR
@JSON
@click.pass_obj
def roll_back(services: Services, *, number: int, reason: str, operator: str, as_json: bool) -> None:
    """trace-server policies roll-back 1 --reason "…"

    A new draft with the content of an earlier version.
    """
    _tell(operations.roll_back(services, operator, POLICY_ID, number, reason), as_json=as_json)


@policies.command("simulate")
@NUMBER
@click.option("--seed", default=lambda: secrets.token_hex(8), help="Draws the sample; the same gives the same digest.")
@click.option("--as-of", type=DAY, help="Default: today.")
@click.option("--sample", type=click.IntRange(min=1), help="At most so many subjects; default: all.")
@OPERATOR
@JSON
@click.pass_obj
def simulate(
    services: Services, *, number: int, seed: str, as_of: datetime | None, sample: int | None, operator: str,
    as_json: bool,
) -> None:  # fmt: skip
    """trace-server policies simulate 2 --seed 2026-06

    Grade every subject under the version and under the policy in force.
    """
    day = None if as_of is None else as_of.date()
    version = _version(services, number)
    _, made = operations.run_simulation(
        services, operator, POLICY_ID, number, version, seed=seed, as_of=day, most=sample
    )
    if as_json:
        click.echo(json.dumps(simulation_json(made), ensure_ascii=False))
        return
    _print(made)


@policies.command("review")
@NUMBER
@click.option("--risk", "risks", required=True, multiple=True, help='"risk => response", once for each.')
@click.option("--check-after", "days", required=True, multiple=True, type=int, help="Days after the first day.")
@OPERATOR
@JSON
@click.pass_obj
def review(
    services: Services, *, number: int, risks: tuple[str, ...], days: tuple[int, ...], operator: str, as_json: bool
) -> None:
    """trace-server policies review 2 --risk "more inspections => two more inspectors" --check-after 30

    Write down the risks and the response to each.
    """
    found = [Risk(risk.strip(), response.strip()) for risk, _, response in (text.partition("=>") for text in risks)]
    version = _version(services, number)
    _tell(operations.review(services, operator, POLICY_ID, number, version, found, days), as_json=as_json)


@policies.command("approve")
@NUMBER
@REASON
@OPERATOR
@JSON
@click.pass_obj
def approve(services: Services, *, number: int, reason: str, operator: str, as_json: bool) -> None:
    """trace-server policies approve 2 --reason "…"

    Two persons, neither the author.
    """
    version = _version(services, number)
    _tell(operations.approve(services, operator, POLICY_ID, number, version, reason), as_json=as_json)


@policies.command("return")
@NUMBER
@REASON
@OPERATOR
@JSON
@click.pass_obj
def send_back(services: Services, *, number: int, reason: str, operator: str, as_json: bool) -> None:
    """trace-server policies return 2 --reason "…"

    Back to draft.
    """
    version = _version(services, number)
    _tell(operations.send_back(services, operator, POLICY_ID, number, version, reason), as_json=as_json)


@policies.command("activate")
@NUMBER
@click.option("--from", "from_day", required=True, type=DAY, help="First day: today or later.")
@OPERATOR
@JSON
@click.pass_obj
def activate(services: Services, *, number: int, from_day: datetime, operator: str, as_json: bool) -> None:
    """trace-server policies activate 2 --from 2026-07-01

    The nightly sweep grades everybody by it from that day on.
    """
    version = _version(services, number)
    _tell(operations.activate(services, operator, POLICY_ID, number, version, from_day.date()), as_json=as_json)


@policies.command("withdraw")
@NUMBER
@REASON
@OPERATOR
@JSON
@click.pass_obj
def withdraw(services: Services, *, number: int, reason: str, operator: str, as_json: bool) -> None:
    """trace-server policies withdraw 2 --reason "…"

    Give it up before its first day.
    """
    version = _version(services, number)
    _tell(operations.withdraw(services, operator, POLICY_ID, number, version, reason), as_json=as_json)


@policies.command("show")
@NUMBER
@JSON
@click.pass_obj
def show(services: Services, *, number: int, as_json: bool) -> None:
    """trace-server policies show 2

    A version with its simulation and its comparisons.
    """
    found = operations.open_version(services, POLICY_ID, number)
    if as_json:
        told = {
            **version_json(found.row, with_text=True),
            "outcome": None if found.simulation is None else simulation_json(found.simulation),
            "comparisons": [comparison_json(one) for one in found.comparisons],
            "without_basis": list(found.without_basis),
        }
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    _tell(found.row, as_json=False)
    for rule in found.without_basis:
        click.echo(f"  without legal basis: {rule}")
    if found.simulation is not None:
        _print(found.simulation)
    for one in found.comparisons:
        click.echo(f"  after {one.after_days} days ({one.due_on}), {one.observed} subjects:")
        for share in one.shares:
            click.echo(f"    {share.level:>3}  predicted {share.predicted:7.2%}  observed {share.observed:7.2%}")


def _version(services: Services, number: int) -> int:
    return operations.open_version(services, POLICY_ID, number).row.version


def _tell(row: PolicyVersion, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(version_json(row, with_text=False), ensure_ascii=False))
        return
    begins = f"  from {row.effective_from}" if row.effective_from else ""
    back = f"  rollback of {row.rollback_of}" if row.rollback_of else ""
    click.echo(f"{row.name}  {row.state}{begins}{back}  approvals {len(row.approvals)}  {row.reason}")


def _print(made: Simulation) -> None:
    click.echo(f"run {made.run}  {made.as_of}  {made.simulated} of {made.population} subjects  seed {made.seed}")
    click.echo(f"  {made.current_version} -> {made.draft_version}  digest {made.digest}")
    for move in made.moves:
        click.echo(f"  {move.before:>3} -> {move.after:<3} {move.count:>8}")
    for region in made.regions:
        click.echo(f"  {region.region or '-':>6}  up {region.better}  down {region.worse}  same {region.same}")
    before, after = made.load_before, made.load_after
    click.echo(f"  inspections a year: {before.least}-{before.most} -> {after.least}-{after.most}")
    click.echo(f"  change: {made.changed} ({made.changed_low:.2%} to {made.changed_high:.2%} of all)")
    for one in made.changes[:MAX_SHOWN]:
        click.echo(f"    {one.uscc}  {one.before} {one.score_before} -> {one.after} {one.score_after}")


commands: list[click.Command] = [policies]
