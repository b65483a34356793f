"""The life of a policy version as a table (domain rules §4.2). A rollback is a new version."""

from __future__ import annotations

from collections.abc import Mapping

from trace_server.policies.model import PolicyEvent, PolicyState

_BACK = {PolicyEvent.RETURN: PolicyState.DRAFT, PolicyEvent.WITHDRAW: PolicyState.WITHDRAWN}
TRANSITIONS: Mapping[PolicyState, Mapping[PolicyEvent, PolicyState]] = {
    PolicyState.DRAFT: {
        PolicyEvent.EDIT: PolicyState.DRAFT,
        PolicyEvent.SIMULATE: PolicyState.SIMULATED,
        PolicyEvent.WITHDRAW: PolicyState.WITHDRAWN,
    },
    PolicyState.SIMULATED: {
        PolicyEvent.SIMULATE: PolicyState.SIMULATED,
        PolicyEvent.REVIEW: PolicyState.REVIEWED,
        **_BACK,
    },
    PolicyState.REVIEWED: {
        PolicyEvent.APPROVE: PolicyState.REVIEWED,
        PolicyEvent.COMPLETE: PolicyState.APPROVED,
        **_BACK,
    },
    PolicyState.APPROVED: {PolicyEvent.ACTIVATE: PolicyState.ACTIVE, **_BACK},
    PolicyState.ACTIVE: {
        PolicyEvent.SUPERSEDE: PolicyState.SUPERSEDED,
        # Only while its first day is ahead.
        PolicyEvent.WITHDRAW: PolicyState.WITHDRAWN,
    },
    PolicyState.SUPERSEDED: {},
    PolicyState.WITHDRAWN: {},
}
