"""Words for stable names, marked for translation; the pages translate them."""

from __future__ import annotations

from collections.abc import Mapping

from trace_server.catalog.model import SubjectStatus
from trace_server.credit.model import Severity


def _(text: str) -> str:
    """Marks a text for the catalog."""
    return text


SUBJECT_STATUS: Mapping[str, str] = {
    SubjectStatus.ACTIVE: _("存续"),
    SubjectStatus.ABNORMAL: _("经营异常"),
    SubjectStatus.REVOKED: _("已吊销"),
    SubjectStatus.CLOSED: _("已注销"),
}
SEVERITY: Mapping[str, str] = {
    Severity.MINOR: _("轻微"),
    Severity.GENERAL: _("一般"),
    Severity.SERIOUS: _("严重"),
}
