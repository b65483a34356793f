"""A capture job as the EPCISCaptureJob of the XML schema."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from lxml import etree

from trace_core.epcis.json_writer import write_time
from trace_server.epcis_xml.extensions import is_text
from trace_server.epcis_xml.schema import EPCIS_2


@dataclass(frozen=True, slots=True)
class JobError:
    """One wrong event: `type` is an exception of the standard, `detail` names place and reason."""

    type: str
    title: str
    status: int
    detail: str


@dataclass(frozen=True, slots=True)
class JobState:
    """What the standard says of a job; `finished_at` is None while it runs."""

    capture_id: str
    created_at: datetime
    finished_at: datetime | None
    success: bool
    behaviour: str
    """Either "rollback" or "proceed"."""
    errors: Sequence[JobError] = ()


def write_job(job: JobState) -> bytes:
    """An EPCISCaptureJob document."""
    root = etree.Element(f"{{{EPCIS_2}}}EPCISCaptureJob", nsmap={"epcis": EPCIS_2})
    root.set("running", str(job.finished_at is None).lower())
    root.set("success", str(job.success).lower())
    root.set("captureID", job.capture_id)
    etree.SubElement(root, "captureErrorBehaviour").text = job.behaviour
    etree.SubElement(root, "createdAt").text = write_time(job.created_at)
    if job.finished_at is not None:
        etree.SubElement(root, "finishedAt").text = write_time(job.finished_at)
    if job.errors:
        errors = etree.SubElement(root, "errors")
        for error in job.errors:
            element = etree.SubElement(errors, "error")
            etree.SubElement(element, "type").text = error.type
            etree.SubElement(element, "title").text = error.title
            etree.SubElement(element, "status").text = str(error.status)
            etree.SubElement(element, "detail").text = error.detail if is_text(error.detail) else repr(error.detail)
    result: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return result
