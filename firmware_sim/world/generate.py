"""From a seed and a start to a whole world. No clock and no I/O: the same arguments give the same world."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from firmware_sim.world.catalogue import (
    BATCH_COUNTS,
    DEALERS,
    MARKET_GATE,
    PHARMACY_GATE,
    PLACES,
    PRODUCERS,
    PRODUCTS,
    RECIPES,
)
from firmware_sim.world.model import (
    Batch,
    BatchQuantity,
    Case,
    Commission,
    GatePassage,
    Item,
    Pack,
    Place,
    Producer,
    Product,
    Ship,
    Step,
    Transform,
    World,
)
from trace_core.ids.epc import decode, encode, encode_sgtin96

ITEMS_PER_BATCH = (2, 4)
"""Least and most tagged items of a batch in the demo; the lot itself is larger."""
SERIALS = (10**9, 2**38 - 1)
"""SGTIN-96 holds 38 bits; serials are drawn, never counted, so that nobody can guess the next one."""
BULK_KG = (3_000, 6_000)
MOST_OF_INPUT = 0.6
"""A batch never uses up more than this part of what is left of an input."""
LOT_UNITS = (120, 600)
PREFIX_DIGITS = 7
PASSAGE_EVERY_S = 2.0
OLDEST_DAYS = 4
"""A batch was made up to so many days (and a tenth of its shelf life) before the start."""


def build_world(seed: int, start: datetime, *, items_per_batch: tuple[int, int] = ITEMS_PER_BATCH) -> World:
    """Six producers, 40 batches and their way to the gates; `start` (aware) is when the first gate is passed.

    One batch of the first product is past its date at `start`. Raises `ValueError` for a naive `start`.
    """
    if start.tzinfo is None:
        raise ValueError("start must be an aware time")
    maker = _Maker(random.Random(seed), start.astimezone(UTC), items_per_batch)  # noqa: S311 - a repeatable world
    for product, count in zip(PRODUCTS, BATCH_COUNTS, strict=True):
        for number in range(count):
            maker.make(product, number)
    maker.pass_gates()
    ordered = sorted(maker.steps, key=lambda step: step.at)
    batches = tuple(batch for made in maker.batches.values() for batch in made)
    return World(maker.start, PRODUCERS, DEALERS, PLACES, PRODUCTS, batches, tuple(ordered))


@dataclass
class _Maker:
    """Draws in a fixed order; collects steps as it goes."""

    random: random.Random
    start: datetime
    items_per_batch: tuple[int, int]
    steps: list[Step] = field(default_factory=list)
    batches: dict[str, list[Batch]] = field(default_factory=dict)
    ready_at: dict[str, datetime] = field(default_factory=dict)
    """Class URI of a batch → when it can be used."""
    arriving: list[tuple[Place, Case, tuple[Item, ...]]] = field(default_factory=list)
    serials: set[int] = field(default_factory=set)
    left: dict[str, float] = field(default_factory=dict)
    """Class URI of a batch → how much of it no other batch has used."""

    def make(self, product: Product, number: int) -> None:
        """One batch, from its making to its way out of the producer's gate."""
        producer = next(p for p in PRODUCERS if p.uscc == product.producer_uscc)
        inputs = self._inputs(product)
        at = self._made_at(product, number, inputs)
        batch = self._batch(product, producer, at, number, most=self._most(inputs))
        self.batches.setdefault(product.gtin, []).append(batch)
        self.left[batch.class_uri] = float(batch.quantity)
        if inputs:
            used = self._use(batch, inputs)
            self.steps.append(Transform(at, producer.place, used, (_all_of(batch),)))
            at += timedelta(minutes=30)
        items = self._items(batch) if product.is_tagged else ()
        self.steps.append(Commission(at, producer.place, batch, items))
        self.ready_at[batch.class_uri] = at
        self._send(product, producer, batch, items, at)

    def pass_gates(self) -> None:
        """Everything shipped to a gate passes it after the start, in a drawn order."""
        self.random.shuffle(self.arriving)
        for number, (place, case, items) in enumerate(self.arriving):
            at = self.start + timedelta(seconds=number * PASSAGE_EVERY_S)
            self.steps.append(GatePassage(at, place, place.read_point, case, items))

    def _inputs(self, product: Product) -> list[tuple[Batch, float]]:
        recipe = RECIPES.get(product.gtin)
        if recipe is None:
            return []
        return [(max(self.batches[gtin], key=self._left), rate) for gtin, rate in recipe.inputs]

    def _left(self, batch: Batch) -> float:
        return self.left[batch.class_uri]

    def _most(self, inputs: Iterable[tuple[Batch, float]]) -> int:
        """Units that the inputs are enough for."""
        return min((int(self._left(batch) * MOST_OF_INPUT / rate) for batch, rate in inputs), default=10**9)

    def _use(self, output: Batch, inputs: Iterable[tuple[Batch, float]]) -> tuple[BatchQuantity, ...]:
        used = []
        for batch, rate in inputs:
            quantity = _text(int(output.quantity) * rate, batch.uom)
            self.left[batch.class_uri] -= float(quantity)
            used.append(BatchQuantity(batch, quantity, batch.uom))
        return tuple(used)

    def _made_at(self, product: Product, number: int, inputs: Iterable[tuple[Batch, float]]) -> datetime:
        """Before the start, after the inputs."""
        latest = self.start - timedelta(hours=8)
        if product is PRODUCTS[0] and number == 0:
            return latest - timedelta(days=product.shelf_days + 3)
        span = timedelta(days=min(OLDEST_DAYS, max(1, product.shelf_days // 10)))
        earliest = max([latest - span, *(self.ready_at[batch.class_uri] + timedelta(hours=2) for batch, _ in inputs)])
        return earliest + (latest - earliest) * self.random.random() * 0.5

    def _batch(self, product: Product, producer: Producer, at: datetime, number: int, *, most: int) -> Batch:
        made_on = at.date()
        lot = f"L{made_on:%y%m%d}{producer.company_prefix[-1]}{product.gtin[-3]}{number + 1:02d}"
        low, high = BULK_KG if product.uom else LOT_UNITS
        return Batch(
            gtin=product.gtin,
            lot=lot,
            producer_uscc=producer.uscc,
            production_date=made_on,
            expiry_date=made_on + timedelta(days=product.shelf_days),
            quantity=str(min(self.random.randrange(low, high, 10), most)),
            uom=product.uom,
            inspection_report_no=f"SL-{made_on:%Y%m%d}-{self.random.randrange(10_000, 100_000)}",
        )

    def _items(self, batch: Batch) -> tuple[Item, ...]:
        return tuple(self._item(batch) for _ in range(self.random.randint(*self.items_per_batch)))

    def _item(self, batch: Batch) -> Item:
        serial = self._new_serial(SERIALS)
        epc = encode_sgtin96(batch.gtin, serial, prefix_length=PREFIX_DIGITS)
        return Item(batch, serial, epc, decode(epc).uri)

    def _case(self, producer: Producer) -> Case:
        reference = self._new_serial((0, 10 ** (17 - PREFIX_DIGITS) - 1))
        epc = encode(f"urn:epc:tag:sscc-96:2.{producer.company_prefix}.{reference:0{17 - PREFIX_DIGITS}d}")
        decoded = decode(epc)
        return Case(str(decoded.digital_link).rpartition("/")[2], epc, decoded.uri)

    def _new_serial(self, limits: tuple[int, int]) -> int:
        while True:
            serial = self.random.randint(*limits)
            if serial not in self.serials:
                self.serials.add(serial)
                return serial

    def _send(self, product: Product, producer: Producer, batch: Batch, items: tuple[Item, ...], at: datetime) -> None:
        """Packed and shipped: single goods to a gate, bulk to the producer that uses it."""
        case = self._case(producer)
        destination = _destination(product, producer)
        bulk = () if items else (_all_of(batch),)
        self.steps.append(Pack(at + timedelta(minutes=30), producer.place, case, items, bulk))
        if destination is producer.place:
            return
        despatch_no = f"DN{at:%Y%m%d}{self.random.randrange(10_000, 100_000)}"
        self.steps.append(Ship(at + timedelta(hours=1), producer.place, destination, (case,), despatch_no))
        if items:
            self.arriving.append((destination, case, items))


def _destination(product: Product, producer: Producer) -> Place:
    if product.category == "drug":
        return PHARMACY_GATE
    if product.is_tagged:
        return MARKET_GATE
    made_of_it = {gtin for gtin, recipe in RECIPES.items() if any(used == product.gtin for used, _ in recipe.inputs)}
    users = {p.producer_uscc for p in PRODUCTS if p.gtin in made_of_it}
    return next((p.place for p in PRODUCERS if p.uscc in users), producer.place)


def _all_of(batch: Batch) -> BatchQuantity:
    return BatchQuantity(batch, batch.quantity, batch.uom)


def _text(amount: float, uom: str) -> str:
    """Whole units, or kilograms with one decimal."""
    return f"{amount:.1f}" if uom else str(max(1, round(amount)))
