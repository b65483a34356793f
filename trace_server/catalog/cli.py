"""`trace-server catalog …`: load master data."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from trace_core.errors import InputError
from trace_server.catalog import operations
from trace_server.services import Services, operator_name


@click.group("catalog")
def catalog() -> None:
    """Subjects, licences, products, batches and places."""


@catalog.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def import_file(services: Services, file: Path, *, as_json: bool) -> None:
    """trace-server catalog import goods.json

    Take the good rows of FILE, name the others. Importing the same file again changes nothing. Exit 1 when a row
    was refused.
    """
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"not JSON: {error}", where=str(file)) from error
    operator = operator_name()
    result = operations.import_document(services.db, document, actor=operator, now=services.clock())
    if as_json:
        errors = [dict(operations.problem_of(error)) for error in result.errors]
        print(json.dumps({"changed": result.changed, "unchanged": result.unchanged, "errors": errors}))
    else:
        for refused in result.errors:
            print(f"{refused.pointer}: {refused.message} [{refused.code}]", file=sys.stderr)
        print(f"{result.changed} changed, {result.unchanged} unchanged, {len(result.errors)} refused")
    if result.errors:
        sys.exit(1)


commands: list[click.Command] = [catalog]
