"""D16 missing certificate 缺少证明: goods go out or are sold without a document that their category must carry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import cache

from trace_server.catalog import store as catalog
from trace_server.catalog.model import Batch
from trace_server.catalog.profiles import CategoryProfile, load_profiles
from trace_server.db import Connection, Dialect
from trace_server.detect import store
from trace_server.detect.batches import BatchRule, batch_findings
from trace_server.detect.detector import Cleared, Detector, Outcome, Param, SubjectKind, Window
from trace_server.detect.model import AlertState
from trace_server.detect.steps import OUTBOUND, SALE, is_leaving_trade
from trace_server.ingest.model import LinkRole
from trace_server.ingest.store.parts import Part

RULE = "D16"
_MOVES = SALE | OUTBOUND
_GOODS = frozenset({LinkRole.OBJECT, LinkRole.CHILD, LinkRole.PARENT})


def find(conn: Connection, window: Window, params: Mapping[str, float]) -> Iterator[Outcome]:
    """Judge the sales and dispatches of everything that the window names."""
    papers = _Papers(conn)
    wait = timedelta(hours=params["wait_h"])

    def judge(part: Part, batch: Batch) -> str:  # noqa: ARG001 – contract of BatchRule
        return ", ".join(papers.missing(batch))

    def values(batch: Batch) -> Mapping[str, str]:
        return {"gtin": batch.gtin, "lot": batch.lot, "missing": ", ".join(papers.missing(batch))}

    marks = lambda batch: bool(papers.missing(batch))  # noqa: E731
    return batch_findings(conn, window, BatchRule(_moves, marks, judge, _group, _subject, values, wait=wait))


def sweep(conn: Connection, dialect: Dialect, now: datetime, params: Mapping[str, float]) -> Iterator[Outcome]:  # noqa: ARG001 – contract
    """Take back what is suspected of batches whose documents came in: no event tells of those."""
    papers = _Papers(conn)
    for state in (AlertState.WAITING, AlertState.OPEN):
        after: tuple[datetime, bytes] | None = None
        while page := store.alerts(conn, dialect, rule_id=RULE, state=state, after=after):
            after = page[-1].opened_at, page[-1].alert_key
            lots = {(one.values["gtin"], one.values["lot"]): one.group_key for one in page}
            for lot, batch in catalog.batches(conn, lots).items():
                if not papers.missing(batch):
                    yield Cleared(lots[lot], "the documents are registered now")


class _Papers:
    """Which documents a batch lacks, by the profile of its product's category on the day it was made."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._categories: dict[str, str] = {}

    def missing(self, batch: Batch) -> list[str]:
        """Kinds of documents, such as `food.factory_inspection`."""
        if batch.gtin not in self._categories:
            product = catalog.product(self._conn, batch.gtin)
            self._categories[batch.gtin] = product.category if product is not None else ""
        profile = _profiles().get(self._categories[batch.gtin])
        held = {one.kind for one in batch.certificates}
        return [
            rule.kind
            for rule in (profile.certificates if profile is not None else ())
            if rule.required and rule.starts <= batch.production_date and rule.kind not in held
        ]


@cache
def _profiles() -> Mapping[str, CategoryProfile]:
    return load_profiles()


def _moves(part: Part) -> bool:
    return part.role in _GOODS and part.biz_step in _MOVES and not is_leaving_trade(part)


def _group(part: Part, batch: Batch) -> str:  # noqa: ARG001 – contract of BatchRule
    return f"{batch.gtin}/{batch.lot}"


def _subject(part: Part, batch: Batch) -> str:  # noqa: ARG001 – contract of BatchRule
    return batch.producer_uscc


DETECTOR = Detector(
    id=RULE,
    version=1,
    title_zh="缺少证明",
    title_en="Missing certificate",
    subject_kind=SubjectKind.ENTERPRISE,
    guard="the alert waits until wait_h after the first dispatch; documents that are registered later close it; only "
    "kinds that the category requires since the day the batch was made; batches outside the register are not judged",
    guard_zh="首次发货后等满 wait_h 才预警；此后登记的单证会消除预警；"
    "只查自批次生产之日起该类别要求的单证种类；未登记的批次不予判断",
    basis="食品安全法 art. 51, 52; 药品管理法 art. 47; 农产品质量安全法 art. 38, 39; dated in trace_server/categories",
    params=(Param("wait_h", 24, "h", "default, the office may change it: 24 h for the upload of documents"),),
    find=find,
    sweep=sweep,
)
