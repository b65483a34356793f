"""`trace-server events list`, `trace-server quarantine list|replay`."""

from __future__ import annotations

import json
import sys
from datetime import datetime

import click

from trace_core.errors import InputError
from trace_server.ingest import backups, operations, wire
from trace_server.ingest.model import QuarantineState
from trace_server.services import Services, operator_name


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


@click.group()
def backup() -> None:
    """What gateways may let go of, e.g. `trace-server backup confirm --at 2026-11-24T02:00:00+08:00`."""


@backup.command("confirm")
@click.option("--at", default="", help="When the backup was begun, with the offset from UTC.")
@click.option("--all", "everything", is_flag=True, help="All that is stored now.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def confirm_backup(services: Services, *, at: str, everything: bool, as_json: bool) -> None:
    """trace-server backup confirm --at 2026-11-24T02:00:00+08:00

    Say that a checked backup holds what came until then; gateways delete their copies of it with the next answer.
    """
    if everything == bool(at):
        raise click.UsageError("say --at with a time, or --all")
    moved = backups.confirm(services.db, services.clock(), operator_name(), _moment(at) if at else None)
    if as_json:
        print(json.dumps({"confirmed": moved}))
    else:
        for epoch, seq in moved.items():
            print(f"{epoch} confirmed up to {seq}")


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{text!r:.60} is no time", where="at", remedy="such as 2026-11-24T02:00:00+08:00") from error
    if moment.tzinfo is None:
        raise InputError("the time lacks its offset from UTC", where="at", remedy="end it with Z or ±hh:mm")
    return moment


commands: list[click.Command] = [events, quarantine, alarms, backup]
