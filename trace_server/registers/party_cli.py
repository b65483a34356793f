"""`trace-server parties …`: subjects with names and old codes, documents, sealed persons."""

from __future__ import annotations

import json
from datetime import datetime

import click

from trace_server.registers import keeping
from trace_server.registers.parties import CodeScheme, Paper, Person, Premises
from trace_server.registers.party_wire import code_json, person_json, premises_json, view_json
from trace_server.services import Services, operator_name

JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
DAY = click.DateTime(["%Y-%m-%d"])
PAGE = 500


@click.group("parties")
def parties() -> None:
    """Base registers, e.g. `trace-server parties show 91320900MA1T000210`."""


@parties.command("show")
@click.argument("uscc")
@JSON
@click.pass_obj
def show(services: Services, uscc: str, *, as_json: bool) -> None:
    """trace-server parties show 91320900MA1T000210

    Names, old codes, premises, documents and judgments of a subject.
    """
    seen = keeping.view(services, uscc)
    if as_json:
        click.echo(json.dumps(view_json(seen), ensure_ascii=False))
        return
    click.echo(f"{seen.uscc}\t{seen.subject.name if seen.subject else 'not registered'}")
    for name in seen.names:
        click.echo(f"name\t{name.name}\t{name.first_on} – {name.last_on}")
    for code in seen.old_codes:
        click.echo(f"code\t{code.code}\t{code.scheme}")
    for place in seen.premises:
        click.echo(f"premises\t{place.premises_id}\t{place.address}")
    for paper in seen.papers:
        click.echo(f"document\t{paper.document_id}\t{paper.type} {paper.number}\t{paper.verified_by or 'not verified'}")
    for judgment in seen.judgments:
        click.echo(f"judgment\t{judgment.case_no}\t{judgment.court}\t{judgment.published_on}")


@parties.command("code")
@click.argument("code")
@JSON
@click.pass_obj
def code(services: Services, code: str, *, as_json: bool) -> None:
    """trace-server parties code 320900000012345

    Whose an old code is.
    """
    found = keeping.find_code(services, code)
    if as_json:
        click.echo(json.dumps({"codes": [code_json(row) for row in found]}, ensure_ascii=False))
        return
    for row in found:
        click.echo(f"{row.code}\t{row.scheme}\t{row.uscc}")


@parties.command("merge")
@click.argument("code")
@click.option("--scheme", type=click.Choice([one.value for one in CodeScheme]), required=True)
@click.option("--uscc", required=True)
@click.option("--reason", required=True, help="Why; it goes into the audit log.")
@JSON
@click.pass_obj
def merge(services: Services, code: str, *, scheme: str, uscc: str, reason: str, as_json: bool) -> None:
    """trace-server parties merge 320900000012345 --scheme registration_no --uscc … --reason …

    Say whose an old code is.
    """
    row = keeping.merge_code(services, operator_name(), code, CodeScheme(scheme), uscc, reason)
    click.echo(json.dumps(code_json(row), ensure_ascii=False) if as_json else f"{row.code}\t{row.scheme}\t{row.uscc}")


@parties.command("persons")
@JSON
@click.pass_obj
def persons(services: Services, *, as_json: bool) -> None:
    """trace-server parties persons --json

    Natural persons, masked.
    """
    found, after = list[Person](), ""
    while page := keeping.list_persons(services, after=after, limit=PAGE):
        found += page
        after = page[-1].person_id
    if as_json:
        click.echo(json.dumps({"persons": [person_json(row) for row in found]}, ensure_ascii=False))
        return
    for row in found:
        click.echo(f"{row.person_id}\t{row.masked_name}\t{row.document_kind}\t{row.source}")


@parties.command("premises")
@click.argument("uscc")
@click.option("--address", required=True)
@click.option("--region", required=True, help="Six digits of GB/T 2260.")
@click.option("--geo", type=(float, float), default=None, help="Latitude and longitude, WGS 84 degrees.")
@click.option("--licence-no", default="")
@click.option("--source", required=True)
@JSON
@click.pass_obj
def premises(
    services: Services,
    uscc: str,
    *,
    address: str,
    region: str,
    geo: tuple[float, float] | None,
    licence_no: str,
    source: str,
    as_json: bool,
) -> None:
    """trace-server parties premises 91320900MA1T000210 --address … --region 320902 --source …

    Register where a subject works.
    """
    today = keeping.today(services.clock())
    latitude, longitude = geo or (None, None)
    row = Premises(uscc, "", address, region, latitude, longitude, licence_no, source, today)
    made = keeping.save_premises(services, operator_name(), row)
    click.echo(
        json.dumps(premises_json(made), ensure_ascii=False) if as_json else f"{made.premises_id}\t{made.address}"
    )


@parties.command("document")
@click.argument("uscc")
@click.option("--type", "kind", required=True)
@click.option("--number", required=True)
@click.option("--issuer", required=True)
@click.option("--issued-on", type=DAY, required=True)
@click.option("--valid-to", type=DAY, default=None)
@click.option("--sha256", required=True, help="Of its file, as sha256sum prints it.")
@click.pass_obj
def document(
    services: Services,
    uscc: str,
    *,
    kind: str,
    number: str,
    issuer: str,
    issued_on: datetime,
    valid_to: datetime | None,
    sha256: str,
) -> None:
    """trace-server parties document 91320900MA1T000210 --type … --number … --issuer … --issued-on … --sha256 …

    Register a document of a subject.
    """
    ends = valid_to.date() if valid_to else None
    row = Paper(uscc, "", kind, number, issuer, issued_on.date(), ends, sha256, "", None, "", services.clock())
    made = keeping.add_paper(services, operator_name(), row)
    click.echo(f"{made.document_id}\t{made.number}")


commands: list[click.Command] = [parties]
