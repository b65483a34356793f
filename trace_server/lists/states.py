"""The life of a membership as a table."""

from __future__ import annotations

from collections.abc import Mapping

from trace_server.credit.model import Op
from trace_server.lists.model import ListEvent, ListState

TRANSITIONS: Mapping[ListState, Mapping[ListEvent, ListState]] = {
    ListState.PROPOSED: {
        ListEvent.NOTICE: ListState.NOTICED,
        ListEvent.LIST: ListState.LISTED,
        ListEvent.DROP: ListState.DROPPED,
    },
    ListState.NOTICED: {ListEvent.LIST: ListState.LISTED, ListEvent.DROP: ListState.DROPPED},
    ListState.LISTED: {
        ListEvent.REMOVE_EARLY: ListState.REMOVED_EARLY,
        ListEvent.EXPIRE: ListState.REMOVED_EXPIRED,
        ListEvent.CURE: ListState.CURED,
        ListEvent.REVOKE: ListState.REVOKED,
    },
    ListState.REMOVED_EARLY: {ListEvent.REVOKE: ListState.REVOKED},
    ListState.REMOVED_EXPIRED: {ListEvent.REVOKE: ListState.REVOKED},
    ListState.CURED: {ListEvent.REVOKE: ListState.REVOKED},
    ListState.DROPPED: {},
    ListState.REVOKED: {},
}
ENDS = frozenset({ListEvent.REMOVE_EARLY, ListEvent.EXPIRE, ListEvent.CURE, ListEvent.REVOKE})
OPS: Mapping[ListEvent, Op] = {
    ListEvent.LIST: Op.UPSERT,
    ListEvent.REMOVE_EARLY: Op.REPAIR,
    ListEvent.EXPIRE: Op.EXPIRE,
    ListEvent.CURE: Op.REPAIR,
    ListEvent.REVOKE: Op.WITHDRAW,
}
"""What the exchange tells pullers of a step."""
