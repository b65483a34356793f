"""The steps of a chain: towards the sources, and towards the places where the goods went."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from trace_server.trace.frontier import Kind, Limits, Links, Reads, kind_of, walk
from trace_server.trace.model import ALWAYS, BEGINNING, END, Chain, Interval, Link, LinkRole, Node, Relation

make_node = Node._make  # a node of a tuple: faster where there are a hundred thousand


def upstream(starts: Iterable[Node], reads: Reads, limits: Limits | None = None, *, contents: bool = False) -> Chain:
    """Containers while the goods were inside, inputs before their use, the way a lot was made.

    `contents`: what is inside the goods belongs to them too (a pallet as a whole); a code page asks about one item
    and leaves it out.
    """

    def expand(nodes: Sequence[Node], links: Links) -> Iterable[Node]:
        links.load_inputs(
            _transformation(link)
            for node in nodes
            if node.relation is not Relation.CONTAINER
            for link in links.own[node.object_key].made
            if node.interval.holds(link.event_time)
        )
        if contents:
            boxes = (node.object_key for node in nodes if node.is_goods)
            _load_contents([key for key in boxes if links.own[key].is_container], links)
        found: list[Node] = []
        for node in _first_of_kind(nodes, links):
            _containers(node, links, found)
            if node.relation is not Relation.CONTAINER:  # what the box is made of is no source of the goods
                _sources(node, links, found)
        for node in nodes if contents else ():
            if node.is_goods and links.parts.get(node.object_key):
                _contents(node, links, found, before=True)
        return found

    return walk(starts, reads, limits or Limits(), expand)[0]


def downstream(starts: Iterable[Node], reads: Reads, limits: Limits | None = None) -> Chain:
    """Containers while the goods were inside, what was inside them and went its own way, members of lots, and all
    that was made from any of these.
    """
    return follow(starts, reads, limits)[0]


def follow(starts: Iterable[Node], reads: Reads, limits: Limits | None = None) -> tuple[Chain, Links]:
    """As `downstream`, with all links that were read on the way."""

    def expand(nodes: Sequence[Node], links: Links) -> Iterable[Node]:
        links.load_outputs(
            _transformation(link)
            for node in nodes
            for link in links.own[node.object_key].used
            if node.interval.holds(link.event_time)
        )
        goods = [node for node in nodes if node.is_goods]
        _load_contents([node.object_key for node in goods], links)
        found: list[Node] = []
        for node in _first_of_kind(nodes, links):
            _containers(node, links, found)
            _uses(node, links, found)
        for node in goods:
            if links.parts.get(node.object_key):
                _contents(node, links, found, before=False)
                _members(node, links, found)
        return found

    return walk(starts, reads, limits or Limits(), expand)


def _transformation(link: Link) -> bytes:
    """The node between inputs and outputs: several events may tell them (transformationID)."""
    return link.peer_key or link.event_key


def _first_of_kind(nodes: Sequence[Node], links: Links) -> Iterator[Node]:
    """Nodes come by key, so of many that lead to the same box, lot or output the first is its `via` anyhow."""
    known: set[Kind] = set()
    for node in nodes:
        kind = kind_of(node, links.own[node.object_key])
        if kind not in known:
            known.add(kind)
            yield node


def _used_until(used: Link, made: Link) -> datetime:
    """The way of an input ends where it is used; an event that tells only the use is still part of that way."""
    if used.event_key == made.event_key or used.event_time == END:
        return used.event_time
    return used.event_time + timedelta.resolution


def _load_contents(keys: Sequence[bytes], links: Links) -> None:
    links.load_parts(keys)
    links.load(child for key in keys for group in links.parts.get(key, ()) for child in group.objects)


def _sources(node: Node, links: Links, found: list[Node]) -> None:
    key, depth = node.object_key, node.depth + 1
    for link in links.own[key].lots:
        if link.peer_key is not None:
            found.append(Node(link.peer_key, ALWAYS, Relation.LOT, depth, key, node.is_input))
    for link in links.own[key].made:
        if not node.interval.holds(link.event_time):
            continue
        found += [
            Node(
                source,
                Interval(BEGINNING, _used_until(group.link, link)),
                Relation.INPUT,
                depth,
                key,
                is_input=True,
                event_key=group.link.event_key,
                quantity=group.link.quantity,
                uom=group.link.uom,
            )
            for group in links.inputs[_transformation(link)]
            for source in group.objects
        ]


def _uses(node: Node, links: Links, found: list[Node]) -> None:
    for link in links.own[node.object_key].used:
        if not node.interval.holds(link.event_time):
            continue
        found += [
            Node(
                made,
                Interval(group.link.event_time, END),
                Relation.OUTPUT,
                node.depth + 1,
                node.object_key,
                event_key=group.link.event_key,
                quantity=group.link.quantity,
                uom=group.link.uom,
            )
            for group in links.outputs[_transformation(link)]
            for made in group.objects
        ]


def _containers(node: Node, links: Links, found: list[Node]) -> None:
    if node.relation is Relation.LOT:
        return
    for stay in links.stays(node.object_key):
        inside = stay.interval.cut(node.interval)
        if inside is not None:
            depth, via = node.depth + 1, node.object_key
            found.append(
                Node(stay.parent, inside, Relation.CONTAINER, depth, via, node.is_input, event_key=stay.event_key)
            )


def _contents(node: Node, links: Links, found: list[Node], *, before: bool) -> None:
    """What was inside `node` while it counted: with its way until then, or with its way from then on."""
    key, depth = node.object_key, node.depth + 1
    packed = (group.objects for group in links.parts.get(key, ()) if group.link.role is LinkRole.CHILD_ADD)
    for child in {child for objects in packed for child in objects}:
        for stay in links.stays(child):
            inside = stay.interval.cut(node.interval) if stay.parent == key else None
            if inside is None:
                continue
            counts = Interval(BEGINNING, inside.end) if before else Interval(inside.start, END)
            found.append(Node(child, counts, Relation.CONTENT, depth, key, node.is_input, event_key=stay.event_key))


def _members(node: Node, links: Links, found: list[Node]) -> None:
    key, depth = node.object_key, node.depth + 1
    for group in links.parts.get(key, ()):
        link = group.link
        if link.role is not LinkRole.MEMBER:
            continue
        shared = {id(own): own for own in map(links.own.__getitem__, group.objects)}
        standing = {name for name, own in shared.items() if link in own.lots}  # not taken back
        about = (node.interval, Relation.MEMBER, depth, key, False, link.event_key, None, "")
        found += [
            make_node((child, *about))
            for child in group.objects
            if len(standing) == len(shared) or id(links.own[child]) in standing
        ]
