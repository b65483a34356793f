"""`trace-server ranges …`: ranges of serials that producers may issue."""

from __future__ import annotations

import json
from datetime import datetime

import click

from trace_server.registers import operations
from trace_server.registers.model import RangeEvent, RangeState, TagRange
from trace_server.registers.operations import Grant, RangeRequest
from trace_server.registers.wire import range_json
from trace_server.services import Services, operator_name

JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
REASON = click.option("--reason", required=True, help="Why; it goes into the audit log.")
VERSION = click.option("--version", type=int, required=True, help="The version that was read.")
DAY = click.DateTime(["%Y-%m-%d"])
PAGE = 500


@click.group("ranges")
def ranges() -> None:
    """Who may issue which serials, e.g. `trace-server ranges list --state requested`."""


@ranges.command("list")
@click.option("--uscc", default="", help="Of this subject only.")
@click.option("--state", type=click.Choice([state.value for state in RangeState]), default=None)
@JSON
@click.pass_obj
def list_ranges(services: Services, *, uscc: str, state: str | None, as_json: bool) -> None:
    """trace-server ranges list --state requested

    In the order they were asked for.
    """
    wanted = RangeState(state) if state else None
    found: list[TagRange] = []
    after: tuple[datetime, str] | None = None
    while page := operations.ranges_of(services, uscc, wanted, after=after, limit=PAGE):
        found += page
        after = page[-1].requested_at, page[-1].range_id
    if as_json:
        print(json.dumps({"ranges": [range_json(row) for row in found]}, ensure_ascii=False))
        return
    for row in found:
        _print(row, as_json=False)


@ranges.command("request")
@click.option("--uscc", required=True)
@click.option("--gtin", required=True)
@click.option("--first", required=True, help="First serial, such as A0001.")
@click.option("--last", required=True, help="Last serial, such as A9999.")
@click.option("--quota", type=int, default=None, help="Codes that may be issued; default: the whole range.")
@click.option("--purpose", required=True)
@JSON
@click.pass_obj
def request(
    services: Services, *, uscc: str, gtin: str, first: str, last: str, quota: int | None, purpose: str, as_json: bool
) -> None:
    """trace-server ranges request --uscc … --gtin … --first A0001 --last A9999 --purpose …

    Ask on a producer's behalf.
    """
    wanted = RangeRequest(uscc, gtin, first, last, purpose, quota)
    _print(operations.request_range(services, operator_name(), wanted), as_json=as_json)


@ranges.command("grant")
@click.argument("range_id")
@REASON
@VERSION
@click.option("--quota", type=int, default=None, help="Fewer than were asked for.")
@click.option("--valid-from", type=DAY, default=None, help="First day; default: today.")
@click.option("--valid-to", type=DAY, default=None, help="Last day; default: no end.")
@JSON
@click.pass_obj
def grant(
    services: Services,
    range_id: str,
    *,
    reason: str,
    version: int,
    quota: int | None,
    valid_from: datetime | None,
    valid_to: datetime | None,
    as_json: bool,
) -> None:
    """trace-server ranges grant range-0123456789ab --version 1 --reason …

    Whoever asked does not grant.
    """
    first, last = (day.date() if day else None for day in (valid_from, valid_to))
    given = Grant(reason, version, first, last, quota)
    _print(operations.grant_range(services, operator_name(), range_id, given), as_json=as_json)


@ranges.command("refuse")
@click.argument("range_id")
@REASON
@VERSION
@JSON
@click.pass_obj
def refuse(services: Services, range_id: str, *, reason: str, version: int, as_json: bool) -> None:
    """trace-server ranges refuse range-0123456789ab --version 1 --reason …"""
    _end(services, range_id, RangeEvent.REFUSE, reason, version, as_json=as_json)


@ranges.command("revoke")
@click.argument("range_id")
@REASON
@VERSION
@JSON
@click.pass_obj
def revoke(services: Services, range_id: str, *, reason: str, version: int, as_json: bool) -> None:
    """trace-server ranges revoke range-0123456789ab --version 2 --reason …

    No more codes of it are issued; those that were stay.
    """
    _end(services, range_id, RangeEvent.REVOKE, reason, version, as_json=as_json)


def _end(services: Services, range_id: str, event: RangeEvent, reason: str, version: int, *, as_json: bool) -> None:
    row = operations.end_range(services, operator_name(), range_id, event, reason=reason, version=version)
    _print(row, as_json=as_json)


def _print(row: TagRange, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(range_json(row), ensure_ascii=False))
        return
    until = row.valid_to.isoformat() if row.valid_to else ""
    span = f"{row.gtin} {row.span.first}–{row.span.last}"
    print(f"{row.range_id}\t{row.state}\t{row.uscc}\t{span}\t{row.issued} of {row.quota}\tv{row.version}\t{until}")


commands: list[click.Command] = [ranges]
