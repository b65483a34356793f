"""The life of a gateway: state → event → next state."""

from __future__ import annotations

from trace_server.accounts.model import GatewayEvent, GatewayState

TRANSITIONS: dict[GatewayState, dict[GatewayEvent, GatewayState]] = {
    GatewayState.INVITED: {
        GatewayEvent.ENROL: GatewayState.PENDING,
        GatewayEvent.ENROL_APPROVED: GatewayState.ACTIVE,
        GatewayEvent.REVOKE: GatewayState.REVOKED,
    },
    GatewayState.PENDING: {
        GatewayEvent.ENROL: GatewayState.PENDING,
        GatewayEvent.ENROL_APPROVED: GatewayState.ACTIVE,
        GatewayEvent.APPROVE: GatewayState.ACTIVE,
        GatewayEvent.REVOKE: GatewayState.REVOKED,
    },
    # A replaced box enrols again with a new code; its new key needs a new approval.
    GatewayState.ACTIVE: {
        GatewayEvent.ENROL: GatewayState.PENDING,
        GatewayEvent.ENROL_APPROVED: GatewayState.ACTIVE,
        GatewayEvent.REVOKE: GatewayState.REVOKED,
    },
    GatewayState.REVOKED: {},
}
