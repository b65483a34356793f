"""Pure identity → GS1 Digital Link, one function a URN scheme.

One rule: the URN comes from a decoder and is taken as valid; the link has the check digit.
Source: GS1 Tag Data Standard 2.3, section 7 (correspondence to GS1 keys); Digital Link URI Syntax 1.4.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias
from urllib.parse import quote, unquote

from trace_core.ids.gs1 import check_value

BASE: Final = "https://id.gs1.org/"

Link: TypeAlias = Callable[[str], str]
"""Dotted part of a URN, behind `urn:epc:id:<scheme>:` → Digital Link."""


def digital_link(uri: str) -> str | None:
    """The Digital Link of an EPC URN; None for identities that are no GS1 key (gid, adi, usdod)."""
    _, _, _, kind, body = uri.split(":", 4)
    link = LINKS.get(kind)
    return None if link is None else link(body)


def _sgtin(body: str) -> str:
    # the reference starts with the indicator, which the key has in front
    company, reference, serial = body.split(".", 2)
    return f"{BASE}01/{_keyed(reference[0] + company + reference[1:])}/21/{_escaped(serial)}"


def _itip(body: str) -> str:
    company, reference, piece, total, serial = body.split(".", 4)
    return f"{BASE}8006/{_keyed(reference[0] + company + reference[1:])}{piece}{total}/21/{_escaped(serial)}"


def _sscc(body: str) -> str:
    company, reference = body.split(".")
    return f"{BASE}00/{_keyed(reference[0] + company + reference[1:])}"


def _sgln(body: str) -> str:
    company, reference, extension = body.split(".", 2)
    # extension 0 means none (TDS 6.3.3)
    tail = "" if extension == "0" else f"/254/{_escaped(extension)}"
    return f"{BASE}414/{_keyed(company + reference)}{tail}"


def _cpi(body: str) -> str:
    company, reference, serial = body.split(".")
    return f"{BASE}8010/{company}{_escaped(reference)}/8011/{serial}"


def _giai(body: str) -> str:
    company, _, reference = body.partition(".")
    return f"{BASE}8004/{company}{_escaped(reference)}"


def _numbered(head: str) -> Link:
    """Keys of digits with a check digit and, behind it, a serial number or nothing."""

    def link(body: str) -> str:
        company, reference, *serial = body.split(".", 2)
        return f"{BASE}{head}{_keyed(company + reference)}{_escaped(serial[0]) if serial else ''}"

    return link


LINKS: Final[Mapping[str, Link]] = {
    "sgtin": _sgtin,
    "itip": _itip,
    "sscc": _sscc,
    "sgln": _sgln,
    "cpi": _cpi,
    "giai": _giai,
    "gdti": _numbered("253/"),
    "sgcn": _numbered("255/"),
    "gsrnp": _numbered("8017/"),
    "gsrn": _numbered("8018/"),
    "grai": _numbered("8003/0"),
}
"""Third part of the URN → its Digital Link."""


def _keyed(payload: str) -> str:
    return f"{payload}{check_value(int(payload))}"


def _escaped(shown: str) -> str:
    # a Digital Link escapes more characters than a URN does
    return shown if shown.isalnum() else quote(unquote(shown), safe="")
