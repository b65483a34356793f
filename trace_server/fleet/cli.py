"""`trace-server gateway list`, `show` and `settings …`, beside the commands of `accounts`."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from trace_core.errors import InputError
from trace_server.accounts.cli import JSON, gateway
from trace_server.fleet import operations, wire
from trace_server.fleet.model import SettingsVersion, Standing
from trace_server.services import Services, operator_name

PAGE = 200


@gateway.command("list")
@JSON
@click.pass_obj
def list_gateways(services: Services, *, as_json: bool) -> None:
    """trace-server gateway list --json

    All gateways with their state, their health and why.
    """
    if as_json:
        print(json.dumps([wire.standing_json(one) for one in _all(services)], ensure_ascii=False))
        return
    for one in _all(services):
        known = one.gateway
        seen = one.heartbeat.received_at.isoformat(timespec="seconds") if one.heartbeat else "-"
        words = (known.gateway_id, known.state, one.health, seen, known.site, " ".join(one.reasons) or "-")
        print("\t".join(words))


@gateway.command("show")
@click.argument("gateway_id")
@JSON
@click.pass_obj
def show_gateway(services: Services, gateway_id: str, *, as_json: bool) -> None:
    """trace-server gateway show gate-1

    One gateway with all that it said in its last heartbeat.
    """
    document = wire.standing_json(operations.standing(services.db, services.clock(), gateway_id))
    if as_json:
        print(json.dumps(document, ensure_ascii=False))
        return
    for name, value in document.items():
        print(f"{name:18} {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}")


@gateway.group("settings")
def settings() -> None:
    """Settings from afar, e.g. `trace-server gateway settings set gate-1 --file gate-1.toml`."""


@settings.command("set")
@click.argument("gateway_id")
@click.option("--file", "file", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--base", type=int, default=None, help="The version that you changed; refused when it is old.")
@JSON
@click.pass_obj
def set_settings(services: Services, gateway_id: str, file: Path, *, base: int | None, as_json: bool) -> None:
    """trace-server gateway settings set gate-1 --file gate-1.toml

    Issue the next version: the whole of FILE (TOML, or JSON when its name ends so). The gateway tries it.
    """
    issued = operations.set_settings(services.db, services.clock(), operator_name(), gateway_id, _read(file), base)
    _print(issued, as_json=as_json)


@settings.command("show")
@click.argument("gateway_id")
@click.option("--version", type=click.IntRange(1), default=None, help="Default: the newest.")
@JSON
@click.pass_obj
def show_settings(services: Services, gateway_id: str, *, version: int | None, as_json: bool) -> None:
    """trace-server gateway settings show gate-1

    One version and what the gateway made of it.
    """
    _print(operations.show_settings(services.db, gateway_id, version), as_json=as_json)


@settings.command("list")
@click.argument("gateway_id")
@JSON
@click.pass_obj
def list_settings(services: Services, gateway_id: str, *, as_json: bool) -> None:
    """trace-server gateway settings list gate-1

    All versions, the newest first.
    """
    found = operations.list_settings(services.db, gateway_id)
    if as_json:
        print(json.dumps([wire.settings_json(one) for one in found], ensure_ascii=False))
        return
    for one in found:
        print(f"{one.version}\t{one.issued_at.isoformat()}\t{one.issued_by}\t{one.result or '-'}\t{one.reason or '-'}")


def _all(services: Services) -> Iterator[Standing]:
    after, now = "", services.clock()
    while page := operations.list_standings(services.db, now, after, PAGE):
        yield from page
        after = page[-1].gateway.gateway_id


def _read(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text(encoding="utf-8")
        found = json.loads(text) if file.suffix == ".json" else tomllib.loads(text)
    except ValueError as error:
        raise InputError(f"cannot be read: {error}", where=str(file)) from error
    if not isinstance(found, dict):
        raise InputError("a table is needed", where=str(file))
    return found


def _print(issued: SettingsVersion, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(wire.settings_json(issued), ensure_ascii=False))
        return
    print(f"version {issued.version} of {issued.issued_at.isoformat()} by {issued.issued_by}")
    print(f"result: {issued.result or 'not tried yet'} {issued.reason}".rstrip())
    print(json.dumps(issued.settings, ensure_ascii=False, indent=2))


commands: list[click.Command] = [gateway]
