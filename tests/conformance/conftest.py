"""The counts of the conformance suite stand at the end of its run."""

from __future__ import annotations

from typing import Any

from tests.conformance.test_epcis_json import COUNTS


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if COUNTS:
        terminalreporter.section("EPCIS conformance")
        for line in COUNTS:
            terminalreporter.line(line)
