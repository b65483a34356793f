"""A report as a tagged PDF (PDF/UA-1) with Chinese fonts. Whatever a text says, nothing is fetched."""

from __future__ import annotations

import re
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Final

import qrcode
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from qrcode.constants import ERROR_CORRECT_M

from trace_core.errors import ConfigError, InputError
from trace_server.reports.model import Content, Kind, Report
from trace_server.reports.parts import day
from trace_server.workdays.rules import LEGAL_TIME

PREFERRED: Final = "Noto Sans CJK SC"
FONT_LOOKUP_S: Final = 20
MAX_WHOLE: Final = 4
_WHOLE: Final = re.compile(r"\d{4}年\d{1,2}月\d{1,2}日|[0-9A-Z]{18}|[A-Z]{0,4}\d{6,14}")


def html(report: Report, kind: Kind, content: Content, verify_url: str, *, key_id: str) -> str:
    """The report as the page that the PDF is made from."""
    if report.generated_at is None or report.valid_to is None:
        raise ValueError("a report is shown with its times")
    at = report.generated_at.astimezone(LEGAL_TIME)
    return (
        _environment()
        .get_template("reports/report.html")
        .render(
            report=report,
            kind=kind,
            content=content,
            made=f"{day(at.date())} {at:%H:%M}",
            until=day(report.valid_to),
            verify_url=verify_url,
            key_id=key_id,
            qr=Markup(qr_path(verify_url)),  # noqa: S704 – numbers and letters made here
            qr_size=_qr_size(verify_url),
            font=chinese_font(),
        )
    )


def pdf(page: str) -> bytes:
    """`page` as a PDF/UA-1 file. Raises `ConfigError` without a Chinese font."""
    # Loads Pango and takes a second: only who makes a file needs it.
    try:
        from weasyprint import HTML
        from weasyprint.urls import URLFetcher
    except OSError as error:
        raise ConfigError(
            "the library that makes PDF files is not whole", where="Pango", remedy="install libpango-1.0-0"
        ) from error

    class Refusing(URLFetcher):  # type: ignore[misc]
        """ASVS 1.3.6: a maker of PDF files may not fetch anything, not even from this host."""

        def fetch(self, url: str, _headers: object = None) -> object:
            """Raises `InputError` always."""
            raise InputError("a report loads nothing from outside", where=url[:64])

    chinese_font()
    made: bytes = HTML(string=page, base_url=None, url_fetcher=Refusing()).write_pdf(pdf_variant="pdf/ua-1")
    return made


@lru_cache(maxsize=1)
def chinese_font() -> str:
    """Name of an installed font family with Chinese letters. Raises `ConfigError` when there is none."""
    remedy = "install fonts-noto-cjk and fontconfig"
    try:
        done = subprocess.run(
            ["/usr/bin/fc-list", ":lang=zh-cn", "family"],
            capture_output=True, text=True, timeout=FONT_LOOKUP_S, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        raise ConfigError("cannot look for a Chinese font", where="/usr/bin/fc-list", remedy=remedy) from error
    families = sorted({line.split(",")[0].strip() for line in done.stdout.splitlines() if line.strip()})
    if not families:
        raise ConfigError("this machine has no font with Chinese letters", remedy=remedy)
    return PREFERRED if any(PREFERRED in line for line in done.stdout.splitlines()) else families[0]


def qr_path(text: str) -> str:
    """The QR code of `text` as an SVG path of 1 × 1 squares, quiet zone of 4."""
    return "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(_matrix(text)) for x, dark in enumerate(row) if dark)


def _matrix(text: str) -> list[list[bool]]:
    symbol = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=4)
    symbol.add_data(text)
    symbol.make(fit=True)
    found: list[list[bool]] = symbol.get_matrix()
    return found


def _qr_size(text: str) -> int:
    return len(_matrix(text))


def _is_whole(cell: str) -> bool:
    """Short words, days and codes look broken on two lines."""
    return len(cell) <= MAX_WHOLE or _WHOLE.fullmatch(cell) is not None


@lru_cache(maxsize=1)
def _environment() -> Environment:
    package = Path(__file__).resolve().parent.parent
    installed = package / "templates"
    folder = installed if installed.is_dir() else package.parent / "templates"
    made = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.tests["whole"] = _is_whole
    return made
