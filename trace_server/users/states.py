"""How an account comes to life and ends."""

from __future__ import annotations

from collections.abc import Mapping

from trace_server.users.model import UserEvent, UserState

TRANSITIONS: Mapping[UserState, Mapping[UserEvent, UserState]] = {
    UserState.INVITED: {
        UserEvent.JOIN: UserState.ACTIVE,
        UserEvent.INVITE: UserState.INVITED,
        UserEvent.DISABLE: UserState.DISABLED,
    },
    UserState.ACTIVE: {UserEvent.INVITE: UserState.INVITED, UserEvent.DISABLE: UserState.DISABLED},
    UserState.DISABLED: {UserEvent.INVITE: UserState.INVITED},
}
