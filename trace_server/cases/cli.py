"""`trace-server detectors list|docs`: the rules, each with how often people found it right."""

from __future__ import annotations

import json
from pathlib import Path

import click

from trace_server.cases import operations
from trace_server.cases.wire import precision_json
from trace_server.detect import page, run, wire
from trace_server.services import Services


@click.group()
def detectors() -> None:
    """The rules, e.g. `trace-server detectors list --json`."""


@detectors.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.pass_obj
def list_detectors(services: Services, *, as_json: bool) -> None:
    """trace-server detectors list

    Id, titles, guard, basis, parameters, and precision: of the alerts that people triaged, how many were suspected
    rightly. Null before the first.
    """
    found = {one.rule_id: one for one in operations.precision(services)}
    for detector in run.registry().values():
        precision = found.get(detector.id)
        if as_json:
            told = wire.detector_json(detector) | {"precision": precision_json(precision) if precision else None}
            print(json.dumps(told, ensure_ascii=False))
            continue
        share = precision.share if precision else None
        right = (
            f" [{precision.suspected} of {precision.triaged} right, {share:.0%}]"
            if precision and share is not None
            else ""
        )
        print(f"{detector.id} v{detector.version} {detector.title_zh} {detector.title_en}: {detector.guard}{right}")


@detectors.command("docs")
@click.argument("folder", type=click.Path(file_okay=False, exists=True, path_type=Path))
def write_docs(*, folder: Path) -> None:
    """trace-server detectors docs docs

    Write the page of each rule, and the reference page of all.
    """
    for name, text in page.pages(run.registry().values()).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)


commands: list[click.Command] = [detectors]
