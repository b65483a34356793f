"""`trace-server resolver …`: the register of hosts and the links."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from trace_server.resolver import operations
from trace_server.resolver.model import Host, Link
from trace_server.services import Services, operator_name

JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@click.group()
def resolver() -> None:
    """Where GS1 codes lead, e.g. `trace-server resolver links https://id.gs1.org/01/06901234567892`."""


@resolver.command("hosts")
@JSON
@click.pass_obj
def list_hosts(services: Services, *, as_json: bool) -> None:
    """Hosts that links may lead to."""
    found = operations.list_hosts(services.db)
    if as_json:
        print(json.dumps([_host_json(row) for row in found], ensure_ascii=False))
        return
    for row in found:
        print(f"{row.host}\t{row.state}\tproposed by {row.proposed_by}\t{row.reason}")


@resolver.command("propose-host")
@click.argument("host")
@click.option("--reason", required=True, help="Whose host it is and why links lead there.")
@JSON
@click.pass_obj
def propose_host(services: Services, host: str, *, reason: str, as_json: bool) -> None:
    """Ask for HOST as a target; a second person approves it."""
    _print_host(operations.propose_host(services.db, services.clock(), operator_name(), host, reason), as_json=as_json)


@resolver.command("approve-host")
@click.argument("host")
@JSON
@click.pass_obj
def approve_host(services: Services, host: str, *, as_json: bool) -> None:
    """Let links lead to HOST; not by the one who proposed it."""
    _print_host(operations.approve_host(services.db, services.clock(), operator_name(), host), as_json=as_json)


@resolver.command("withdraw-host")
@click.argument("host")
@JSON
@click.pass_obj
def withdraw_host(services: Services, host: str, *, as_json: bool) -> None:
    """Close HOST: all links to it are dead at once."""
    _print_host(operations.withdraw_host(services.db, services.clock(), operator_name(), host), as_json=as_json)


@resolver.command("links")
@click.argument("anchor")
@JSON
@click.pass_obj
def list_links(services: Services, anchor: str, *, as_json: bool) -> None:
    """Links registered for ANCHOR, a Digital Link on any domain."""
    found = operations.list_links(services.db, anchor)
    if as_json:
        print(json.dumps([asdict(row) for row in found], ensure_ascii=False))
        return
    for row in found:
        print(f"{row.link_id}\tgs1:{row.link_type}\t{row.language or '*'}\t{row.href}\t{row.title}")


@resolver.command("add-link")
@click.argument("anchor")
@click.argument("href")
@click.option("--type", "link_type", required=True, help="gs1:instructions, gs1:pip, …")
@click.option("--title", required=True)
@click.option("--language", default="", help="zh-CN, en; empty: any.")
@click.option("--media-type", default="", help="text/html, application/pdf; empty: any.")
@click.option("--default", "is_default", is_flag=True, help="The default link of a key that has no page here.")
@JSON
@click.pass_obj
def add_link(  # noqa: PLR0913 – one argument an option
    services: Services,
    anchor: str,
    href: str,
    *,
    link_type: str,
    title: str,
    language: str,
    media_type: str,
    is_default: bool,
    as_json: bool,
) -> None:
    """Lead from ANCHOR to HREF."""
    link = Link(anchor, link_type, href, title, language, media_type, is_default)
    made = operations.add_link(services.db, services.clock(), operator_name(), link, owner=None)
    print(json.dumps(asdict(made), ensure_ascii=False) if as_json else made.link_id)


@resolver.command("remove-link")
@click.argument("anchor")
@click.argument("link_id")
@click.pass_obj
def remove_link(services: Services, anchor: str, link_id: str) -> None:
    """Forget one link of ANCHOR."""
    operations.remove_link(services.db, services.clock(), operator_name(), anchor, link_id, owner=None)


def _print_host(row: Host, *, as_json: bool) -> None:
    print(json.dumps(_host_json(row), ensure_ascii=False) if as_json else f"{row.host}\t{row.state}")


def _host_json(row: Host) -> dict[str, object]:
    return {**asdict(row), "updated_at": row.updated_at.isoformat()}


commands: list[click.Command] = [resolver]
