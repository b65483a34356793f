"""The lives of a mark and of a takedown notice as tables."""

from __future__ import annotations

from collections.abc import Mapping

from trace_server.shops.model import MarkEvent, MarkState, NoticeEvent, NoticeState

MARKS: Mapping[MarkState, Mapping[MarkEvent, MarkState]] = {
    MarkState.PENDING: {MarkEvent.CONFIRM: MarkState.ACTIVE, MarkEvent.REVOKE: MarkState.REVOKED},
    MarkState.ACTIVE: {MarkEvent.SUSPEND: MarkState.SUSPENDED, MarkEvent.REVOKE: MarkState.REVOKED},
    MarkState.SUSPENDED: {MarkEvent.RESUME: MarkState.ACTIVE, MarkEvent.REVOKE: MarkState.REVOKED},
    MarkState.REVOKED: {},
}
NOTICES: Mapping[NoticeState, Mapping[NoticeEvent, NoticeState]] = {
    NoticeState.ISSUED: {NoticeEvent.ANSWER: NoticeState.ANSWERED, NoticeEvent.LIFT: NoticeState.LIFTED},
    NoticeState.ANSWERED: {NoticeEvent.ANSWER: NoticeState.ANSWERED, NoticeEvent.LIFT: NoticeState.LIFTED},
    NoticeState.LIFTED: {},
}
