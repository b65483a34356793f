"""How much of what was used up is in what was made, through splits and mixing: shares in proportion to what was made.

Each transformation shares its inputs out over its outputs: by quantity when all outputs are measured in one dimension,
by count otherwise. Goods that are used in several places take their ingredients with them in proportion. Nothing is
ever added across dimensions. It is arithmetic over the records, no measurement of the goods: a recall goes by the
chain alone (any share taints).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from trace_core.epcis.units import UNITS, convert

_WHOLE = 1 - 1e-9


class Basis(StrEnum):
    """How a quantity is known."""

    MEASURED = "measured"
    """As recorded: all of it went this way."""
    ALLOCATED = "allocated"
    """Shared out in proportion."""


@dataclass(frozen=True, slots=True)
class Amount:
    """`quantity` in `uom` (UN/ECE rec. 20 code, "" for pieces)."""

    quantity: float
    uom: str
    basis: Basis


@dataclass(frozen=True, slots=True)
class Entry:
    """One input or output of a transformation; `quantity` None: not recorded. A single item is one piece."""

    key: bytes
    event_time: datetime
    quantity: float | None
    uom: str = ""


@dataclass(frozen=True, slots=True)
class Transformation:
    """What one transformation used and made, in all events that tell it."""

    key: bytes
    inputs: tuple[Entry, ...]
    outputs: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Flows:
    """The transformations around some goods, and `lots`: item → (lot, what part of the lot one item is)."""

    transformations: Mapping[bytes, Transformation]
    lots: Mapping[bytes, tuple[tuple[bytes, float], ...]] = field(default_factory=dict)

    def used_for(self, targets: Mapping[bytes, float]) -> dict[bytes, tuple[Amount, ...]]:
        """Input → how much of it is in the goods `targets` (object → what part of it is meant, 0 to 1)."""
        users = self._users(self._made())
        done: dict[bytes, list[float]] = {}
        ways: dict[bytes, list[tuple[float, bytes]]] = {}
        for key, one in self.transformations.items():
            done[key], ways[key] = [], []
            for output, weight in zip(one.outputs, weights(one.outputs), strict=True):
                if output.key in targets:
                    done[key].append(weight * targets[output.key])
                    continue
                later = [use for use in users[output.key] if use.entry.event_time >= output.event_time]
                ways[key] += [(weight * use.part, use.transformation) for use in later]
        reach: dict[bytes, float] = {}
        for key in _in_order(ways):
            onward = [weight * reach.get(user, 0.0) for weight, user in ways[key]]
            reach[key] = min(1.0, math.fsum(done[key] + onward))
        loads: dict[bytes, _Load] = defaultdict(_Load)
        for key, share in sorted(reach.items()):
            for entry in self.transformations[key].inputs:
                if share > 0 and entry.quantity is not None:
                    loads[entry.key].add(entry.quantity * share, entry.uom, is_exact=share >= _WHOLE)
        return _amounts(loads)

    def contained(self, sources: Iterable[bytes]) -> dict[bytes, tuple[Amount, ...]]:
        """Output → how much of the goods `sources` is in it, in the units in which they were used."""
        wanted = frozenset(sources)
        made = self._made()
        ways: dict[bytes, list[tuple[float, bytes]]] = {key: [] for key in self.transformations}
        for name, uses in self._users(made).items():
            for use in uses:
                if use.entry.key not in wanted:
                    before = [one for one in made[name] if one.entry.event_time <= use.entry.event_time]
                    ways[use.transformation] += [(one.part * use.part, one.transformation) for one in before]
        carried: dict[bytes, _Load] = {}
        for key in _in_order(ways):
            load = _Load()
            for entry in self.transformations[key].inputs:
                if entry.key in wanted and entry.quantity is not None:
                    load.add(entry.quantity, entry.uom, is_exact=True)
            for weight, maker in ways[key]:
                load.take(carried.get(maker), weight)
            carried[key] = load
        loads: dict[bytes, _Load] = defaultdict(_Load)
        for name, makings in made.items():
            for one in makings:
                if name not in wanted:
                    loads[name].take(carried[one.transformation], one.part)
        self._share_out(loads, wanted)
        return _amounts(loads)

    def _share_out(self, loads: dict[bytes, _Load], wanted: frozenset[bytes]) -> None:
        """To the items of lots that were made."""
        for item, pieces in self.lots.items():
            if item in loads or item in wanted:
                continue
            for lot, piece in pieces:
                if lot in loads:
                    loads[item].take(loads[lot], piece)

    def _made(self) -> dict[bytes, list[_Step]]:
        """Object → what made it, each with the part of the inputs that went into it."""
        found: dict[bytes, list[_Step]] = defaultdict(list)
        for key, one in sorted(self.transformations.items()):
            for output, weight in zip(one.outputs, weights(one.outputs), strict=True):
                found[output.key].append(_Step(key, output, weight))
        return found

    def _users(self, made: Mapping[bytes, Sequence[_Step]]) -> dict[bytes, list[_Step]]:
        """Object → what used it or items of it, each with the part of the object that it took."""
        uses: dict[bytes, list[tuple[bytes, Entry]]] = defaultdict(list)
        for key, one in sorted(self.transformations.items()):
            for entry in one.inputs:
                uses[entry.key].append((key, entry))
        found: dict[bytes, list[_Step]] = defaultdict(list)
        for name, own in sorted(uses.items()):
            parts = _fractions([entry for _, entry in own], [step.entry for step in made.get(name, ())])
            for (key, entry), part in zip(own, parts, strict=True):
                for origin, piece in ((name, 1.0), *self.lots.get(name, ())):
                    found[origin].append(_Step(key, entry, part * piece))
        return found


class _Step(NamedTuple):
    """One object in one transformation. `part`: of the inputs that it holds, or of the object that was used."""

    transformation: bytes
    entry: Entry
    part: float


def weights(outputs: Sequence[Entry]) -> list[float]:
    """The share of each output, in sum 1: by quantity within one dimension, by count otherwise."""
    sizes = in_one_unit(outputs)
    total = math.fsum(sizes) if sizes is not None else 0.0
    if sizes is None or total <= 0:
        return [1 / len(outputs)] * len(outputs)
    return [size / total for size in sizes]


def in_one_unit(entries: Sequence[Entry]) -> list[float] | None:
    """Quantities in the unit of the first; None when one is unknown, negative or of another dimension."""
    found = []
    for entry in entries:
        size = None if entry.quantity is None else convert(entry.quantity, entry.uom, entries[0].uom)
        if size is None or size < 0:
            return None
        found.append(size)
    return found


def _fractions(uses: Sequence[Entry], makings: Sequence[Entry]) -> list[float]:
    """What part of an object each use takes: of all that was made of it, or of all uses when those are more."""
    sizes = in_one_unit([*uses, *makings])
    if sizes is None:
        return [1 / len(uses)] * len(uses)
    total = max(math.fsum(sizes[: len(uses)]), math.fsum(sizes[len(uses) :]))
    return [size / total if total > 0 else 1 / len(uses) for size in sizes[: len(uses)]]


def _in_order(ways: Mapping[bytes, Sequence[tuple[float, bytes]]]) -> Iterator[bytes]:
    """What is led to comes before what leads there; of a circle of rework the way back is left out."""
    seen: set[bytes] = set()
    for start in sorted(ways):
        if start in seen:
            continue
        seen.add(start)
        stack = [(start, iter(sorted(name for _, name in ways[start])))]
        while stack:
            name, rest = stack[-1]
            step = next((one for one in rest if one not in seen), None)
            if step is None:
                stack.pop()
                yield name
            else:
                seen.add(step)
                stack.append((step, iter(sorted(name for _, name in ways[step]))))


def unit_name(uom: str) -> str:
    """Equal for units that can be added."""
    unit = UNITS.get(uom)
    return uom if unit is None else unit.dimension


@dataclass(slots=True)
class _Load:
    """Sums, one for each dimension, in the unit that sorts first; only sums over sorted parts are asked for."""

    parts: dict[str, list[tuple[float, str, bool]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, quantity: float, uom: str, *, is_exact: bool) -> None:
        self.parts[unit_name(uom)].append((quantity, uom, is_exact))

    def take(self, other: _Load | None, weight: float) -> None:
        """`weight` of what `other` holds."""
        if other is None or weight <= 0:
            return
        for one in other.amounts():
            exact = one.basis is Basis.MEASURED and weight >= _WHOLE
            self.add(one.quantity * weight, one.uom, is_exact=exact)

    def amounts(self) -> tuple[Amount, ...]:
        found = []
        for name in sorted(self.parts):
            parts = [part for part in self.parts[name] if part[0] > 0]  # nothing of it says nothing of the unit
            if not parts:
                continue
            uom = min(uom for _, uom, _ in parts)
            total = math.fsum(convert(quantity, own, uom) or 0.0 for quantity, own, _ in parts)
            exact = all(is_exact for _, _, is_exact in parts)
            if total > 0:
                found.append(Amount(float(f"{total:.12g}"), uom, Basis.MEASURED if exact else Basis.ALLOCATED))
        return tuple(found)


def _amounts(loads: Mapping[bytes, _Load]) -> dict[bytes, tuple[Amount, ...]]:
    return {key: amounts for key, load in loads.items() if (amounts := load.amounts())}
