"""`trace-server blocklist …`: the list that gateways keep, its key, and facts of single assets."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import click

from trace_core.errors import InputError, NotFound
from trace_server.blocklist import operations
from trace_server.blocklist.signing import list_signer
from trace_server.services import Services, operator_name

JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@click.group("blocklist")
def blocklist() -> None:
    """What gates must not let through, e.g. `trace-server blocklist publish`."""


@blocklist.command("publish")
@click.option("--version", type=click.IntRange(1), default=None, help="Number to publish under; default: the next.")
@JSON
@click.pass_obj
def publish(services: Services, *, version: int | None, as_json: bool) -> None:
    """trace-server blocklist publish

    Publish now instead of waiting for the worker. Gateways refuse a number below the one they hold: after this
    server was restored from a backup, name a number above it once.
    """
    number = operations.publish(services.db, services.clock(), actor=operator_name(), version=version)
    _print({"version": number}, f"version {number}", as_json=as_json)


@blocklist.command("key")
@JSON
@click.pass_obj
def key(services: Services, *, as_json: bool) -> None:
    """trace-server blocklist key

    The public key that gateways pin, for `answer.list_key` in their settings.
    """
    signer = list_signer(services.settings)
    public = base64.b64encode(signer.public_key).decode()
    _print({"key_id": signer.key_id, "public_key": public}, f"{public}  (key {signer.key_id})", as_json=as_json)


@blocklist.command("show")
@JSON
@click.pass_obj
def show(services: Services, *, as_json: bool) -> None:
    """trace-server blocklist show --json

    The list in force.
    """
    found = operations.newest(services.db)
    if found is None:
        raise NotFound("no block list has been published yet", remedy="run `trace-server blocklist publish`")
    document = {
        "version": found.version,
        "issued_at": found.issued_at.isoformat(),
        "entries": [dict(line) for line in found.entries],
    }
    lines = [" ".join(line.values()) for line in found.entries]
    _print(document, "\n".join([f"version {found.version} of {found.issued_at.isoformat()}", *lines]), as_json=as_json)


@blocklist.command("import-assets")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@JSON
@click.pass_obj
def import_assets(services: Services, file: Path, *, as_json: bool) -> None:
    """trace-server blocklist import-assets cylinders.json

    Take facts of tagged assets, all rows or none: {"assets": [{"uri": "urn:epc:id:…", "source": "…",
    "as_of": "2026-11-24", "tid": "E280…", "medium": "lpg", "owner": "<USCC>", "inspection_due": "2027-05-31",
    "scrap_on": "2034-01-01"}]}; a URI that is known already is replaced.
    """
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"not JSON: {error}", where=str(file)) from error
    rows = operations.import_assets(services.db, document, actor=operator_name(), now=services.clock())
    _print({"taken": rows}, f"{rows} assets taken", as_json=as_json)


@blocklist.command("assets")
@JSON
@click.pass_obj
def assets(services: Services, *, as_json: bool) -> None:
    """trace-server blocklist assets --json

    The facts of assets that the next version will state.
    """
    found = operations.assets(services.db)
    rows = [asdict(asset) for asset in found]
    lines = [f"{asset.uri} {asset.medium} due {asset.inspection_due or '-'}" for asset in found]
    _print({"assets": rows}, "\n".join(lines), as_json=as_json)


def _print(document: Mapping[str, object], text: str, *, as_json: bool) -> None:
    print(json.dumps(document, ensure_ascii=False, default=str) if as_json else text)


commands: list[click.Command] = [blocklist]
