"""`trace-server imports …`: hand tables in, see what became of them, and which feeds are late."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path

import click

from trace_core.errors import TooLarge
from trace_server.exports.registry import registry as formats
from trace_server.imports import feeds, operations
from trace_server.imports.model import Order, Row, Run
from trace_server.imports.operations import File
from trace_server.imports.registered import registry
from trace_server.imports.wire import errors_json, feed_json, run_json
from trace_server.services import Services, operator_name

JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
KIND = click.Choice(sorted(registry()))
MAX_BYTES = 64 * 1024 * 1024
"""Of a file on this host."""
PAGE = 500


@click.group("imports")
def imports() -> None:
    """Official tables, e.g. `trace-server imports add --kind penalties --template 2018 --category food table.csv`."""


@imports.command("add")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--kind", type=KIND, required=True)
@click.option("--template", default="", help="Version of the 双公示 template: 2016 or 2018.")
@click.option("--category", default="", help="Of penalties: category of products, e.g. food.")
@click.option("--source", default="", help="Unit that the table comes from.")
@JSON
@click.pass_obj
def add(services: Services, file: Path, *, kind: str, template: str, category: str, source: str, as_json: bool) -> None:
    """trace-server imports add --kind licences --template 2018 licences.xlsx

    Take the good rows of FILE (CSV, XLSX or JSON), keep the others in quarantine. Exit 1 when a row was refused.
    """
    if file.stat().st_size > MAX_BYTES:
        raise TooLarge(f"{file.stat().st_size:,} bytes", where=str(file), remedy=f"at most {MAX_BYTES:,}")
    order = Order(kind, template, file.name, source, category)
    run = operations.submit(services, operator_name(), order, File(file.read_bytes()))
    run = operations.work_off(services, run.import_id)
    rows = operations.refused_rows(services, run.import_id, limit=PAGE)
    if as_json:
        print(json.dumps({**run_json(run), "errors": errors_json(run, rows, "en")}, ensure_ascii=False))
    else:
        _print_errors(run, rows)
        _print(run)
    if run.refused:
        sys.exit(1)


@imports.command("list")
@click.option("--kind", type=KIND, default=None)
@JSON
@click.pass_obj
def list_imports(services: Services, *, kind: str | None, as_json: bool) -> None:
    """trace-server imports list --kind penalties

    The newest first.
    """
    found: list[Run] = []
    before: tuple[datetime, str] | None = None
    while page := operations.list_runs(services, kind=kind or "", before=before, limit=PAGE):
        found += page
        before = page[-1].created_at, page[-1].import_id
    if as_json:
        print(json.dumps({"imports": [run_json(run) for run in found]}, ensure_ascii=False))
        return
    for run in found:
        _print(run)


@imports.command("errors")
@click.argument("import_id")
@JSON
@click.pass_obj
def errors(services: Services, import_id: str, *, as_json: bool) -> None:
    """trace-server imports errors imp-0123456789abcdef

    Why rows were refused.
    """
    run, rows, after = operations.find(services, import_id), list[Row](), 0
    while page := operations.refused_rows(services, import_id, after=after, limit=PAGE):
        rows += page
        after = page[-1].number
    if as_json:
        print(json.dumps({**run_json(run), "errors": errors_json(run, rows, "en")}, ensure_ascii=False))
        return
    _print_errors(run, rows)


@imports.command("corrected")
@click.argument("import_id")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True)
@click.option("--format", "form", type=click.Choice(sorted(formats())), default="csv")
@click.pass_obj
def corrected(services: Services, import_id: str, *, out: Path, form: str) -> None:
    """trace-server imports corrected imp-0123456789abcdef --out mend.csv

    The refused rows with what is wrong, to mend and hand in again.
    """
    _, _, data = operations.corrected_file(services, operator_name(), import_id, form, "zh")
    out.write_bytes(data)
    print(out)


@imports.command("discard")
@click.argument("import_id")
@JSON
@click.pass_obj
def discard(services: Services, import_id: str, *, as_json: bool) -> None:
    """trace-server imports discard imp-0123456789abcdef

    Give up the refused rows; what was taken stays.
    """
    run = operations.discard(services, operator_name(), import_id)
    if as_json:
        print(json.dumps(run_json(run), ensure_ascii=False))
    else:
        _print(run)


@imports.command("feeds")
@click.option("--late", is_flag=True, help="Only feeds that are late or never came; exit 1 when there is one.")
@JSON
@click.pass_obj
def list_feeds(services: Services, *, late: bool, as_json: bool) -> None:
    """trace-server imports feeds --late

    The catalogue of what is gathered, and how each feed stands.
    """
    found = feeds.feeds(services)
    if late:
        found = [feed for feed in found if feed.state in (feeds.FeedState.LATE, feeds.FeedState.NEVER)]
    if as_json:
        print(json.dumps({"feeds": [feed_json(feed) for feed in found]}, ensure_ascii=False))
    else:
        for feed in found:
            last = feed.last_at.isoformat(timespec="minutes") if feed.last_at else "-"
            days = f"\t{feed.days_late} days late" if feed.days_late else ""
            print(f"{feed.item.id}\t{feed.state}\t{last}\tevery {feed.item.every_days} days{days}")
    if late and found:
        sys.exit(1)


def _print(run: Run) -> None:
    counts = f"{run.taken} taken, {run.unchanged} unchanged, {run.refused} refused"
    print(f"{run.import_id}\t{run.order.kind}\t{run.state}\t{counts} of {run.total}\t{run.order.file_name}")


def _print_errors(run: Run, rows: list[Row]) -> None:
    for error in errors_json(run, rows, "en"):
        print(f"row {error['row']}\t{error['field']}\t{error['message']} [{error['code']}]", file=sys.stderr)


commands: list[click.Command] = [imports]
