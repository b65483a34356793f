"""`trace-server equipment …`: the register of special equipment from the command line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import click

from trace_server.equipment import operations, rules
from trace_server.equipment.kinds import kinds
from trace_server.equipment.model import State
from trace_server.equipment.operations import Caller, Filter, Record, Result
from trace_server.equipment.rules import Registration
from trace_server.equipment.states import state_on
from trace_server.equipment.wire import asset_json, kinds_json, record_json
from trace_server.services import Services, operator_name

JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
DAY = click.DateTime(["%Y-%m-%d"])
VERSION = click.option("--version", "revision", type=click.IntRange(1), required=True, help="The one you read.")
DAYS = ("registered_on", "made_on", "in_use_on", "inspection_due", "scrap_on")


@click.group()
def equipment() -> None:
    """Special equipment: register, inspections, out of service, scrap."""


@equipment.command("list")
@click.option("--owner", default="", help="USCC.")
@click.option("--kind", default="", help="See `kinds`.")
@click.option("--state", type=click.Choice([state.value for state in State]), default=None)
@click.option("--after", default="", help="Behind this URI.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True)
@JSON
@click.pass_obj
def list_(
    services: Services, *, owner: str, kind: str, state: str | None, after: str, limit: int, as_json: bool
) -> None:
    """trace-server equipment list --state overdue"""
    now = services.clock()
    wanted = Filter(owner, kind, State(state) if state else None)
    found = operations.page(services.db, now, wanted, after=after, limit=limit)
    today = operations.local_day(now)
    rows = [asset_json(row, state_on(row, today)) for row in found]
    lines = [f"{row['state']:<15}{row['kind']:<16}{row['inspection_due'] or '-':<12}{row['uri']}" for row in rows]
    _print({"equipment": rows}, "\n".join(lines) or "none", as_json=as_json)


@equipment.command("show")
@click.argument("name")
@JSON
@click.pass_obj
def show(services: Services, name: str, *, as_json: bool) -> None:
    """trace-server equipment show 232010890202200017

    By tag in any spelling, or by device code.
    """
    _told(operations.show(services.db, services.clock(), name), as_json=as_json)


@equipment.command("register")
@click.option("--uri", default="", help="Tag: EPC URN or Digital Link; without one the device code names it.")
@click.option("--device-code", default="", help="设备代码, 18 characters.")
@click.option("--kind", default="", help="Default: by the device code.")
@click.option("--owner", required=True, help="USCC of the unit that uses it.")
@click.option("--maintainer", default="", help="USCC of the maintenance unit.")
@click.option("--registration-no", default="", help="使用登记证编号.")
@click.option("--registered-on", type=DAY, default=None)
@click.option("--medium", default="", help="One word, e.g. lpg.")
@click.option("--tid", default="", help="TID of the tag in hex.")
@click.option("--fill-limit-kg", type=float, default=None)
@click.option("--made-on", type=DAY, default=None)
@click.option("--in-use-on", type=DAY, default=None)
@click.option("--inspection-due", type=DAY, default=None, help="Last day of use, from the certificate.")
@click.option("--scrap-on", type=DAY, default=None)
@click.option("--source", required=True, help="The paper or system that says so.")
@JSON
@click.pass_obj
def register(services: Services, /, *, as_json: bool, **given: Any) -> None:  # noqa: ANN401 – one argument an option
    """trace-server equipment register --device-code 232010890202200017 --owner <USCC> --source 合格证"""
    told: dict[str, Any] = {name: _day(value) if name in DAYS else value for name, value in given.items()}
    done = operations.register(services.db, services.clock(), _caller(), Registration(**told))
    _told(done, as_json=as_json)


@equipment.command("inspect")
@click.argument("uri")
@VERSION
@click.option("--on", "inspected_on", type=DAY, required=True)
@click.option("--certificate-no", required=True)
@click.option("--body", required=True, help="Who inspected.")
@click.option("--passed/--failed", required=True)
@click.option("--next-due", type=DAY, default=None, help="As the certificate says.")
@JSON
@click.pass_obj
def inspect(services: Services, /, uri: str, *, revision: int, as_json: bool, **given: Any) -> None:  # noqa: ANN401 – one argument an option
    """trace-server equipment inspect <uri> --version 1 --on 2026-11-20 --passed --next-due 2030-11-19 …"""
    told: dict[str, Any] = given | {name: _day(given[name]) for name in ("inspected_on", "next_due")}
    done = operations.inspect(services.db, services.clock(), _caller(), uri, Result(**told), revision=revision)
    _told(done, as_json=as_json)


@equipment.command("put-in-use")
@click.argument("uri")
@VERSION
@JSON
@click.pass_obj
def put_in_use(services: Services, uri: str, *, revision: int, as_json: bool) -> None:
    """trace-server equipment put-in-use <uri> --version 2"""
    _told(operations.put_in_use(services.db, services.clock(), _caller(), uri, revision=revision), as_json=as_json)


@equipment.command("take-out")
@click.argument("uri")
@VERSION
@click.option("--reason", required=True)
@JSON
@click.pass_obj
def take_out(services: Services, uri: str, *, revision: int, reason: str, as_json: bool) -> None:
    """trace-server equipment take-out <uri> --version 2 --reason 停用"""
    done = operations.take_out(services.db, services.clock(), _caller(), uri, revision=revision, reason=reason)
    _told(done, as_json=as_json)


@equipment.command("scrap")
@click.argument("uri")
@VERSION
@click.option("--reason", required=True)
@JSON
@click.pass_obj
def scrap(services: Services, uri: str, *, revision: int, reason: str, as_json: bool) -> None:
    """trace-server equipment scrap <uri> --version 3 --reason 报废, for good."""
    done = operations.scrap(services.db, services.clock(), _caller(), uri, revision=revision, reason=reason)
    _told(done, as_json=as_json)


@equipment.command("kinds")
@JSON
def list_kinds(*, as_json: bool) -> None:
    """Kinds with the default periods that pre-fill forms."""
    lines = [f"{row.name:<16}{row.title} ({row.title_en}): {row.basis}" for row in kinds().values()]
    _print({"kinds": kinds_json()}, "\n".join(lines), as_json=as_json)


@equipment.command("prefill")
@click.option("--kind", required=True)
@click.option("--made-on", type=DAY, required=True)
@JSON
def prefill(*, kind: str, made_on: datetime, as_json: bool) -> None:
    """Dates that a form may suggest; the certificate decides."""
    found = {name: day.isoformat() for name, day in rules.prefilled(kind, made_on.date()).items()}
    _print(found, "\n".join(f"{name} {day}" for name, day in found.items()), as_json=as_json)


def _caller() -> Caller:
    return Caller(operator_name())


def _day(value: datetime | None) -> date | None:
    return value.date() if value is not None else None


def _told(record: Record, *, as_json: bool) -> None:
    document = record_json(record)
    lines = [f"{name:<16}{value}" for name, value in document.items() if value and name != "inspections"]
    lines += [
        f"inspection      {row.inspected_on} {'passed' if row.passed else 'failed'} {row.certificate_no} {row.body}"
        for row in record.inspections
    ]
    _print(document, "\n".join(lines), as_json=as_json)


def _print(document: Mapping[str, object], text: str, *, as_json: bool) -> None:
    print(json.dumps(document, ensure_ascii=False, default=str) if as_json else text)


commands: list[click.Command] = [equipment]
