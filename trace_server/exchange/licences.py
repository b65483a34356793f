"""Tells pullers of licences: what is new, what has changed.

The catalogue raises the revision of a subject with each change of its licences.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from trace_server.catalog.model import Licence
from trace_server.credit import shared
from trace_server.credit.model import Op, SharedVersion
from trace_server.credit.store import shared as told_before
from trace_server.exchange import store
from trace_server.services import Job, Services

EVERY_S: Final = 20.0
"""Within the minute that confirmation to push may take."""
BATCH: Final = 100
KIND: Final = "licence"
_KEYS: Final = ("许可编号", "统一社会信用代码")


def tell_licences(services: Services) -> int:
    """Tell what has changed since the last run; how many licences."""
    total = 0
    while True:
        with services.db.begin() as conn:
            changed = store.changed_subjects(conn, BATCH)
            if not changed:
                return total
            found = store.licences_of(conn, [uscc for uscc, _ in changed])
            keys = {shared.record_id_of(KIND, f"{uscc}\n{one.number}"): (uscc, one) for uscc, one in found}
            newest = told_before.newest_versions(conn, list(keys))
            last = {one.record_id: one for one, _ in told_before.versions(conn, list(newest.items())).values()}
            told = [
                _told(uscc, one, last.get(record_id))
                for record_id, (uscc, one) in sorted(keys.items())
                if record_id not in last or dict(last[record_id].record) != _fields(uscc, one)
            ]
            store.noted_subjects(conn, services.db.dialect, changed)
            total += len(shared.share_within(conn, services.db.dialect, services.clock(), told))


jobs: list[Job] = [Job("exchange-licences", EVERY_S, tell_licences)]


def _told(uscc: str, one: Licence, last: SharedVersion | None) -> shared.Told:
    return shared.Told(
        kind=KIND,
        key=f"{uscc}\n{one.number}",
        op=Op.UPSERT if last is None else Op.CORRECT,
        state=one.state.value,
        region=uscc[2:8],
        category="",
        department="",
        record=_fields(uscc, one),
        key_fields=_KEYS,
    )


def _fields(uscc: str, one: Licence) -> dict[str, str]:
    """Names as in the 2018 template of licences, as far as the register has them."""
    return {
        "统一社会信用代码": uscc,
        "许可编号": one.number,
        "许可证书名称": one.title,
        "许可机关": one.authority,
        "有效期自": _day(one.valid_from),
        "有效期至": _day(one.valid_to),
        "当前状态": one.state.value,
        "数据来源单位": one.source,
    }


def _day(day: date) -> str:
    return day.strftime("%Y/%m/%d")
