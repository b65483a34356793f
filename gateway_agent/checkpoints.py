"""Kinds of checkpoints (domain.md §3.1): what a read point of each kind does unless its settings say otherwise.

A table of data: a row for each kind, a column for each setting of `[[read_point]]` that it presets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a read at this point means."""

    GATE = "gate"
    """Goods pass; the answer is about the goods."""
    PRE_CHECK = "pre_check"
    """A person examines the cylinder here; a read that is not refused is a passed check."""
    FILLING = "filling"
    """The cylinder is about to be filled (特种设备安全法 art. 49)."""
    ACT = "act"
    """A tag here has done what the read point `act_of` was asked about."""


class Report(StrEnum):
    """Which ends of a presence become events."""

    ARRIVE = "arrive"
    DEPART = "depart"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One kind. `presets` maps the name of a setting to its default there."""

    name: str
    title: str
    presets: Mapping[str, object]


CHECKPOINTS: tuple[Checkpoint, ...] = (
    Checkpoint(
        "market_gate",
        "批发市场入场 wholesale market gate: vehicles roll through a portal",
        {"presence_window_s": 60.0, "min_reads": 2, "rssi_min_dbm": -70.0, "biz_step": "receiving"},
    ),
    Checkpoint(
        "cold_store",
        "冷库、药库 cold store or drug warehouse: in and out through one door",
        {"presence_window_s": 20.0, "min_reads": 2, "rssi_min_dbm": -65.0, "report": "both", "biz_step": "storing"},
    ),
    Checkpoint(
        "processing_line",
        "屠宰、加工 slaughter and processing: one piece after the other, close to the antenna",
        {"presence_window_s": 3.0, "min_reads": 3, "rssi_min_dbm": -60.0, "biz_step": "commissioning"},
    ),
    Checkpoint(
        "retail",
        "零售、药房、接种点 retail, pharmacy, hospital: one unit on the counter",
        {"presence_window_s": 5.0, "min_reads": 1, "rssi_min_dbm": -50.0, "biz_step": "retail_selling"},
    ),
    Checkpoint(
        "filling_station",
        "充装站 filling station: the cylinder stands on the scale while it is filled",
        {"presence_window_s": 30.0, "min_reads": 2, "rssi_min_dbm": -55.0, "role": "filling", "report": "both"},
    ),
    Checkpoint(
        "equipment_site",
        "电梯、锅炉 equipment site: a person holds a reader to the plate",
        {"presence_window_s": 300.0, "min_reads": 1, "biz_step": "inspecting"},
    ),
    Checkpoint(
        "road_check",
        "路检、卡口 road or port check: fast, far, few reads",
        {"presence_window_s": 120.0, "min_reads": 1, "rssi_min_dbm": -75.0, "biz_step": "inspecting"},
    ),
    Checkpoint(
        "gi_market",
        "地标发标、市场 issue of GI tags and market: rolls and crates of tags, counted once",
        {"presence_window_s": 30.0, "min_reads": 2, "rssi_min_dbm": -60.0, "biz_step": "commissioning"},
    ),
)

BY_NAME: Mapping[str, Checkpoint] = {checkpoint.name: checkpoint for checkpoint in CHECKPOINTS}
