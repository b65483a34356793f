"""`trace-server audit verify|list`."""

from __future__ import annotations

import json
import sys
from itertools import islice

import click

from trace_server.audit import operations, store
from trace_server.services import Services


@click.group()
def audit() -> None:
    """Check and read the audit log, e.g. `trace-server audit verify --json`."""


@audit.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def verify(services: Services, *, as_json: bool) -> None:
    """Walk the hash chain; exit 1 and name the first wrong entry when it is broken."""
    with services.db.read() as conn:
        found = operations.verify(conn)
    if as_json:
        print(
            json.dumps(
                {
                    "intact": found.is_intact,
                    "entries": found.entries,
                    "first_wrong": found.first_wrong or None,
                    "reason": found.reason,
                }
            )
        )
    else:
        print(f"{found.entries} entries, intact" if found.is_intact else f"entry {found.first_wrong}: {found.reason}")
    if not found.is_intact:
        sys.exit(1)


@audit.command("list")
@click.option("--after", default=0, show_default=True, help="Start behind this sequence number.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000))
@click.option("--object", "about", default=None, help="Only entries about this thing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def list_entries(services: Services, *, after: int, limit: int, about: str | None, as_json: bool) -> None:
    """Print entries in order."""
    with services.db.read() as conn:
        found = list(islice(store.entries(conn, after=after, about=about), limit))
    if as_json:
        print(
            json.dumps(
                [
                    {
                        "seq": entry.seq,
                        "at": entry.at.isoformat(),
                        "actor": entry.actor,
                        "action": entry.action,
                        "object": entry.about,
                        "detail": dict(entry.detail),
                        "digest": entry.digest.hex(),
                    }
                    for entry in found
                ],
                ensure_ascii=False,
            )
        )
        return
    for entry in found:
        print(f"{entry.seq} {entry.at.isoformat(timespec='seconds')} {entry.actor} {entry.action} {entry.about}")


commands: list[click.Command] = [audit]
