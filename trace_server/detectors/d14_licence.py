"""D14 licence 无证生产: goods were made on a day on which none of their producer's licences held."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import cache

from trace_server.catalog import store as catalog
from trace_server.catalog.model import Batch, Licence, LicenceState
from trace_server.db import Connection
from trace_server.detect.batches import BatchRule, batch_findings
from trace_server.detect.detector import Detector, Outcome, Param, SubjectKind, Window
from trace_server.detect.steps import LEGAL_TIME, makes
from trace_server.ingest.store.parts import Part


def find(conn: Connection, window: Window, params: Mapping[str, float]) -> Iterator[Outcome]:
    """Judge the making of everything that the window names."""
    renewal = timedelta(days=params["renewal_days"])

    @cache
    def held(uscc: str) -> Sequence[Licence]:
        return catalog.licences(conn, uscc)

    def lapsed(part: Part, batch: Batch) -> str:
        day, licences = part.event_time.astimezone(LEGAL_TIME).date(), held(batch.producer_uscc)
        return "" if not makes(part) or any(_holds(one, day, renewal) for one in licences) else _last(licences)

    def unknown(part: Part, batch: Batch) -> str:  # noqa: ARG001 – contract of BatchRule
        return "no licence known" if makes(part) else ""

    yield from batch_findings(conn, window, _rule(lambda batch: bool(held(batch.producer_uscc)), lapsed))
    none_known = replace(
        _rule(lambda batch: not held(batch.producer_uscc), unknown, "?"), subject_kind=SubjectKind.DATA
    )
    yield from batch_findings(conn, window, none_known)


def _rule(marks: Callable[[Batch], bool], judge: Callable[[Part, Batch], str], mark: str = "") -> BatchRule:
    return BatchRule(
        takes=makes,
        marks=marks,
        judge=judge,
        group=lambda part, batch: batch.producer_uscc + mark,  # noqa: ARG005 – contract of BatchRule
        subject=lambda part, batch: batch.producer_uscc,  # noqa: ARG005
        values=lambda batch: {},  # noqa: ARG005
    )


def _holds(licence: Licence, day: date, renewal: timedelta) -> bool:
    """By its days. Of a licence that was taken away the register tells no day: it held until the register says so."""
    if licence.state is not LicenceState.VALID and day >= licence.as_of:
        return False
    return licence.valid_from <= day <= licence.valid_to + renewal


def _last(licences: Sequence[Licence]) -> str:
    last = max(licences, key=lambda one: (one.valid_to, one.number))
    return f"{last.number} {last.state.value} until {last.valid_to.isoformat()}"


DETECTOR = Detector(
    id="D14",
    version=1,
    title_zh="无有效许可证生产",
    title_en="No licence in force",
    subject_kind=SubjectKind.ENTERPRISE,
    also_kinds=(SubjectKind.DATA,),
    guard="the day of making counts; renewal_days after the last day are free for a renewal that is not registered "
    "yet; a producer of whom no licence is known at all is a gap in the register, not the producer's",
    guard_zh="以生产当日为准；最后有效日之后留出 renewal_days，以便登记尚未录入的延续；"
    "查不到任何许可证的生产者算登记缺口，不算其违规",
    basis="食品安全法 art. 35, 122; 药品管理法 art. 41",
    params=(Param("renewal_days", 0, "d", "食品安全法 art. 35: no making without licence; the office may set more"),),
    find=find,
    reads_licences=True,
)
