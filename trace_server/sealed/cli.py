"""`trace-server sealed status|rotate`. Opening has no command: it takes two persons, who are logged in."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from trace_server.sealed import operations
from trace_server.services import Services, operator_name


@click.group()
def sealed() -> None:
    """Keys of the sealed personal data, e.g. `trace-server sealed status --json`."""


@sealed.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def status(services: Services, *, as_json: bool) -> None:
    """How many values lie under which key; an old key may go when none does."""
    found = operations.key_uses(services)
    if as_json:
        print(json.dumps([asdict(use) for use in found]))
        return
    for use in found:
        print(f"{use.key_id} {use.values} values{' (newest)' if use.is_newest else ''}")


@sealed.command()
@click.pass_obj
def rotate(services: Services) -> None:
    """Seal everything with the newest key; may be stopped and run again."""
    print(f"{operations.rotate(services, operator_name())} values sealed with the newest key")


commands: list[click.Command] = [sealed]
