"""A small world of goods: who makes what, in which batches, and where the goods went. The same seed, the same world.

Values only. Who plays it turns steps into EPCIS documents and tags in front of readers.
"""

from __future__ import annotations

from firmware_sim.world.generate import build_world
from firmware_sim.world.model import (
    Batch,
    BatchQuantity,
    Case,
    Commission,
    GatePassage,
    Item,
    Pack,
    Place,
    PlaceKind,
    Producer,
    Product,
    Ship,
    Step,
    Transform,
    World,
)

__all__ = [
    "Batch",
    "BatchQuantity",
    "Case",
    "Commission",
    "GatePassage",
    "Item",
    "Pack",
    "Place",
    "PlaceKind",
    "Producer",
    "Product",
    "Ship",
    "Step",
    "Transform",
    "World",
    "build_world",
]
