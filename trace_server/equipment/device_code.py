"""设备代码: 4 characters kind, 5 maker (2 region + 3 serial), 4 year, 5 serial; e.g. `215010890201500098`.

It has no check character: a wrong digit is found only by what it cannot be.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from trace_core.errors import IdentifierError

LENGTH = 18
FIRST_YEAR = 1950
_KIND = re.compile(r"[1-689][0-9]{3}\Z")
_MAKER = re.compile(r"[0-9]{2}[0-9A-Z]{3}\Z")
_DIGITS = re.compile(r"[0-9]+\Z")


class BadLengthError(IdentifierError):
    """Not 18 characters."""


class BadKindError(IdentifierError):
    """The first four characters name no kind of special equipment."""


class BadMakerError(IdentifierError):
    """Characters 5 to 9 cannot be a maker."""


class BadYearError(IdentifierError):
    """Characters 10 to 13 cannot be the year it was made."""


class BadSerialError(IdentifierError):
    """The last five characters are no number."""


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """A code that can be one, by its parts."""

    kind: str
    maker: str
    year: int
    serial: str

    def __str__(self) -> str:
        return f"{self.kind}{self.maker}{self.year:04}{self.serial}"


def parse(text: str, *, latest_year: int) -> DeviceCode:
    """Parts of a code; blanks and case as people type them. Raises a subclass of `IdentifierError` for each fault.

    `latest_year`: nothing was made after it.
    """
    code = "".join(text.split()).upper()
    if len(code) != LENGTH:
        raise BadLengthError(f"{text!r:.40} has {len(code)} characters", where="device_code", remedy="18 are needed")
    kind, maker, year, serial = code[:4], code[4:9], code[9:13], code[13:]
    if not _KIND.match(kind):
        raise BadKindError(
            f"{kind!r} is no kind of equipment", where="device_code", remedy="四位种类代码, e.g. 3110 for a lift"
        )
    if not _MAKER.match(maker):
        raise BadMakerError(f"{maker!r} is no maker", where="device_code", remedy="2 digits and 3 digits or letters")
    if not _DIGITS.match(year) or not FIRST_YEAR <= int(year) <= latest_year:
        raise BadYearError(
            f"{year!r} is no year of making", where="device_code", remedy=f"{FIRST_YEAR} to {latest_year}"
        )
    if not _DIGITS.match(serial):
        raise BadSerialError(f"{serial!r} is no serial number", where="device_code", remedy="5 digits")
    return DeviceCode(kind, maker, int(year), serial)
