"""Numbers with a UN/ECE Recommendation 20 unit code, compared across units of one dimension.

Source: UN/ECE Recommendation 20, revision 17 (2021), Annex I: codes and conversion factors to SI.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, NamedTuple


class Unit(NamedTuple):
    """`value × factor + offset` is the value in the unit that all of `dimension` share."""

    dimension: str
    factor: float
    offset: float = 0.0


_FAHRENHEIT: Final = 5 / 9
UNITS: Final[Mapping[str, Unit]] = {
    "KEL": Unit("temperature", 1),
    "CEL": Unit("temperature", 1, 273.15),
    "FAH": Unit("temperature", _FAHRENHEIT, 459.67 * _FAHRENHEIT),
    "KGM": Unit("mass", 1),
    "GRM": Unit("mass", 1e-3),
    "MGM": Unit("mass", 1e-6),
    "MC": Unit("mass", 1e-9),
    "TNE": Unit("mass", 1000),
    "DTN": Unit("mass", 100),
    "LBR": Unit("mass", 0.45359237),
    "ONZ": Unit("mass", 0.028349523125),
    "STN": Unit("mass", 907.18474),
    "LTN": Unit("mass", 1016.0469088),
    "MTR": Unit("length", 1),
    "KMT": Unit("length", 1000),
    "DMT": Unit("length", 0.1),
    "CMT": Unit("length", 0.01),
    "MMT": Unit("length", 1e-3),
    "4H": Unit("length", 1e-6),
    "INH": Unit("length", 0.0254),
    "FOT": Unit("length", 0.3048),
    "YRD": Unit("length", 0.9144),
    "SMI": Unit("length", 1609.344),
    "MTK": Unit("area", 1),
    "CMK": Unit("area", 1e-4),
    "HAR": Unit("area", 10_000),
    "MTQ": Unit("volume", 1),
    "LTR": Unit("volume", 1e-3),
    "DLT": Unit("volume", 1e-4),
    "CLT": Unit("volume", 1e-5),
    "MLT": Unit("volume", 1e-6),
    "HLT": Unit("volume", 0.1),
    "CMQ": Unit("volume", 1e-6),
    "DMQ": Unit("volume", 1e-3),
    "GLL": Unit("volume", 3.785411784e-3),
    "SEC": Unit("time", 1),
    "C26": Unit("time", 1e-3),
    "MIN": Unit("time", 60),
    "HUR": Unit("time", 3600),
    "DAY": Unit("time", 86_400),
    "WEE": Unit("time", 604_800),
    "PAL": Unit("pressure", 1),
    "A97": Unit("pressure", 100),
    "KPA": Unit("pressure", 1000),
    "MPA": Unit("pressure", 1e6),
    "BAR": Unit("pressure", 1e5),
    "MBR": Unit("pressure", 100),
    "ATM": Unit("pressure", 101_325),
    "P1": Unit("ratio", 0.01),
    "59": Unit("ratio", 1e-6),
    "61": Unit("ratio", 1e-9),
    "C62": Unit("ratio", 1),
    "MTS": Unit("speed", 1),
    "KMH": Unit("speed", 1 / 3.6),
    "HM": Unit("speed", 0.44704),
    "MSK": Unit("acceleration", 1),
    "K40": Unit("acceleration", 9.80665),
    "JOU": Unit("energy", 1),
    "KJO": Unit("energy", 1000),
    "WHR": Unit("energy", 3600),
    "KWH": Unit("energy", 3.6e6),
    "WTT": Unit("power", 1),
    "KWT": Unit("power", 1000),
    "VLT": Unit("voltage", 1),
    "2Z": Unit("voltage", 1e-3),
    "AMP": Unit("current", 1),
    "4K": Unit("current", 1e-3),
    "LUX": Unit("illuminance", 1),
    "HTZ": Unit("frequency", 1),
    "KHZ": Unit("frequency", 1000),
    "DD": Unit("angle", math.pi / 180),
    "C81": Unit("angle", 1),
}


def convert(value: float, source: str | None, target: str | None, *, is_difference: bool = False) -> float | None:
    """`value` of unit `source` in unit `target`; None when one is no measure of the other.

    A code that the table lacks is comparable with itself only. `is_difference` leaves the zero point out: a standard
    deviation of 1 °C is one of 1 K. The result is rounded to 12 significant digits, so that 5 °C is 278.15 K.
    """
    if source == target:
        return value
    have, want = UNITS.get(source or ""), UNITS.get(target or "")
    if have is None or want is None or have.dimension != want.dimension:
        return None
    shift = 0.0 if is_difference else have.offset - want.offset
    return float(f"{(value * have.factor + shift) / want.factor:.12g}")
