"""`trace-server shop …`: identity marks of online sellers, and takedown notices."""

from __future__ import annotations

import json
from collections.abc import Mapping

import click

from trace_server.services import Services, operator_name
from trace_server.shops import operations
from trace_server.shops.model import MarkEvent, Shop
from trace_server.shops.operations import NewShop
from trace_server.shops.wire import notice_json, shop_json

JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
MAX_LISTED = 10_000


@click.group("shop")
def shop() -> None:
    """Online sellers, e.g. `trace-server shop list`."""


@shop.command("register")
@click.option("--name", required=True, help="Name of the shop.")
@click.option("--platform", required=True, help="USCC of who runs the platform.")
@click.option("--platform-name", required=True)
@click.option("--url", required=True, help="Address of the shop, http or https.")
@click.option("--uscc", default="", help="The seller's USCC.")
@click.option("--person-ref", default="", help="Instead: reference to the person whose identity was verified.")
@click.option("--licence-no", default="", help="Licence that it sells under.")
@JSON
@click.pass_obj
def register(services: Services, /, *, as_json: bool, **given: str) -> None:
    """Ask for a mark; another account confirms it."""
    _print_shop(operations.register(services, operator_name(), NewShop(**given)), as_json=as_json)


@shop.command("step")
@click.argument("mark")
@click.argument("event", type=click.Choice([event.value for event in MarkEvent]))
@click.option("--version", type=click.IntRange(1), required=True, help="The one that was read.")
@click.option("--reason", required=True)
@JSON
@click.pass_obj
def step(services: Services, mark: str, event: str, *, version: int, reason: str, as_json: bool) -> None:
    """Confirm, suspend, resume or revoke a mark."""
    row = operations.take_step(services, operator_name(), mark, MarkEvent(event), version=version, reason=reason)
    _print_shop(row, as_json=as_json)


@shop.command("list")
@click.option("--uscc", default="", help="Only this seller's.")
@JSON
@click.pass_obj
def list_shops(services: Services, *, uscc: str, as_json: bool) -> None:
    """trace-server shop list --json"""
    rows = operations.list_shops(services.db, uscc=uscc, limit=MAX_LISTED)
    lines = [f"{row.mark}  {row.state.value:9}  {row.uscc or 'person':18}  {row.name}  {row.url}" for row in rows]
    _print({"shops": [shop_json(row) for row in rows]}, "\n".join(lines), as_json=as_json)


@shop.command("takedowns")
@click.option("--platform", default="", help="Only to this platform (USCC).")
@JSON
@click.pass_obj
def takedowns(services: Services, *, platform: str, as_json: bool) -> None:
    """trace-server shop takedowns --json"""
    rows = operations.notices(services.db, platform, limit=MAX_LISTED)
    lines = [
        f"{row.notice_id}  {row.state.value:8}  due {row.due_at.isoformat()}  {row.platform}  {row.listing_no}  "
        f"{row.gtin}/{row.lot}  {row.outcome or '-'}"
        for row in rows
    ]
    _print({"takedowns": [notice_json(row) for row in rows]}, "\n".join(lines), as_json=as_json)


def _print_shop(row: Shop, *, as_json: bool) -> None:
    _print(shop_json(row), f"{row.mark}  {row.state.value}  version {row.version}", as_json=as_json)


def _print(document: Mapping[str, object], text: str, *, as_json: bool) -> None:
    print(json.dumps(document, ensure_ascii=False) if as_json else text)


commands: list[click.Command] = [shop]
