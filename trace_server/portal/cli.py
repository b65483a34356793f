"""`trace-server label`: issue codes and make their labels."""

from __future__ import annotations

import json
from pathlib import Path

import click

from trace_core.errors import IdentifierError, InputError
from trace_core.ids import gs1
from trace_server.catalog.model import IssuedCode
from trace_server.portal import labels
from trace_server.portal.model import Code
from trace_server.portal.signature import CodeKeys
from trace_server.registers.operations import issue_codes
from trace_server.services import Services, operator_name

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("label")
@click.option("--gtin", default="", help="GTIN of the product, 8 to 14 digits.")
@click.option("--lot", default="", help="Lot of a registered batch.")
@click.option("--serial", "serials", multiple=True, help="Serial number; repeat for more labels.")
@click.option(
    "--file",
    "code_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Instead: a JSON list of {gtin, lot, serial, epc} for labels of several batches.",
)
@click.option("--epc", default="", help="EPC URI of the item's tag, with a single serial.")
@click.option("--png", "png_file", type=_FILE, help="Write the QR of the first serial as PNG.")
@click.option("--svg", "svg_file", type=_FILE, help="Write the label of the first serial as SVG.")
@click.option("--sheet", "sheet_file", type=_FILE, help="Write an A4 page (HTML) with all labels.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def label(
    services: Services,
    /,
    *,
    gtin: str,
    lot: str,
    serials: tuple[str, ...],
    epc: str,
    code_file: Path | None,
    as_json: bool,
    **files: Path | None,
) -> None:
    """trace-server label --gtin 06901234567892 --lot L2611 --serial 000123 --png label.png

    Register the codes as issued and write their labels. Doing it again gives the same labels.
    """
    wanted = _from_file(code_file) if code_file else _from_options(gtin, lot, serials, epc)
    keys = CodeKeys.parse(services.settings.code_secret)
    codes = [code for code, _ in wanted]
    links = [labels.link(services.settings.public_url, code, keys) for code in codes]
    now = services.clock()
    rows = [IssuedCode(code.gtin, code.lot, code.serial, tag, keys.signing, now) for code, tag in wanted]
    new = issue_codes(services.db, rows, actor=operator_name(), now=now)
    _write(services.settings.public_url, keys, codes, links, files)
    if as_json:
        found = [{"serial": code.serial, "uri": code.uri, "url": url} for code, url in zip(codes, links, strict=True)]
        print(json.dumps({"labels": found, "new": new}))
    else:
        print("\n".join(links))


def _from_options(gtin: str, lot: str, serials: tuple[str, ...], epc: str) -> list[tuple[Code, str]]:
    if not (gtin and lot and serials):
        raise click.UsageError("name --gtin, --lot and --serial, or a --file")
    if epc and len(serials) != 1:
        raise click.UsageError("--epc goes with one --serial")
    return [(Code(gs1.gtin(gtin), gs1.lot(lot), gs1.serial(serial)), epc) for serial in serials]


def _from_file(path: Path) -> list[tuple[Code, str]]:
    """Raises `InputError` with the JSON pointer of the first row that cannot be a code."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"not JSON: {error}", where=str(path)) from error
    if not isinstance(rows, list) or not rows:
        raise InputError("a list of codes is expected", where=str(path), remedy='[{"gtin", "lot", "serial", "epc"}]')
    return [_from_row(row, f"{path}#/{index}") for index, row in enumerate(rows)]


def _from_row(row: object, where: str) -> tuple[Code, str]:
    if not isinstance(row, dict) or not set(row) <= {"gtin", "lot", "serial", "epc"}:
        raise InputError("an object with gtin, lot, serial and perhaps epc is expected", where=where)
    try:
        values = {name: str(row[name]) for name in ("gtin", "lot", "serial")}
        code = Code(gs1.gtin(values["gtin"]), gs1.lot(values["lot"]), gs1.serial(values["serial"]))
    except KeyError as error:
        raise InputError(f"{error} is missing", where=where) from error
    except IdentifierError as error:
        raise InputError(error.what, where=where, remedy=error.remedy) from error
    return code, str(row.get("epc", ""))


def _write(url: str, keys: CodeKeys, codes: list[Code], links: list[str], files: dict[str, Path | None]) -> None:
    if path := files.get("png_file"):
        path.write_bytes(labels.png(links[0]))
    if path := files.get("svg_file"):
        path.write_text(labels.svg(codes[0], url, keys), encoding="utf-8")
    if path := files.get("sheet_file"):
        path.write_text(labels.sheet([labels.svg(code, url, keys) for code in codes]), encoding="utf-8")


commands: list[click.Command] = [label]
