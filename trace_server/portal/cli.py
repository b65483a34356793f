"""`trace-server label`: issue codes and make their labels."""

from __future__ import annotations

import getpass
import json
from pathlib import Path

import click

from trace_core.ids import gs1
from trace_server.catalog.model import IssuedCode
from trace_server.catalog.operations import issue_codes
from trace_server.portal import labels
from trace_server.portal.model import Code
from trace_server.portal.signature import CodeKeys
from trace_server.services import Services

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("label")
@click.option("--gtin", required=True, help="GTIN of the product, 8 to 14 digits.")
@click.option("--lot", required=True, help="Lot of a registered batch.")
@click.option("--serial", "serials", required=True, multiple=True, help="Serial number; repeat for more labels.")
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
    as_json: bool,
    **files: Path | None,
) -> None:
    """trace-server label --gtin 06901234567892 --lot L2611 --serial 000123 --png label.png

    Register the codes as issued and write their labels. Doing it again gives the same labels.
    """
    if epc and len(serials) != 1:
        raise click.UsageError("--epc goes with one --serial")
    keys = CodeKeys.parse(services.settings.code_secret)
    codes = [Code(gs1.gtin(gtin), gs1.lot(lot), gs1.serial(serial)) for serial in serials]
    links = [labels.link(services.settings.public_url, code, keys) for code in codes]
    now = services.clock()
    rows = [IssuedCode(code.gtin, code.lot, code.serial, epc, keys.signing, now) for code in codes]
    new = issue_codes(services.db, rows, actor=f"cli:{getpass.getuser()}", now=now)
    _write(services.settings.public_url, keys, codes, links, files)
    if as_json:
        found = [{"serial": code.serial, "uri": code.uri, "url": url} for code, url in zip(codes, links, strict=True)]
        print(json.dumps({"labels": found, "new": new}))
    else:
        print("\n".join(links))


def _write(url: str, keys: CodeKeys, codes: list[Code], links: list[str], files: dict[str, Path | None]) -> None:
    if path := files.get("png_file"):
        path.write_bytes(labels.png(links[0]))
    if path := files.get("svg_file"):
        path.write_text(labels.svg(codes[0], url, keys), encoding="utf-8")
    if path := files.get("sheet_file"):
        path.write_text(labels.sheet([labels.svg(code, url, keys) for code in codes]), encoding="utf-8")


commands: list[click.Command] = [label]
