"""Reads links and events for one question, without what error declarations took back or a second sender repeats."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set

from trace_server.db import Connection, Dialect
from trace_server.trace import rules, store
from trace_server.trace.model import EventRow, Group, LinkRole

CHECK_FROM = 1000
"""Unread events from which a walk checks as it goes: to walk a recall twice would cost more than the statement."""


class Reading:
    """Reads links and events of one question, without what error declarations took back."""

    def __init__(self, conn: Connection, dialect: Dialect) -> None:
        self._conn = conn
        self._dialect = dialect
        self.events: dict[bytes, EventRow] = {}
        self.keys: set[bytes] = set()
        self.link_count = 0
        self._first: dict[tuple[object, ...], bytes] = {}

    def links(self, objects: Sequence[bytes]) -> Iterable[Group]:
        return self._standing(self.read_links(objects))

    def inputs(self, events: Sequence[bytes]) -> Iterable[Group]:
        return self._told(self.read_ends(events, LinkRole.INPUT))

    def outputs(self, events: Sequence[bytes]) -> Iterable[Group]:
        return self._told(self.read_ends(events, LinkRole.OUTPUT))

    def parts(self, objects: Sequence[bytes]) -> Iterable[Group]:
        """Not filtered: who relies on one reads the own links of its object as well."""
        return store.parts_of(self._conn, self._dialect, objects)

    def _told(self, groups: list[Group]) -> list[Group]:
        """Of a transformation that several events tell, what none of them took back: the declarations name the
        objects, not the transformation. What one event tells stands as that event does, which is known already.
        """
        joined = [group for group in groups if group.link.peer_key != group.link.event_key]
        if not joined:
            return groups
        objects = sorted({key for group in joined for key in group.objects})
        named = self._standing(store.links_of(self._conn, self._dialect, objects))
        standing = {group.link.event_key for group in named}
        return [
            group for group in groups if group.link.peer_key == group.link.event_key or group.link.event_key in standing
        ]

    def _standing(self, groups: list[Group]) -> list[Group]:
        void = self.void({group.link.event_key for group in groups})
        return [group for group in groups if group.link.event_key not in void]

    def read_links(self, objects: Sequence[bytes]) -> list[Group]:
        """All links of the objects, whether they stand or not."""
        found = store.links_of(self._conn, self._dialect, objects)
        self.keys.update(objects)
        self.link_count += sum(len(group.objects) for group in found)
        return found

    def read_ends(self, events: Sequence[bytes], role: LinkRole) -> list[Group]:
        """All inputs or outputs of these transformations, whether they stand or not."""
        return store.made_or_used(self._conn, self._dialect, events, role)

    def forget_counts(self) -> None:
        """The same links will be read again."""
        self.keys.clear()
        self.link_count = 0

    def void(self, named: Set[bytes]) -> frozenset[bytes]:
        """Of these events, those that were taken back, and those that another one says already."""
        for event in store.events_of(self._conn, self._dialect, sorted(named - self.events.keys())):
            self.events[event.event_key] = event
        wrong = rules.retracted(self.events[key] for key in named if key in self.events)
        return wrong | self._recorded_again(named - wrong)

    def judge_anew(self, named: Set[bytes]) -> frozenset[bytes]:
        """As `void`, whatever was judged before: what counted then may have been taken back."""
        self._first.clear()
        return self.void(named)

    def _recorded_again(self, keys: Iterable[bytes]) -> frozenset[bytes]:
        """Of these events, those that another one says already; that one remembers who else recorded it."""
        again = set()
        for key in sorted(keys, key=lambda one: (self.events[one].record_time, one)):
            event = self.events[key]
            happening = rules.same_happening(event)
            first = key if happening is None else self._first.setdefault(happening, key)
            if first != key:
                again.add(key)
                kept = self.events[first]
                recorders = {*kept.also_by, event.source} - {kept.source}
                self.events[first] = kept._replace(also_by=tuple(sorted(recorders)))
        return frozenset(again)

    def checked_at_the_end(self) -> CheckedAtTheEnd:
        """For a walk."""
        return CheckedAtTheEnd(self)


class CheckedAtTheEnd:
    """The same for a walk, with fewer statements: links come as they stand in the table, and the events of all of
    them are read once, when nothing more is found. Only where one of them does not count the walk goes again.
    """

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._named: set[bytes] = set()
        self._given: set[bytes] = set()
        self._withheld: set[bytes] = set()
        self._void: frozenset[bytes] = frozenset()

    def links(self, objects: Sequence[bytes]) -> Iterable[Group]:
        return self._standing(self._reading.read_links(objects))

    def inputs(self, events: Sequence[bytes]) -> Iterable[Group]:
        return self._standing(self._reading.read_ends(events, LinkRole.INPUT))

    def outputs(self, events: Sequence[bytes]) -> Iterable[Group]:
        return self._standing(self._reading.read_ends(events, LinkRole.OUTPUT))

    def parts(self, objects: Sequence[bytes]) -> Iterable[Group]:
        return self._reading.parts(objects)

    def settled(self) -> bool:
        """Whether all that was given stands, and all that was withheld does not; if not, the walk starts again.

        Ends: what is judged only grows, and equal events are judged alike.
        """
        self._judge()
        given, withheld = self._given & self._void, self._withheld - self._void
        self._given, self._withheld = set(), set()
        if not given and not withheld:
            return True
        self._reading.forget_counts()
        return False

    def _standing(self, groups: list[Group]) -> list[Group]:
        named = {group.link.event_key for group in groups}
        self._named |= named
        if len(self._named) - len(self._reading.events) >= CHECK_FROM:
            self._judge()
        void = named & self._void
        self._withheld |= void
        self._given |= named - void
        return [group for group in groups if group.link.event_key not in void] if void else groups

    def _judge(self) -> None:
        self._void = self._reading.judge_anew(self._named)
