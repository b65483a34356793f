"""Reports from request to verification, on both databases and with the real PDF maker."""

from __future__ import annotations

import io
from collections.abc import Callable

from pypdf import PdfReader

from tests.server.portal import make as trade
from tests.server.reports.conftest import OFFICE
from trace_server.credit.model import ViolationRecord
from trace_server.reports import operations
from trace_server.reports.model import Report, Standing
from trace_server.services import Services


def test_a_credit_report_holds_its_ten_parts_in_order_and_is_valid(
    outside: Services, penalty: ViolationRecord, issue: Callable[..., Report]
) -> None:
    made = issue()
    _, data = operations.download(outside, OFFICE, made.report_no)
    pdf = PdfReader(io.BytesIO(data))
    text = "".join(page.extract_text() for page in pdf.pages)
    assert operations.verify(outside, made.report_no).standing is Standing.VALID
    assert trade.PRODUCER in text
