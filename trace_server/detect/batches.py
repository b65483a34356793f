"""What several rules do: mark batches by their master data, and find the events that such goods had a part in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from trace_server.catalog import store as catalog
from trace_server.catalog.model import Batch
from trace_server.db import Connection
from trace_server.detect.detector import Evidence, Finding, History, Outcome, Seen, SubjectKind, Window, Withdrawn
from trace_server.detect.history import Lot, histories, histories_of, whole_events
from trace_server.ingest.model import LinkRole
from trace_server.ingest.store.parts import Part


@dataclass(frozen=True, slots=True)
class BatchRule:
    """A rule that follows from a batch's master data and one event."""

    takes: Callable[[Part], bool]
    """May the event show it, whatever the batch? E.g. a sale."""
    marks: Callable[[Batch], bool]
    """May goods of the batch be what is looked for? E.g. a recalled batch."""
    judge: Callable[[Part, Batch], str]
    """What was computed, empty: the event does not show it."""
    group: Callable[[Part, Batch], str]
    subject: Callable[[Part, Batch], str]
    values: Callable[[Batch], Mapping[str, str]]
    subject_kind: SubjectKind = SubjectKind.ENTERPRISE
    wait: timedelta | None = None
    """Nothing is suspected before this long after the first event that shows it: papers may come in."""


@dataclass(slots=True)
class _Found:
    """By group: the events that show it, and those that could."""

    evidence: dict[str, dict[bytes, Evidence]] = field(default_factory=lambda: defaultdict(dict))
    named: dict[str, tuple[str, Mapping[str, str]]] = field(default_factory=dict)
    possible: dict[str, set[bytes]] = field(default_factory=lambda: defaultdict(set))


def batches_of(conn: Connection, window: Window) -> Mapping[Lot, Batch]:
    """The registered batches of everything that the window names."""
    if window.memory.batches is None:
        own = histories(conn, window)
        window.memory.batches = catalog.batches(conn, {lot for history in own.values() for lot in history.lots})
    return window.memory.batches


def batch_findings(conn: Connection, window: Window, rule: BatchRule) -> Iterator[Outcome]:
    """Judge every event that an object of the window had a part in, each with all the objects it names.

    So the evidence of a group does not depend on which of its objects came last; what was found before and is not
    found now is withdrawn.
    """
    own = histories(conn, window)
    batches = batches_of(conn, window)
    found = _Found()
    suspects: dict[bytes, Part] = {}
    for history in own.values():
        known = [batches[lot] for lot in history.lots if lot in batches]
        for part in (*history.parts, *history.wrong):
            if not known or not rule.takes(part):
                continue
            for batch in known:
                found.possible[rule.group(part, batch)].add(part.event_key)
                # Goods of one lot get one judgement in one event: what none of ours shows, no other one does.
                if rule.marks(batch) and rule.judge(part, batch):
                    suspects[part.event_key] = part
    if suspects:
        _judge_events(conn, window, rule, suspects, found)
    yield from _outcomes(found, rule)


def _judge_events(
    conn: Connection, window: Window, rule: BatchRule, suspects: Mapping[bytes, Part], found: _Found
) -> None:
    events = whole_events(conn, window, suspects)
    uris = {ref.key: ref.uri for one in events for ref in one.objects}
    all_histories = histories_of(conn, window, uris)
    batches = catalog.batches(conn, {lot for history in all_histories.values() for lot in history.lots})
    for one in events:
        for part, lot in _parts(one, suspects[one.event.event_key], all_histories):
            batch = batches.get(lot)
            value = rule.judge(part, batch) if batch is not None and rule.takes(part) and rule.marks(batch) else ""
            if batch is None or not value:
                continue
            group = rule.group(part, batch)
            found.evidence[group][part.event_key] = Evidence(part.event_key, part.event_time, value)
            found.named[group] = rule.subject(part, batch), rule.values(batch)


def _parts(one: Seen, like: Part, known: Mapping[bytes, History]) -> Iterator[tuple[Part, Lot]]:
    """The part and lot of each object of an event that stands."""
    for ref in one.objects:
        history = known[ref.key]
        is_wrong = any(part.event_key == one.event.event_key for part in history.wrong)
        if history.lot is not None and not is_wrong:
            yield replace(like, object_key=ref.key, role=LinkRole[ref.role.name]), history.lot


def _outcomes(found: _Found, rule: BatchRule) -> Iterator[Outcome]:
    for group, evidence in sorted(found.evidence.items()):
        subject, values = found.named[group]
        shown = sorted(evidence.values(), key=lambda one: (one.event_time, one.event_key))
        yield Finding(
            group_key=group,
            subject=subject,
            subject_kind=rule.subject_kind,
            evidence=tuple(shown),
            values=values,
            provisional_until=None if rule.wait is None else shown[0].event_time + rule.wait,
            is_due=rule.wait is None,
        )
    for group, possible in sorted(found.possible.items()):
        none = frozenset(possible - found.evidence.get(group, {}).keys())
        if none:
            yield Withdrawn(group, none, "the events were declared wrong, or the goods are of another batch")
