"""`trace-server user …`: who may log in."""

from __future__ import annotations

import json

import click

from trace_server.accounts.model import Role
from trace_server.services import Services, operator_name
from trace_server.users import operations
from trace_server.users.model import Scope, User

JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@click.group()
def user() -> None:
    """People, e.g. `trace-server user add inspector-1 --display-name 检查员 --role regulator`."""


@user.command("add")
@click.argument("name")
@click.option("--display-name", required=True, help="Name that the pages show.")
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]))
@click.option("--department", default="", help="Department, in words.")
@click.option("--region", "regions", multiple=True, help="GB/T 2260 code; repeat as needed; none: the whole city.")
@click.option("--category", "categories", multiple=True, help="Product category; repeat as needed; none: all.")
@click.option("--subject", default="", help="USCC of the company (producers only).")
@JSON
@click.pass_obj
def add_user(  # noqa: PLR0913 – one argument an option
    services: Services,
    name: str,
    *,
    display_name: str,
    role: str,
    department: str,
    regions: tuple[str, ...],
    categories: tuple[str, ...],
    subject: str,
    as_json: bool,
) -> None:
    """Invite NAME and print a one-time code (24 h) for /console/join."""
    made, code = operations.add_user(
        services.db,
        services.clock(),
        operator_name(),
        name=name,
        display_name=display_name,
        role=Role(role),
        department=department,
        scope=Scope(regions, categories, subject),
    )
    _print_code(made.name, code, as_json=as_json)


@user.command("invite")
@click.argument("name")
@click.option("--lost-factor", is_flag=True, help="The phone is lost too: the second factor is set up anew.")
@JSON
@click.pass_obj
def invite(services: Services, name: str, *, lost_factor: bool, as_json: bool) -> None:
    """New one-time code for NAME; the old password and all sessions end."""
    code = operations.invite_again(services.db, services.clock(), operator_name(), name, lost_factor=lost_factor)
    _print_code(name, code, as_json=as_json)


@user.command("disable")
@click.argument("name")
@JSON
@click.pass_obj
def disable(services: Services, name: str, *, as_json: bool) -> None:
    """Shut the account of NAME, at once."""
    done = operations.disable_user(services.db, services.clock(), operator_name(), name)
    print(json.dumps(_user_json(done), ensure_ascii=False) if as_json else f"{done.name}\t{done.state}")


@user.command("list")
@JSON
@click.pass_obj
def list_users(services: Services, *, as_json: bool) -> None:
    """All accounts."""
    found = operations.list_users(services.db)
    if as_json:
        print(json.dumps([_user_json(row) for row in found], ensure_ascii=False))
        return
    for row in found:
        print(f"{row.name}\t{row.state}\t{row.role}\t{row.display_name}\t{row.department or '-'}")


def _print_code(name: str, code: str, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"name": name, "code": code}))
        return
    print(code)
    click.echo(f"user {name}: enter this code at /console/join within 24 h; it is not shown again", err=True)


def _user_json(row: User) -> dict[str, object]:
    return {
        "name": row.name,
        "display_name": row.display_name,
        "role": row.role,
        "department": row.department,
        "regions": list(row.scope.regions),
        "categories": list(row.scope.categories),
        "subject": row.scope.subject,
        "state": row.state,
        "has_second_factor": bool(row.sealed_totp),
        "created_at": row.created_at.isoformat(),
    }


commands: list[click.Command] = [user]
