"""The steps of a chain: towards the sources, and towards the places where the goods went."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from trace_server.trace.frontier import Limits, Links, Reads, walk
from trace_server.trace.model import ALWAYS, BEGINNING, END, Chain, Interval, Link, LinkRole, Node, Relation
from trace_server.trace.rules import Stay, stays

_GOODS = frozenset({Relation.SELF, Relation.INPUT, Relation.CONTENT, Relation.OUTPUT, Relation.MEMBER})


def upstream(starts: Iterable[Node], reads: Reads, limits: Limits | None = None, *, contents: bool = False) -> Chain:
    """Containers while the goods were inside, inputs before their use, the way a lot was made.

    `contents`: what is inside the goods belongs to them too (a pallet as a whole); a code page asks about one item
    and leaves it out.
    """

    def expand(nodes: Sequence[Node], links: Links) -> Iterator[Node]:
        links.load_inputs(
            link.event_key for node in nodes for link in links.by_object[node.object_key] if _is_made(node, link)
        )
        if contents:
            _load_contents([node.object_key for node in nodes if node.relation in _GOODS], links)
        for node in nodes:
            yield from _sources(node, links)
            if contents and node.relation in _GOODS:
                yield from _contents(node, links, before=True)

    return walk(starts, reads, limits or Limits(), expand)[0]


def downstream(starts: Iterable[Node], reads: Reads, limits: Limits | None = None) -> Chain:
    """Containers while the goods were inside, what was inside them and went its own way, members of lots, and all
    that was made from any of these.
    """

    def expand(nodes: Sequence[Node], links: Links) -> Iterator[Node]:
        links.load_outputs(
            link.event_key for node in nodes for link in links.by_object[node.object_key] if _is_used(node, link)
        )
        _load_contents([node.object_key for node in nodes if node.relation in _GOODS], links)
        for node in nodes:
            yield from _uses(node, links)
            if node.relation in _GOODS:
                yield from _contents(node, links, before=False)
                yield from _members(node, links)

    return walk(starts, reads, limits or Limits(), expand)[0]


def _load_contents(keys: Sequence[bytes], links: Links) -> None:
    links.load_parts(keys)
    links.load(link.object_key for key in keys for link in links.parts[key])


def _is_made(node: Node, link: Link) -> bool:
    return (
        link.role is LinkRole.OUTPUT
        and node.relation is not Relation.CONTAINER  # what the box is made of is no source of the goods
        and node.interval.holds(link.event_time)
    )


def _is_used(node: Node, link: Link) -> bool:
    return link.role is LinkRole.INPUT and node.interval.holds(link.event_time)


def _sources(node: Node, links: Links) -> Iterator[Node]:
    own = links.by_object[node.object_key]
    depth = node.depth + 1
    yield from _containers(node, links)
    for link in own:
        if link.role is LinkRole.MEMBER and link.peer_key is not None and node.relation is not Relation.CONTAINER:
            yield Node(link.peer_key, ALWAYS, Relation.LOT, depth, node.object_key, node.is_input)
        if _is_made(node, link):
            before = Interval(BEGINNING, link.event_time)
            for source in links.inputs[link.event_key]:
                yield Node(
                    source.object_key,
                    before,
                    Relation.INPUT,
                    depth,
                    node.object_key,
                    is_input=True,
                    event_key=link.event_key,
                    quantity=source.quantity,
                    uom=source.uom,
                )


def _uses(node: Node, links: Links) -> Iterator[Node]:
    yield from _containers(node, links)
    for link in links.by_object[node.object_key]:
        if not _is_used(node, link):
            continue
        for made in links.outputs[link.event_key]:
            yield Node(
                made.object_key,
                Interval(link.event_time, END),
                Relation.OUTPUT,
                node.depth + 1,
                node.object_key,
                event_key=link.event_key,
                quantity=made.quantity,
                uom=made.uom,
            )


def _containers(node: Node, links: Links) -> Iterator[Node]:
    if node.relation is Relation.LOT:
        return
    for stay in _stays(node.object_key, links):
        inside = stay.interval.cut(node.interval)
        if inside is not None:
            depth, via = node.depth + 1, node.object_key
            yield Node(stay.parent, inside, Relation.CONTAINER, depth, via, node.is_input, event_key=stay.event_key)


def _contents(node: Node, links: Links, *, before: bool) -> Iterator[Node]:
    """What was inside `node` while it counted: with its way until then, or with its way from then on."""
    children = {link.object_key for link in links.parts[node.object_key] if link.role is LinkRole.CHILD_ADD}
    for child in sorted(children):
        for stay in _stays(child, links):
            inside = stay.interval.cut(node.interval) if stay.parent == node.object_key else None
            if inside is None:
                continue
            counts = Interval(BEGINNING, inside.end) if before else Interval(inside.start, END)
            depth, via = node.depth + 1, node.object_key
            yield Node(child, counts, Relation.CONTENT, depth, via, node.is_input, event_key=stay.event_key)


def _members(node: Node, links: Links) -> Iterator[Node]:
    for link in links.parts[node.object_key]:
        if link.role is LinkRole.MEMBER and link in links.by_object[link.object_key]:  # not taken back
            depth, via = node.depth + 1, node.object_key
            yield Node(link.object_key, node.interval, Relation.MEMBER, depth, via, event_key=link.event_key)


def _stays(key: bytes, links: Links) -> list[Stay]:
    own = links.by_object[key]
    return stays(own, links.cleared({link.peer_key for link in own if link.role is LinkRole.CHILD_ADD}))
