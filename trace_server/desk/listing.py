"""The list of batches as a table to take away. Its first columns are those of an import file."""

from __future__ import annotations

from trace_server.desk.model import OwnBatch
from trace_server.desk.rules import COLUMNS as IMPORTED

COLUMNS = (*IMPORTED, "product", "recall_notice_no", "labels")


def row_of(one: OwnBatch) -> tuple[str, ...]:
    """A batch with its newest certificate; as long as `COLUMNS`."""
    batch = one.batch
    newest = max(batch.certificates, key=lambda paper: paper.issued_on, default=None)
    paper = (newest.kind, newest.number, newest.issuer, newest.issued_on.isoformat()) if newest else ("",) * 4
    seen = batch.inspection
    verdict = ("",) * 4
    if seen is not None:
        verdict = ("合格" if seen.passed else "不合格", seen.report_no, seen.body, seen.inspected_on.isoformat())
    return (
        batch.gtin, batch.lot, batch.production_date.isoformat(),
        batch.expiry_date.isoformat() if batch.expiry_date else "", batch.quantity, batch.uom, *paper, *verdict,
        one.product_name, batch.recall.notice_no if batch.recall else "", str(one.codes),
    )  # fmt: skip
