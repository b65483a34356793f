"""What the public hears of recalls: those that were announced, open and closed, for good."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from trace_server.catalog import store as catalog
from trace_server.db import Database
from trace_server.recall import store
from trace_server.recall.model import Recall, RecallState
from trace_server.recall.states import IN_FORCE

MAX_LOTS = 200
"""Batches named on the page of one recall; a code of any other batch leads there too."""


@dataclass(frozen=True, slots=True)
class ShownLot:
    """A recalled batch; names are "" for a product that the catalog does not have."""

    gtin: str
    lot: str
    name: str
    name_en: str


@dataclass(frozen=True, slots=True)
class ShownRecall:
    """A recall with its batches, nearest to its cause first; `more`: there are others."""

    recall: Recall
    lots: tuple[ShownLot, ...]
    more: bool


def newest(
    db: Database, *, after: tuple[datetime, str] | None = None, limit: int, is_open: bool | None = None
) -> list[Recall]:
    """Announced recalls, newest first; `after`: time of announcement and id of the last one seen."""
    with db.read() as conn:
        return store.announced(conn, after=after, limit=limit, is_open=is_open)


def one(db: Database, recall_id: str) -> ShownRecall | None:
    """One that was announced; None for a draft and for an unknown id."""
    with db.read() as conn:
        row = store.find(conn, recall_id)
        if row is None or row.state not in IN_FORCE:
            return None
        affected = store.affected_lots(conn, recall_id, MAX_LOTS + 1)
        named = [(lot.gtin, lot.lot) for lot in affected[:MAX_LOTS]] or list(row.scope.batches[:MAX_LOTS])
        products = {gtin: catalog.product(conn, gtin) for gtin in {gtin for gtin, _ in named}}
    lots = []
    for gtin, lot in named:
        known = products[gtin]
        lots.append(ShownLot(gtin, lot, known.name if known else "", known.name_en if known else ""))
    return ShownRecall(row, tuple(lots), more=len(affected) > MAX_LOTS)


def is_closed(recall: Recall) -> bool:
    """Goods are accounted for and disposed of; the notice stays."""
    return recall.state is RecallState.CLOSED
