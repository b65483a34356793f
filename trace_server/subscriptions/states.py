"""The life of a subscription: state → event → next state."""

from __future__ import annotations

from trace_server.subscriptions.model import SubscriptionEvent, SubscriptionState

TRANSITIONS: dict[SubscriptionState, dict[SubscriptionEvent, SubscriptionState]] = {
    SubscriptionState.ACTIVE: {SubscriptionEvent.GIVE_UP: SubscriptionState.DEAD},
    SubscriptionState.DEAD: {SubscriptionEvent.RETRY: SubscriptionState.ACTIVE},
}
