"""Labels as PDF: sheets of A4 with 3 × 8 labels of 70 × 37 mm, or one label a page for a label printer.

The maker of the PDF may fetch nothing: a label holds all that it shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import NoReturn

from trace_server.portal.labels import HEIGHT_MM, WIDTH_MM

A_SHEET = 24
"""Labels of 70 × 37 mm on A4, as sold for office printers."""


class Paper(StrEnum):
    """What the labels are printed on."""

    A4 = "a4"
    ROLL = "roll"
    """A label printer: one label of 60 × 30 mm a page."""


_COLUMNS, _CELL_WIDTH_MM, _CELL_HEIGHT_MM = 3, 70, 37
_STYLES = {
    Paper.A4: (
        "@page{size:210mm 297mm;margin:0}body{margin:0}.label{position:absolute}svg{display:block}"
        ".sheet{position:relative;width:210mm;height:297mm}.sheet+.sheet{break-before:page}"
    ),
    Paper.ROLL: (
        f"@page{{size:{WIDTH_MM}mm {HEIGHT_MM}mm;margin:0}}body{{margin:0}}.label{{position:absolute;left:0;top:0}}"
        f".sheet{{position:relative;width:{WIDTH_MM}mm;height:{HEIGHT_MM}mm}}"
        ".sheet+.sheet{break-before:page}svg{display:block}"
    ),
}


def pdf(labels: Sequence[str], paper: Paper, title: str) -> bytes:
    """The labels (SVG, `portal.labels.svg`) as a PDF; about 10 ms a label."""
    import weasyprint

    a_page = A_SHEET if paper is Paper.A4 else 1
    cells = [
        f'<div class="label"{_place(number) if paper is Paper.A4 else ""}>{one}</div>'
        for number, one in enumerate(labels)
    ]
    pages = ["".join(cells[start : start + a_page]) for start in range(0, len(cells), a_page)]
    body = "".join(f'<div class="sheet">{page}</div>' for page in pages)
    html = (
        f'<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLES[paper]}</style></head><body>{body}</body></html>"
    )
    made: bytes = weasyprint.HTML(string=html, url_fetcher=_fetch_nothing).write_pdf()
    return made


def _place(number: int) -> str:
    """Where a label stands on its sheet: in the middle of its cell, set by hand so that nothing wraps."""
    row, column = divmod(number % A_SHEET, _COLUMNS)
    left = column * _CELL_WIDTH_MM + (_CELL_WIDTH_MM - WIDTH_MM) / 2
    top = 0.5 + row * _CELL_HEIGHT_MM + (_CELL_HEIGHT_MM - HEIGHT_MM) / 2
    return f' style="left:{left}mm;top:{top}mm"'


def _fetch_nothing(url: str, *_: object, **__: object) -> NoReturn:
    raise ValueError(f"a label names another resource: {url[:64]}")
