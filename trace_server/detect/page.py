"""The pages of the rules in `docs/`, written from what each rule declares (`trace-server detectors docs`)."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterable, Mapping

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
    also = "".join(f" Some findings: {_CONCERNS[kind]}" for kind in detector.also_kinds)
    lines += [f"- **Concerns:** {_CONCERNS[detector.subject_kind]}{also}"]
    lines += [f"- **Severity:** {detector.severity.value}, the order in which alerts are looked at."]
    lines += [f"- **Guard against false alarms:** {detector.guard}.", f"- **防误报：** {detector.guard_zh}。"]
    lines += [f"- **Basis:** {detector.basis}.", f"- **Version:** {detector.version}.", ""]
    lines += ["| Parameter | Default | Unit | Basis |", "|---|---|---|---|"]
    lines += [f"| `{param.name}` | {param.default:g} | {param.unit} | {param.basis} |" for param in detector.params]
    return "\n".join(lines) + "\n"


def reference(detectors: Iterable[Detector]) -> str:
    """Markdown: all rules in one table, by id."""
    known = sorted(detectors, key=lambda one: one.id)
    lines = ["# Detectors", ""]
    lines += [
        f"{len(known)} rules, one file each in `trace_server/detectors`. An alert is a suspicion (疑似) for a person"
    ]
    lines += ["to look into; it never lowers a grade. This page is written by `trace-server detectors docs docs`.", ""]
    lines += ["| Rule | 名称 | Name | Severity | Concerns | Found by | Parameters | Guard | Legal basis |"]
    lines += ["|---|---|---|---|---|---|---|---|---|"]
    lines += [_row(detector) for detector in known]
    return "\n".join(lines) + "\n"


def pages(detectors: Iterable[Detector]) -> Mapping[str, str]:
    """Path under `docs/` → Markdown."""
    known = list(detectors)
    return {f"detectors/{one.id}.md": page(one) for one in known} | {"reference/detectors.md": reference(known)}


def _row(detector: Detector) -> str:
    kinds = ", ".join(kind.value for kind in (detector.subject_kind, *detector.also_kinds))
    by = [
        *(["events"] if detector.find is not None else []),
        *([f"a look every {detector.sweep_every_s:g} s"] if detector.sweep is not None else []),
    ]
    params = "<br>".join(f"`{one.name}` = {one.default:g} {one.unit}" for one in detector.params) or "none"
    cells = (
        f"[{detector.id}](../detectors/{detector.id}.md)",
        detector.title_zh,
        detector.title_en,
        detector.severity.value,
        kinds,
        " and ".join(by),
        params,
        detector.guard,
        detector.basis,
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
