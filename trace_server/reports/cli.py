"""`trace-server reports …`: ask for reports, list them, take the file, verify a number."""

from __future__ import annotations

import json
from pathlib import Path

import click

from trace_server.reports import operations
from trace_server.reports.kinds import registry
from trace_server.reports.model import Asker, Report, Wish
from trace_server.reports.wire import report_json, verification_json
from trace_server.services import Services, operator_name

JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
OPERATOR = click.option("--operator", default=operator_name, help="Who does it, for the audit log; default: you.")
MAX_LISTED = 500


@click.group("reports")
def reports() -> None:
    """Credit reports, e.g. `trace-server reports verify R20261124-…`."""


@reports.command("request")
@click.argument("kind", type=click.Choice(list(registry())))
@click.argument("usccs", nargs=-1, required=True)
@click.option("--purpose", required=True, help="What it is for; it is printed on the report.")
@click.option("--uri", default="", help="Of a diligence pack: the goods.")
@click.option("--authorisation", default="", help="Of a full archive: number of the written authorisation.")
@OPERATOR
@JSON
@click.pass_obj
def request(
    services: Services, /, *, kind: str, usccs: tuple[str, ...], operator: str, as_json: bool, **words: str
) -> None:
    """trace-server reports request credit 913209009000000142 --purpose "申请补贴"

    The worker makes the file.
    """
    wish = Wish(kind, usccs, words["purpose"], words["uri"], words["authorisation"])
    _print(operations.request(services, Asker(operator), wish), as_json=as_json)


@reports.command("list")
@JSON
@click.pass_obj
def list_reports(services: Services, *, as_json: bool) -> None:
    """trace-server reports list

    The newest first.
    """
    for row in operations.list_reports(services, Asker(operator_name()), limit=MAX_LISTED):
        _print(row, as_json=as_json)


@reports.command("download")
@click.argument("report_no")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=None, help="Default: <number>.pdf.")
@OPERATOR
@click.pass_obj
def download(services: Services, *, report_no: str, out: Path | None, operator: str) -> None:
    """trace-server reports download R20261124-0123456789AB

    Each download is in the audit log.
    """
    row, data = operations.download(services, Asker(operator), report_no)
    path = out or Path(f"{row.report_no}.pdf")
    path.write_bytes(data)
    click.echo(str(path))


@reports.command("withdraw")
@click.argument("report_no")
@click.option("--reason", required=True, help="Why; the verify page says it.")
@OPERATOR
@JSON
@click.pass_obj
def withdraw(services: Services, *, report_no: str, reason: str, operator: str, as_json: bool) -> None:
    """trace-server reports withdraw R20261124-0123456789AB --reason "…"

    For a report that should not have been issued.
    """
    _print(operations.withdraw(services, Asker(operator), report_no, reason), as_json=as_json)


@reports.command("verify")
@click.argument("report_no")
@JSON
@click.pass_obj
def verify(services: Services, *, report_no: str, as_json: bool) -> None:
    """trace-server reports verify R20261124-0123456789AB

    As the public verify page says it.
    """
    found = operations.verify(services, report_no)
    if as_json:
        click.echo(json.dumps(verification_json(found, services.settings), ensure_ascii=False))
        return
    since = f"  since {found.since.isoformat()}" if found.since else ""
    click.echo(f"{found.report_no}  {found.standing.value}{since}  {found.why}".rstrip())


def _print(row: Report, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(report_json(row), ensure_ascii=False))
        return
    until = row.valid_to.isoformat() if row.valid_to else "—"
    click.echo(f"{row.report_no}  {row.state.value}  {row.wish.kind}  {','.join(row.wish.usccs)}  {until}")


commands: list[click.Command] = [reports]
