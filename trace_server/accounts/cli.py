"""`trace-server gateway …` and `trace-server client …`."""

from __future__ import annotations

import json

import click

from trace_server.accounts import operations
from trace_server.accounts.model import Client, Gateway, Role
from trace_server.services import Services, operator_name

JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@click.group()
def gateway() -> None:
    """Gateways, e.g. `trace-server gateway add --id gate-1 --site "North market" --read-point urn:epc:id:sgln:…`."""


@gateway.command("add")
@click.option("--id", "gateway_id", required=True, help="a-z, 0-9 and -; part of topics and file names.")
@click.option("--site", required=True, help="Where the box stands, in words.")
@click.option("--read-point", "read_points", multiple=True, required=True, help="EPCIS read point; repeat as needed.")
@click.option("--auto-approve", is_flag=True, help="Active as soon as it enrols; otherwise a person approves it.")
@JSON
@click.pass_obj
def add_gateway(
    services: Services,
    *,
    gateway_id: str,
    site: str,
    read_points: tuple[str, ...],
    auto_approve: bool,
    as_json: bool,
) -> None:
    """Invite a gateway and print its one-time code (24 h)."""
    code = operations.add_gateway(
        services.db,
        services.clock(),
        operator_name(),
        gateway_id=gateway_id,
        site=site,
        read_points=read_points,
        auto_approve=auto_approve,
    )
    _print_code(gateway_id, code, as_json=as_json)


@gateway.command("invite")
@click.argument("gateway_id")
@JSON
@click.pass_obj
def invite_gateway(services: Services, *, gateway_id: str, as_json: bool) -> None:
    """Print a new one-time code for a replaced box; earlier codes are void."""
    code = operations.invite_gateway(services.db, services.clock(), operator_name(), gateway_id)
    _print_code(gateway_id, code, as_json=as_json)


@gateway.command("approve")
@click.argument("gateway_id")
@JSON
@click.pass_obj
def approve_gateway(services: Services, *, gateway_id: str, as_json: bool) -> None:
    """Let an enrolled gateway send."""
    _print_gateway(
        operations.approve_gateway(services.db, services.clock(), operator_name(), gateway_id), as_json=as_json
    )


@gateway.command("revoke")
@click.argument("gateway_id")
@JSON
@click.pass_obj
def revoke_gateway(services: Services, *, gateway_id: str, as_json: bool) -> None:
    """Shut a gateway out, at once and for good."""
    _print_gateway(
        operations.revoke_gateway(services.db, services.clock(), operator_name(), gateway_id), as_json=as_json
    )


@click.group()
def client() -> None:
    """API clients, e.g. `trace-server client add --name dairy-erp --role producer`."""


@client.command("add")
@click.option("--name", required=True)
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]))
@click.option("--subject", default="", help="USCC of the company it acts for (producers, platforms).")
@JSON
@click.pass_obj
def add_client(services: Services, *, name: str, role: str, subject: str, as_json: bool) -> None:
    """Make a client and print its bearer token, once."""
    made, token = operations.add_client(
        services.db, services.clock(), operator_name(), name=name, role=Role(role), subject=subject
    )
    if as_json:
        print(json.dumps({**_client_json(made), "token": token}, ensure_ascii=False))
        return
    print(token)
    click.echo(f"client {made.client_id}, role {role}; the token is not shown again", err=True)


@client.command("list")
@JSON
@click.pass_obj
def list_clients(services: Services, *, as_json: bool) -> None:
    """All clients; never their tokens."""
    found = operations.list_clients(services.db)
    if as_json:
        print(json.dumps([_client_json(known) for known in found], ensure_ascii=False))
        return
    for known in found:
        print(f"{known.client_id}\t{'revoked' if known.is_revoked else 'active'}\t{known.role}\t{known.name}")


@client.command("revoke")
@click.argument("name")
@JSON
@click.pass_obj
def revoke_client(services: Services, *, name: str, as_json: bool) -> None:
    """End a client's token at once; NAME may be its id."""
    revoked = operations.revoke_client(services.db, services.clock(), operator_name(), name)
    print(json.dumps(_client_json(revoked), ensure_ascii=False) if as_json else f"{revoked.client_id} revoked")


def _print_code(gateway_id: str, code: str, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"gateway_id": gateway_id, "code": code, "valid_hours": 24}))
        return
    print(code)
    click.echo(f"one-time code of {gateway_id}, good for 24 hours; it is not shown again", err=True)


def _print_gateway(known: Gateway, *, as_json: bool) -> None:
    print(json.dumps(_gateway_json(known), ensure_ascii=False) if as_json else f"{known.gateway_id} {known.state}")


def _gateway_json(known: Gateway) -> dict[str, object]:
    return {
        "gateway_id": known.gateway_id,
        "site": known.site,
        "read_points": list(known.read_points),
        "state": known.state.value,
        "auto_approve": known.auto_approve,
        "software": known.software,
        "hostname": known.hostname,
        "key_id": known.key_id or None,
        "created_at": known.created_at.isoformat(),
    }


def _client_json(known: Client) -> dict[str, object]:
    return {
        "client_id": known.client_id,
        "name": known.name,
        "role": known.role.value,
        "subject": known.subject or None,
        "state": "revoked" if known.is_revoked else "active",
        "created_at": known.created_at.isoformat(),
    }


commands: list[click.Command] = [client]
