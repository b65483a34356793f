"""Parts of a pure identity → GS1 Digital Link, one function a key.

One rule: company prefix, reference and the rest come as the URN shows them; the link has the check digit.
Source: GS1 Tag Data Standard 2.3, section 7 (correspondence to GS1 keys); Digital Link URI Syntax 1.4.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias
from urllib.parse import quote, unquote

from trace_core.ids.gs1 import check_value

BASE: Final = "https://id.gs1.org/"

Link: TypeAlias = Callable[[str, str, str], str]
"""(company prefix, reference, dotted rest without its first dot) → Digital Link."""


def sgtin(company: str, reference: str, serial: str) -> str:
    """AI 01 and 21; the reference starts with the indicator."""
    payload = reference[0] + company + reference[1:]
    shown = serial if serial.isalnum() else _escaped(serial)
    return f"https://id.gs1.org/01/{payload}{check_value(int(payload))}/21/{shown}"


def itip(company: str, reference: str, rest: str) -> str:
    """AI 8006 and 21; `rest` is piece, total, serial."""
    payload = reference[0] + company + reference[1:]
    piece, total, serial = rest.split(".", 2)
    return f"{BASE}8006/{payload}{check_value(int(payload))}{piece}{total}/21/{_escaped(serial)}"


def sscc(company: str, reference: str, _: str) -> str:
    """AI 00; the reference starts with the extension digit."""
    payload = reference[0] + company + reference[1:]
    return f"{BASE}00/{payload}{check_value(int(payload))}"


def sgln(company: str, reference: str, extension: str) -> str:
    """AI 414 and 254; extension 0 means none."""
    payload = company + reference
    tail = "" if extension == "0" else f"/254/{_escaped(extension)}"
    return f"{BASE}414/{payload}{check_value(int(payload))}{tail}"


def cpi(company: str, reference: str, serial: str) -> str:
    """AI 8010 and 8011."""
    return f"{BASE}8010/{company}{_escaped(reference)}/8011/{serial}"


def giai(company: str, reference: str, _: str) -> str:
    """AI 8004."""
    return f"{BASE}8004/{company}{_escaped(reference)}"


def numbered(ai: str) -> Link:
    """Keys of digits with a check digit and, behind it, a serial number or nothing (AI 253, 255, 8017, 8018, 8003)."""
    head = f"{BASE}{ai}/0" if ai == "8003" else f"{BASE}{ai}/"

    def link(company: str, reference: str, serial: str) -> str:
        payload = company + reference
        return f"{head}{payload}{check_value(int(payload))}{_escaped(serial)}"

    return link


def _escaped(shown: str) -> str:
    # a Digital Link escapes more characters than a URN does
    return shown if shown.isalnum() else quote(unquote(shown), safe="")
