"""`trace-server indication …`: the register of geographical indications."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import click

from trace_core.errors import InputError
from trace_server.catalog.operations import SHANGHAI
from trace_server.indications import operations
from trace_server.indications.wire import office_json
from trace_server.services import Services, operator_name

JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@click.group("indication")
def indication() -> None:
    """Geographical indications, e.g. `trace-server indication import register.json`."""


@indication.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@JSON
@click.pass_obj
def import_register(services: Services, file: Path, *, as_json: bool) -> None:
    """trace-server indication import register.json

    Take {"indications": […], "users": […]}, all rows or none (docs/how-to/geographical-indications.md).
    """
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"not JSON: {error}", where=str(file)) from error
    taken = operations.import_register(services.db, services.clock(), operator_name(), document)
    text = f"{taken.indications} indications, {taken.users} authorisations taken"
    _print({"indications": taken.indications, "users": taken.users}, text, as_json=as_json)


@indication.command("list")
@JSON
@click.pass_obj
def list_indications(services: Services, *, as_json: bool) -> None:
    """trace-server indication list --json"""
    register, today = operations.read_register(services.db), services.clock().astimezone(SHANGHAI).date()
    rows = [office_json(one, register.users_of(one.gi_id), today) for one in register.indications]
    lines = [f"{row['gi_id']}  {row['name']}  {len(row['users'])} users" for row in rows]
    _print({"indications": rows}, "\n".join(lines), as_json=as_json)


@indication.command("show")
@click.argument("gi_id")
@JSON
@click.pass_obj
def show(services: Services, gi_id: str, *, as_json: bool) -> None:
    """trace-server indication show gi-rice --json"""
    found, users = operations.read_indication(services.db, gi_id)
    today = services.clock().astimezone(SHANGHAI).date()
    lines = [f"{found.gi_id}  {found.name}  {found.name_en}"]
    lines += [f"season {one.year}: {one.opens} to {one.closes}" for one in found.seasons]
    lines += [f"ceiling {year}: {marks} marks" for year, marks in found.ceilings.items()]
    for user in users:
        quotas = ", ".join(f"{year}: {marks}" for year, marks in user.quotas.items()) or "no quota"
        lines.append(f"{user.uscc}  {user.valid_from} to {user.valid_to or 'no end'}  {quotas}")
    _print(office_json(found, users, today), "\n".join(lines), as_json=as_json)


def _print(document: Mapping[str, object], text: str, *, as_json: bool) -> None:
    print(json.dumps(document, ensure_ascii=False) if as_json else text)


commands: list[click.Command] = [indication]
