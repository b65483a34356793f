"""`trace-server alerts list|backfill|tank`."""

from __future__ import annotations

import json
import sys

import click

from trace_server.detect import operations, run, wire
from trace_server.detect.model import AlertState
from trace_server.services import Services


@click.group()
def alerts() -> None:
    """What the detectors suspect, e.g. `trace-server alerts list --json`."""


@alerts.command("list")
@click.option("--state", type=click.Choice([state.value for state in AlertState]), default=None)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.pass_obj
def list_alerts(services: Services, *, state: str | None, as_json: bool) -> None:
    """trace-server alerts list --state open

    In the order they were opened.
    """
    now = services.clock()
    for alert in operations.stream_alerts(services.db, AlertState(state) if state else None):
        if as_json:
            print(json.dumps(wire.alert_json(alert, now), ensure_ascii=False))
        else:
            print(f"{alert.rule_id} {alert.state} {alert.kind_at(now)} ×{alert.count} {alert.subject}")


@alerts.command("backfill")
@click.argument("rules", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def backfill(services: Services, *, rules: tuple[str, ...], as_json: bool) -> None:
    """trace-server alerts backfill D30

    Judge all events again, e.g. after master data came in late. Exit 1 when a detector failed.
    """
    known = run.registry()
    unknown = [rule for rule in rules if rule not in known]
    if unknown:
        raise click.UsageError(f"no detector {', '.join(unknown)}; there are {', '.join(known)}")
    report = run.back_fill(services.db, services.clock(), [known[rule] for rule in rules or known])
    if as_json:
        print(json.dumps({"judged": report.judged, "swept": report.swept, "failed": report.failed}))
    else:
        for rule, count in report.judged.items():
            print(f"{rule}: {count} events judged{', FAILED' if rule in report.failed else ''}")
        for rule in sorted({*report.swept, *report.failed} - report.judged.keys()):
            print(f"{rule}: swept{', FAILED' if rule in report.failed else ''}")
    if report.failed:
        sys.exit(1)


@alerts.command("tank")
@click.argument("uri")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def tank(services: Services, *, uri: str, as_json: bool) -> None:
    """trace-server alerts tank urn:epc:id:grai:0614141.12345.400

    What a tank was loaded with and when it was cleaned, by event time.
    """
    acts = [wire.tank_json(act) for act in operations.read_tank(services.db, uri)]
    if as_json:
        print(json.dumps({"tank": uri, "acts": acts}, ensure_ascii=False))
        return
    for act in acts:
        paper = act.get("permit") or act.get("certificate") or "-"
        print(f"{act['event_time']}  {act['act']:8}  {act.get('cargo_class', '-'):8}  {act.get('cargo', '-')}  {paper}")


commands: list[click.Command] = [alerts]
