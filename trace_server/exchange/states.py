"""The way of a change to a receiver: state → event → next state."""

from __future__ import annotations

from collections.abc import Mapping

from trace_server.exchange.model import DeliveryEvent, DeliveryState

DELIVERIES: Mapping[DeliveryState, Mapping[DeliveryEvent, DeliveryState]] = {
    DeliveryState.WAITING: {
        DeliveryEvent.ACCEPT: DeliveryState.DELIVERED,
        DeliveryEvent.REFUSE: DeliveryState.WAITING,
        DeliveryEvent.GIVE_UP: DeliveryState.DEAD,
    },
    DeliveryState.HELD: {DeliveryEvent.FREE: DeliveryState.WAITING},
    DeliveryState.DEAD: {DeliveryEvent.REPLAY: DeliveryState.WAITING},
    DeliveryState.DELIVERED: {},
}
