"""How a host comes into the register of targets and leaves it."""

from __future__ import annotations

from collections.abc import Mapping

from trace_server.resolver.model import HostEvent, HostState

TRANSITIONS: Mapping[HostState, Mapping[HostEvent, HostState]] = {
    HostState.PROPOSED: {HostEvent.APPROVE: HostState.APPROVED, HostEvent.WITHDRAW: HostState.WITHDRAWN},
    HostState.APPROVED: {HostEvent.WITHDRAW: HostState.WITHDRAWN},
    HostState.WITHDRAWN: {HostEvent.PROPOSE: HostState.PROPOSED},
}
