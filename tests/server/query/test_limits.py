"""What one request may look at is bounded, and the bounds change no answer."""

from __future__ import annotations

import pytest

from tests.server.ingest.make import commissioned, seen
from tests.server.query.test_query_http import Session, session
from trace_core.epcis.units import UNITS, convert
from trace_server.query import operations

__all__ = ["session"]


def test_a_page_that_looked_at_enough_leads_on_and_nothing_is_lost(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.tell(*[seen(number) for number in range(1, 12)], commissioned("rare", lot="L1"))
    monkeypatch.setattr(operations, "MAX_SCANNED", 3)
    monkeypatch.setattr(operations.store, "CHUNK", 2)
    wanted = {"EQ_ILMD_cbvmda:lotNumber": "L1", "orderBy": "eventTime"}
    first = session.http.get("/api/v1/events", query_string=wanted, headers=session.regulator)
    assert first.json["epcisBody"]["queryResults"]["resultsBody"]["eventList"] == []
    assert 'rel="next"' in first.headers["Link"]
    assert session.ask(**wanted) == ["rare"]


@pytest.mark.parametrize(
    "query", [{"maxEventCount": 100, "EQ_ILMD_cbvmda:lotNumber": "L1"}, {"orderBy": "cbvmda:lotNumber"}]
)
def test_a_query_that_must_look_at_too_many_is_too_complex(
    session: Session, monkeypatch: pytest.MonkeyPatch, query: dict[str, object]
) -> None:
    session.tell(*[seen(number) for number in range(1, 6)])
    monkeypatch.setattr(operations, "MAX_COUNTED", 5)
    answer = session.http.get("/api/v1/events", query_string=query, headers=session.regulator)
    assert answer.status_code == 200, answer.json
    monkeypatch.setattr(operations, "MAX_COUNTED", 4)
    answer = session.http.get("/api/v1/events", query_string=query, headers=session.regulator)
    assert (answer.status_code, answer.json["type"]) == (413, "epcisException:QueryTooComplexException")
    assert answer.json["detail"]


RELATIONS: tuple[tuple[float, str, str, float], ...] = (
        (0, "CEL", "FAH", 32), (100, "CEL", "FAH", 212), (-40, "FAH", "CEL", -40), (0, "KEL", "CEL", -273.15),
        (1, "KGM", "GRM", 1000), (1, "GRM", "MGM", 1000), (1, "MGM", "MC", 1000), (1, "TNE", "KGM", 1000),
        (1, "DTN", "KGM", 100), (1, "LBR", "ONZ", 16), (1, "STN", "LBR", 2000), (1, "LTN", "LBR", 2240),
        (1, "KMT", "MTR", 1000), (1, "MTR", "DMT", 10), (1, "MTR", "CMT", 100), (1, "CMT", "MMT", 10),
        (1, "MMT", "4H", 1000), (1, "FOT", "INH", 12), (1, "YRD", "FOT", 3), (1, "SMI", "FOT", 5280),
        (1, "MTK", "CMK", 10_000), (1, "HAR", "MTK", 10_000), (1, "MTQ", "LTR", 1000), (1, "LTR", "DLT", 10),
        (1, "LTR", "CLT", 100), (1, "LTR", "MLT", 1000), (1, "HLT", "LTR", 100), (1, "MLT", "CMQ", 1),
        (1, "LTR", "DMQ", 1), (1, "GLL", "CMQ", 231 * 2.54**3), (1, "SEC", "C26", 1000), (1, "MIN", "SEC", 60),
        (1, "HUR", "MIN", 60), (1, "DAY", "HUR", 24), (1, "WEE", "DAY", 7), (1, "BAR", "PAL", 100_000),
        (1, "MBR", "A97", 1), (1, "KPA", "PAL", 1000), (1, "MPA", "KPA", 1000), (1, "ATM", "A97", 1013.25),
        (1, "C62", "P1", 100), (1, "P1", "59", 10_000), (1, "59", "61", 1000), (36, "KMH", "MTS", 10),
        (1, "HM", "KMH", 1.609344), (1, "K40", "MSK", 9.80665), (1, "KJO", "JOU", 1000), (1, "WHR", "KJO", 3.6),
        (1, "KWH", "WHR", 1000), (1, "KWT", "WTT", 1000), (1, "VLT", "2Z", 1000), (1, "AMP", "4K", 1000),
        (1, "KHZ", "HTZ", 1000), (180, "DD", "C81", 3.14159265359), (1, "LUX", "LUX", 1),
)  # fmt: skip


@pytest.mark.parametrize(("value", "source", "target", "expected"), RELATIONS)
def test_units_stand_to_each_other_as_they_are_defined(value: float, source: str, target: str, expected: float) -> None:
    assert convert(value, source, target) == pytest.approx(expected, rel=1e-11)


def test_every_unit_is_in_a_relation() -> None:
    assert {unit for _, *pair, _ in RELATIONS for unit in pair} == set(UNITS)
