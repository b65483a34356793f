"""The page of a rule in `docs/detectors/`, written from what the rule declares (`trace-server detectors docs`)."""

from __future__ import annotations

import importlib
import inspect

from trace_server.detect.detector import Detector, SubjectKind

_CONCERNS = {
    SubjectKind.ENTERPRISE: "An enterprise. A suspicion (疑似) for a person to look into; it never lowers a grade.",
    SubjectKind.DEVICE: "A device; it never counts against an enterprise.",
    SubjectKind.DATA: "Data; it never counts against an enterprise.",
}


def page(detector: Detector) -> str:
    """Markdown."""
    module = importlib.import_module(detector.module)
    told = inspect.cleandoc(module.__doc__ or "").replace("\n", " ").partition(": ")[2]
    lines = [f"# {detector.id} {detector.title_en} {detector.title_zh}", "", told[:1].upper() + told[1:], ""]
    lines += [f"- **Concerns:** {_CONCERNS[detector.subject_kind]}"]
    lines += [f"- **Guard against false alarms:** {detector.guard}."]
    lines += [f"- **Basis:** {detector.basis}.", f"- **Version:** {detector.version}.", ""]
    lines += ["| Parameter | Default | Unit | Basis |", "|---|---|---|---|"]
    lines += [f"| `{param.name}` | {param.default:g} | {param.unit} | {param.basis} |" for param in detector.params]
    return "\n".join(lines) + "\n"
