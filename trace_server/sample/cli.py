"""`trace-server sample load`: a made-up city to look at, to try queries on and to show to others."""

from __future__ import annotations

import dataclasses
import json
from datetime import date

import click

from trace_server.sample import operations
from trace_server.sample.model import LEGAL_TIME, SCALES
from trace_server.services import Services


@click.group()
def sample() -> None:
    """A made-up city, e.g. `trace-server sample load --scale small`."""


@sample.command()
@click.option("--seed", default=2016, show_default=True, help="Another seed, another city.")
@click.option("--scale", type=click.Choice(sorted(SCALES)), default="city", show_default=True)
@click.option("--events", type=click.IntRange(1_000, 5_000_000), default=None, help="About so many events.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), default=None, help="The day on which its year ends: today.")
@click.option("--into-existing", is_flag=True, help="Also into a database that has data already.")
@click.option("--people", is_flag=True, help="Invite a person for each role and print the one-time codes.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def load(
    services: Services,
    *,
    seed: int,
    scale: str,
    events: int | None,
    as_of: object,
    into_existing: bool,
    people: bool,
    as_json: bool,
) -> None:
    """trace-server sample load --scale small --as-of 2026-11-24

    A year of the city: subjects, products, events, alerts, cases, decisions, recalls, complaints. All invented.
    """
    day = services.clock().astimezone(LEGAL_TIME).date()
    summary = operations.load(
        services,
        seed=seed,
        scale=scale,
        as_of=date.fromisoformat(str(as_of)[:10]) if as_of is not None else day,
        events=events,
        into_existing=into_existing,
        with_people=people,
        tell=lambda words: click.echo(words, err=True),
    )
    if as_json:
        print(json.dumps(dataclasses.asdict(summary), ensure_ascii=False))
        return
    for name, number in summary.counts.items():
        print(f"{number:>9,}  {name}")
    print(f"alerts by rule: {', '.join(f'{rule} {number}' for rule, number in sorted(summary.rules.items()))}")
    for name, code in summary.invitations.items():
        print(f"{name}\t{code}")
    click.echo(f"{summary.scale} city {summary.seed} in {summary.seconds} s; digest {summary.digest[:16]}", err=True)


commands: list[click.Command] = [sample]
