"""A chain as SVG, laid out by Graphviz. The table of the same answer stands beside it wherever it is shown.

Every text is quoted by us and nothing in it becomes a link: `dot` would pass `javascript:` through.
"""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from trace_core.errors import Retryable, TooLarge
from trace_server.trace.model import Direction, NamedNode, Relation
from trace_server.trace.question import Answer

MAX_NODES: Final = 150
"""Above this nobody reads a picture: objects are then drawn as groups with counts."""
LIMIT_S: Final = 10.0
_FONT: Final = "Noto Sans CJK SC, Microsoft YaHei, PingFang SC, sans-serif"
_FILL: Final = {Relation.SELF: "#fde68a", Relation.CONTAINER: "#e5e7eb", Relation.LOT: "#dbeafe"}


class DotMissing(Retryable):
    """Graphviz did not answer; the chain itself is not affected."""

    code = "picture-unavailable"


def svg(answer: Answer) -> bytes:
    """The picture. Raises `DotMissing` without Graphviz or when it takes too long, `TooLarge` for too many groups."""
    try:
        done = subprocess.run(
            ["dot", "-Tsvg"],  # noqa: S607 – where a system keeps it is its own affair
            check=False,
            input=dot(answer).encode(),
            capture_output=True,
            timeout=LIMIT_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DotMissing("the picture could not be drawn", remedy="ask for the table, or install graphviz") from error
    if done.returncode != 0:
        raise DotMissing("the picture could not be drawn", remedy="ask for the table instead")
    return done.stdout


def dot(answer: Answer) -> str:
    """The graph in Graphviz' language: goods run from left to right, missing ways are dashed."""
    names, edges = _grouped(answer)
    if len(names) > MAX_NODES:
        raise TooLarge("too many groups for a picture", where="uri", remedy="lower the depth, or ask for the table")
    gaps = set(_gap_objects(answer))
    lines = [
        "digraph chain {",
        f"  rankdir=LR; node [shape=box style=filled fontname={_quoted(_FONT)} fontsize=11];",
    ]
    ids = {name: f"n{number}" for number, name in enumerate(sorted(names))}
    for name, (label, relation, members) in sorted(names.items()):
        dashed = ' style="filled,dashed"' if members & gaps else ""
        lines.append(
            f"  {ids[name]} [label={_quoted(label)} fillcolor={_quoted(_FILL.get(relation, '#ffffff'))}{dashed}];"
        )
    for (source, target, label), count in sorted(edges.items()):
        text = label if count == 1 else f"{label} ×{count}"
        lines.append(f"  {ids[source]} -> {ids[target]} [label={_quoted(text)} fontsize=9];")
    return "\n".join([*lines, "}"])


def groups(answer: Answer) -> list[tuple[str, tuple[str, ...]]]:
    """The boxes of the picture with the things in each, the largest first; one a thing up to `MAX_NODES` things."""
    found = [(label.replace("\n", " · "), tuple(sorted(members))) for label, _, members in _grouped(answer)[0].values()]
    return sorted(found, key=lambda one: (-len(one[1]), one[0]))


_Groups = dict[str, tuple[str, Relation, set[str]]]


def _grouped(answer: Answer) -> tuple[_Groups, Counter[tuple[str, str, str]]]:
    """What is drawn as one box each → label, relation, objects in it; and how often a way leads between two boxes."""
    by_object = len({entry.node.object_key for part in answer.parts for entry in part.nodes}) <= MAX_NODES
    sites = {step.uri: step.hop.place.name for step in answer.steps if step.hop.place}
    groups: _Groups = {}
    names: dict[bytes, str] = {}
    for entry in _all(answer):
        name = entry.uri or entry.node.object_key.hex()
        if not by_object and entry.node.relation is not Relation.SELF:
            name = f"{_product(entry.uri)}\n{entry.node.relation}\n{sites.get(entry.uri, '')}"
        names.setdefault(entry.node.object_key, name)
        _, _, members = groups.setdefault(names[entry.node.object_key], ("", entry.node.relation, set()))
        members.add(entry.uri)
    for name, (_, relation, members) in groups.items():
        label = _short(name) if len(members) == 1 or by_object else f"{_short(name)}\n×{len(members)}"
        groups[name] = (label, relation, members)
    return groups, _edges(answer, names)


def _edges(answer: Answer, names: dict[bytes, str]) -> Counter[tuple[str, str, str]]:
    edges: Counter[tuple[str, str, str]] = Counter()
    for part in answer.parts:
        for entry in part.nodes:
            node = entry.node
            if node.via is None or names[node.via] == names[node.object_key]:
                continue
            source, target = names[node.object_key], names[node.via]
            if part.direction is Direction.DOWNSTREAM:
                source, target = target, source
            amount = "" if node.quantity is None else f" {node.quantity:.15g} {node.uom}".rstrip()
            edges[source, target, f"{node.relation}{amount}"] += 1
    return edges


def _all(answer: Answer) -> Iterator[NamedNode]:
    for part in answer.parts:
        yield from part.nodes


def _gap_objects(answer: Answer) -> Iterable[str]:
    return (step.uri for step in answer.steps if step.hop.gap_before)


def _product(uri: str) -> str:
    """What a group is of: the identifier without the serial number of one thing."""
    return uri.split("/21/", 1)[0] if "/21/" in uri else uri.rsplit("/", 1)[0]


def _short(text: str) -> str:
    return text.removeprefix("https://id.gs1.org/")


def _quoted(text: str) -> str:
    """A string of the DOT language in which nothing is markup, escape or line end but our own line breaks."""
    safe = "".join(sign for sign in text if sign == "\n" or sign.isprintable())
    return '"' + safe.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
