"""The shares of a chain: reads the transformations around it, once for all, and lets `allocating` share them out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from trace_server.db import Connection, Dialect
from trace_server.ingest.store.events import objects
from trace_server.ingest.store.parts import members
from trace_server.trace.allocating import Amount, Entry, Flows, Transformation
from trace_server.trace.model import Chain, Direction, Group, Link, LinkRole, Relation
from trace_server.trace.reading import Reading

Shares = Mapping[bytes, tuple[Amount, ...]]
_ENDS = frozenset({LinkRole.INPUT, LinkRole.OUTPUT})
PIECES = frozenset({"", "H87", "EA", "C62"})
"""Units that count things: none, piece, each, one (UN/ECE rec. 20)."""


def shares(conn: Connection, dialect: Dialect, reading: Reading, direction: Direction, chain: Chain) -> Shares:
    """Object → upstream how much of it is in the goods asked for, downstream how much of these is in it.

    What is told in no quantity, or went through no transformation, has none.
    """
    keys = {link.peer_key for _, link in chain.links if link.role in _ENDS and link.peer_key is not None}
    if not keys:
        return {}
    asked = _asked(chain)
    if direction is Direction.DOWNSTREAM:
        lots = {(node.object_key, node.via) for node in chain.nodes if node.relation is Relation.MEMBER}
        return read_flows(conn, dialect, reading, keys, lots=lots).contained(asked)
    has_lots = any(node.relation is Relation.LOT for node in chain.nodes)
    flows = read_flows(conn, dialect, reading, keys, asked if has_lots else ())
    targets = dict.fromkeys(asked, 1.0)
    for item in sorted(asked):
        for lot, piece in flows.lots.get(item, ()):
            if lot not in asked:
                targets[lot] = min(1.0, targets.get(lot, 0.0) + piece)
    return flows.used_for(targets)


def read_flows(
    conn: Connection,
    dialect: Dialect,
    reading: Reading,
    transformations: Iterable[bytes],
    goods: Iterable[bytes] = (),
    *,
    lots: Iterable[tuple[bytes, bytes | None]] = (),
) -> Flows:
    """These transformations, which stand, and all others that used or made what went into them.

    `goods` are things whose lots matter too; `lots` are (item, lot) pairs that are known already.
    """
    keys = set(transformations)
    used = {key for group in reading.inputs(sorted(keys)) for key in group.objects}
    around = _each(reading.links(sorted(used | set(goods))))
    keys |= {link.peer_key for _, link in around if link.role in _ENDS and link.peer_key is not None}
    inputs, outputs = _each(reading.inputs(sorted(keys))), _each(reading.outputs(sorted(keys)))
    bare = sorted({key for key, link in (*inputs, *outputs) if link.quantity is None})
    things = {key for key, named in objects(conn, dialect, bare).items() if not named.is_class}
    pairs = {(key, link.peer_key) for key, link in around if link.role is LinkRole.MEMBER} | set(lots)
    return Flows(_transformations(inputs, outputs, things), _lots(conn, dialect, pairs, outputs))


def _each(groups: Iterable[Group]) -> list[tuple[bytes, Link]]:
    return [(key, group.link) for group in groups for key in group.objects]


def _asked(chain: Chain) -> frozenset[bytes]:
    """The goods asked for, what is inside them, and the members of the lot asked for; not what was made of them."""
    found: set[bytes] = set()
    for node in chain.nodes:
        inside = node.relation in (Relation.CONTENT, Relation.MEMBER) and node.via in found and not node.is_input
        if node.relation is Relation.SELF or inside:
            found.add(node.object_key)
    return frozenset(found)


def _transformations(
    inputs: Iterable[tuple[bytes, Link]], outputs: Iterable[tuple[bytes, Link]], things: Collection[bytes]
) -> dict[bytes, Transformation]:
    sides: dict[bytes, tuple[list[Entry], list[Entry]]] = defaultdict(lambda: ([], []))
    for side, links in enumerate((inputs, outputs)):
        for key, link in links:
            if link.peer_key is not None:
                quantity = 1.0 if link.quantity is None and key in things else link.quantity
                sides[link.peer_key][side].append(Entry(key, link.event_time, quantity, link.uom))
    return {
        key: Transformation(key, tuple(sorted(used, key=_order)), tuple(sorted(made, key=_order)))
        for key, (used, made) in sides.items()
    }


def _order(entry: Entry) -> tuple[object, ...]:
    return (entry.event_time, entry.key, entry.uom, -1.0 if entry.quantity is None else entry.quantity)


def _lots(
    conn: Connection,
    dialect: Dialect,
    pairs: Iterable[tuple[bytes, bytes | None]],
    outputs: Iterable[tuple[bytes, Link]],
) -> dict[bytes, tuple[tuple[bytes, float], ...]]:
    """Item → its lots, each with the part that one item is: of all members, or of all pieces when those are more."""
    known = sorted({(item, lot) for item, lot in pairs if lot is not None})
    sizes: dict[bytes, float] = {
        lot: float(count) for lot, count in members(conn, dialect, sorted({lot for _, lot in known})).items()
    }
    pieces: dict[bytes, float] = defaultdict(float)
    for key, link in outputs:
        if link.uom in PIECES and link.quantity is not None:
            pieces[key] += link.quantity
    found: dict[bytes, list[tuple[bytes, float]]] = defaultdict(list)
    for item, lot in known:
        found[item].append((lot, 1 / max(sizes.get(lot, 0.0), pieces.get(lot, 0.0), 1.0)))
    return {item: tuple(own) for item, own in found.items()}
