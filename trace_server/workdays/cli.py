"""`trace-server calendar …`: holidays and make-up working days."""

from __future__ import annotations

import json
from pathlib import Path

import click

from trace_server.services import Services, operator_name
from trace_server.workdays import operations
from trace_server.workdays.model import Year

JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@click.group("calendar")
def calendar() -> None:
    """Working days, by which periods of law are counted."""


@calendar.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@JSON
@click.pass_obj
def import_file(services: Services, file: Path, *, as_json: bool) -> None:
    """trace-server calendar import 2027.toml

    Take the years of FILE, all or none; a year that is known is replaced. A table [2027] with `source`, `holidays`
    (first and last days) and `make_up` (weekend days that are worked).
    """
    text = file.read_text(encoding="utf-8", errors="replace")
    _print(operations.import_years(services.db, text, actor=operator_name(), now=services.clock()), as_json=as_json)


@calendar.command("list")
@JSON
@click.pass_obj
def list_years(services: Services, *, as_json: bool) -> None:
    """The years that are announced; periods that run into another year are unconfirmed."""
    with services.db.read() as conn:
        found = operations.calendar(conn)
    _print(found.years, as_json=as_json)


def _print(years: tuple[Year, ...], *, as_json: bool) -> None:
    rows = [
        {
            "year": row.year,
            "holidays": [day.isoformat() for day in sorted(row.holidays)],
            "make_up": [day.isoformat() for day in sorted(row.make_up)],
            "source": row.source,
        }
        for row in years
    ]
    if as_json:
        print(json.dumps({"years": rows}, ensure_ascii=False))
        return
    for year in years:
        print(f"{year.year}\t{len(year.holidays)} days off\t{len(year.make_up)} made up\t{year.source}")


commands: list[click.Command] = [calendar]
