"""D10 unknown origin 来源不明: a lot was taken in of which nobody tells where it comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from datetime import timedelta

from trace_core.ids.canonical import canonical_key
from trace_server.catalog import store as catalog
from trace_server.db import Connection
from trace_server.detect.detector import (
    Cleared,
    Detector,
    Evidence,
    Finding,
    History,
    Outcome,
    Param,
    SubjectKind,
    Window,
)
from trace_server.detect.history import histories, histories_of
from trace_server.detect.steps import RECEIPT, is_leaving_trade
from trace_server.ingest.model import LinkRole
from trace_server.ingest.rules import class_uri
from trace_server.ingest.store.parts import Part, bodies_with, members

DOCUMENTS = '"bizTransactionList"'
"""Delivery note, certificate, invoice: a receipt that names one tells where the goods come from."""


def find(conn: Connection, window: Window, params: Mapping[str, float]) -> Iterator[Outcome]:
    """Judge the lots that the window names, and those of the items that it makes."""
    known = histories(conn, window)
    lots = {history.lot for history in known.values() if history.lot is not None}
    uris = {canonical_key(uri): uri for lot in lots for uri in (class_uri(*lot),)}
    received = {key: one for key, one in histories_of(conn, window, uris).items() if _receipts(one.parts)}
    wrong = [one for one in known.values() if one.is_class and any(_is_receipt(part) for part in one.wrong)]
    if not received and not wrong:
        return
    registered = catalog.batches(conn, lots)
    made = members(conn, window.dialect, sorted(received))
    receipts = sorted({part.event_key for one in received.values() for part in _receipts(one.parts)})
    documented = bodies_with(conn, window.dialect, receipts, DOCUMENTS).keys()
    wait = timedelta(seconds=params["grace_s"])
    for key, one in sorted(received.items()):
        is_known = one.lot in registered or made.get(key, 0) > 0
        yield _judge(one, [] if is_known else _unexplained(one.parts, documented), wait)
    for one in wrong:
        if one.key not in received:
            yield Cleared(one.uri, "every receipt was declared an error")


def _judge(lot: History, receipts: Sequence[Part], wait: timedelta) -> Outcome:
    if not receipts:
        return Cleared(lot.uri, "registered, made or sent by an event that came later, or documented")
    return Finding(
        group_key=lot.uri,
        subject=receipts[0].biz_location or receipts[0].read_point or receipts[0].source,
        subject_kind=SubjectKind.ENTERPRISE,
        evidence=tuple(Evidence(part.event_key, part.event_time, part.read_point or "") for part in receipts),
        values={"grace_s": f"{wait.total_seconds():g}", "lot": lot.uri},
        provisional_until=min(part.record_time for part in receipts) + wait,
        is_due=False,
        is_whole=True,
    )


def _unexplained(parts: Sequence[Part], documented: Set[bytes]) -> list[Part]:
    """Receipts before which nobody made, sent or held the lot."""
    found = []
    for part in parts:
        if not _is_receipt(part):
            break  # the first that is no receipt tells where all later ones come from
        if part.event_key not in documented:
            found.append(part)
    return found


def _receipts(parts: Sequence[Part]) -> list[Part]:
    return [part for part in parts if _is_receipt(part)]


def _is_receipt(part: Part) -> bool:
    return part.role is LinkRole.OBJECT and part.biz_step in RECEIPT and not is_leaving_trade(part)


DETECTOR = Detector(
    id="D10",
    version=1,
    title_zh="来源不明",
    title_en="Unknown origin",
    subject_kind=SubjectKind.ENTERPRISE,
    guard="the alert waits for grace_s after the first receipt: documents and the sender's upload may be late; a lot "
    "that is registered, or was made or sent before, or whose receipt names a document is left out; single items "
    "are D01's",
    guard_zh="首次收货后等待 grace_s 再预警，因为单证和发货方的上报可能迟到；"
    "已登记的批次、此前已有生产或发货记录的批次、收货记录载明单证的批次除外；单件物品由 D01 判断",
    basis="食品安全法 art. 53; 农产品质量安全法 art. 38, 39",
    params=(Param("grace_s", 86_400, "s", "default, the office may change it: document upload grace 24 h"),),
    find=find,
)
