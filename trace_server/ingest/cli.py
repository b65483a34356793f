"""`trace-server events list`, `trace-server quarantine list|replay`."""

from __future__ import annotations

import json
import sys

import click

from trace_server.ingest import operations, wire
from trace_server.ingest.model import QuarantineState
from trace_server.services import Services


@click.group()
def events() -> None:
    """Stored events, e.g. `trace-server events list --json`."""


@events.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.pass_obj
def list_events(services: Services, *, as_json: bool) -> None:
    """trace-server events list --json

    Every stored event, straight from the tables, in order of record time.
    """
    for event, uris in operations.stream_events(services.db):
        if as_json:
            print(json.dumps(wire.listed_event_json(event, uris), ensure_ascii=False))
        else:
            number = "" if event.seq is None else f" {event.epoch}/{event.seq}"
            print(f"{event.event_time.isoformat()} {event.source}{number} {event.type.name} {' '.join(uris)}")


@click.group()
def quarantine() -> None:
    """Bodies that were not taken, e.g. `trace-server quarantine list --json`."""


@quarantine.command("list")
@click.option("--state", type=click.Choice([state.value for state in QuarantineState]), default=None)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.pass_obj
def list_quarantine(services: Services, *, state: str | None, as_json: bool) -> None:
    """trace-server quarantine list --state held

    Oldest first, with reason, place and remedy.
    """
    for entry in operations.stream_quarantine(services.db, QuarantineState(state) if state else None):
        if as_json:
            print(json.dumps(wire.quarantine_json(entry), ensure_ascii=False))
        else:
            rejection = entry.rejection
            print(f"{entry.quarantine_key.hex()} {entry.state} {entry.source} {rejection.reason}: {rejection.what}")


@quarantine.command("replay")
@click.argument("ids", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every held entry.")
@click.option("--operator", default="cli", show_default=True, help="Who replays, for the audit log.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.pass_obj
def replay(services: Services, *, ids: tuple[str, ...], everything: bool, operator: str, as_json: bool) -> None:
    """trace-server quarantine replay --all

    Try held bodies again; exit 1 when one is refused again.
    """
    if everything == bool(ids):
        raise click.UsageError("name entries, or say --all")
    keys = [wire.read_key(text, "quarantine entry") for text in ids]
    if everything:
        found = operations.stream_quarantine(services.db, QuarantineState.HELD)
        keys = [entry.quarantine_key for entry in found]
    refused = 0
    for key in keys:
        rejection = operations.replay(services.db, services.clock(), operator, key)
        refused += rejection is not None
        told = {} if rejection is None else wire.rejection_json(rejection)
        if as_json:
            print(json.dumps({"id": key.hex(), "taken": rejection is None, **told}, ensure_ascii=False))
        else:
            print(f"{key.hex()} {'taken' if rejection is None else f'refused: {rejection.what}'}")
    if refused:
        sys.exit(1)


@click.group()
def alarms() -> None:
    """What a person must look at, e.g. `trace-server alarms list --json`."""


@alarms.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.pass_obj
def list_alarms(services: Services, *, as_json: bool) -> None:
    """trace-server alarms list --json

    The first seen first, each cause once with how often it was met.
    """
    for alarm in operations.stream_alarms(services.db):
        if as_json:
            print(json.dumps(wire.alarm_json(alarm), ensure_ascii=False))
        else:
            times = f"{alarm.times} times until {alarm.last_seen.isoformat()}"
            print(f"{alarm.first_seen.isoformat()} {alarm.kind} {alarm.source}: {alarm.detail} ({times})")


commands: list[click.Command] = [events, quarantine, alarms]
