"""Every operation of the OpenAPI document under inputs that nobody thought of: no 5xx, and nothing that the document
does not say – status, content type, members of the answer.

The short form draws the same inputs every time; under `SUYUAN_SOAK=1` more of them, new ones each time.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.fault.server.hostile import MISCHIEF
from tests.fault.server.place import Place, furnish
from trace_server.db import Database

SOAK = os.environ.get("SUYUAN_SOAK") == "1"
DRAWS = 400 if SOAK else 3
"""Of each kind for each operation."""
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

ASKED = (
    "MATCH_anyEPC", "MATCH_epc", "MATCH_anyEPCClass", "MATCH_parentID", "EQ_bizStep", "EQ_disposition", "EQ_type",
    "EQ_persistentDisposition_set", "EQ_readPoint", "WD_bizLocation", "EQ_eventID", "EQ_bizRules", "EQ_uriValue",
    "GE_eventTime", "LT_recordTime", "GE_errorDeclaration_Time", "EQ_startTime", "EQ_bizTransaction_po", "EQ_source_",
    "EQ_destination_owning_party", "HASATTR_readPoint", "EQATTR_bizStep_x", "HASATTR_", "GT_quantity", "LE_value_CEL",
    "EQ_percRank", "GE_ILMD_cbvmda:lotNumber", "EXISTS_INNER_ILMD_urn:x:y#z", "EQ_SENSORREPORT_ex:a", "EQ_action",
    "EQ_booleanValue", "EXISTS_errorDeclaration", "EXISTS_sensorElementList", "eventType", "orderBy", "orderDirection",
    "eventCountLimit", "maxEventCount", "perPage", "nextPageToken", "cursor", "limit", "offset", "GS1-Extensions",
    "uri", "from", "to", "depth", "state", "@context", "page", "",
)  # fmt: skip
"""Parameters that the routes read, documented one by one or not."""
WISHES = {
    "Accept": ("application/json", "application/xml", "text/xml", "application/ld+json", "text/csv", "*/*;q=0.1", "x"),
    "Accept-Language": ("en", "zh-CN", "tlh", "*;q=x"),
    "GS1-EPC-Format": ("Always_EPC_URN", "Always_GS1_Digital_Link", "Never_Translates", "x"),
    "GS1-CBV-XML-Format": ("Always_URN", "Always_Web_URI", "x"),
    "GS1-EPCIS-Version": ("1.2", "2.0.0", "3.0"),
    "GS1-Extensions": ("ex=urn:x:", "suyuan", "=,=", "a" * 9000),
    "Prefer": ("respond-async", "x"),
    "Authorization": ("", "Bearer", "Bearer x", "Basic eDp5", "Bearer \xe9"),
    "X-Request-ID": ("abcdefgh", "a b", "\xff" * 9),
}
"""Headers that change what is answered."""
SIGNED = "gateway_signature"
Extras = list[tuple[str, str]]
VALUES = st.sampled_from(MISCHIEF) | st.text(max_size=12) | st.integers(-2, 2**70).map(str)


@pytest.fixture
def place(database: Database) -> Place:
    return furnish(database)


def rehearse(
    operation: APIOperation, mode: GenerationMode, play: Callable[[Case, int, Extras, dict[str, str]], None]
) -> None:
    """`play` on drawn cases of `operation`; a number and parameters to go with each."""
    extras = st.lists(st.tuples(st.sampled_from(ASKED), VALUES), max_size=2)
    asks = st.dictionaries(st.sampled_from(sorted(WISHES)), st.integers(0, 7), max_size=2)

    @settings(
        max_examples=DRAWS,
        deadline=None,
        database=None,
        derandomize=not SOAK,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), number=st.integers(0, 7), extra=extras, wishes=asks)
    def trial(case: Case, number: int, extra: Extras, wishes: dict[str, int]) -> None:
        play(case, number, extra, {name: WISHES[name][pick % len(WISHES[name])] for name, pick in wishes.items()})

    trial()


def aim(case: Case, number: int, place: Place) -> None:
    """Half of the time at things that exist: otherwise every answer would be 404."""
    if number < 4:
        return
    for values in (case.path_parameters, case.query):
        for name in values:
            if name in place.names:
                known = place.names[name]
                values[name] = known[number % len(known)]
    if isinstance(case.body, dict) and "version" in case.body:
        case.body["version"] = number - 3


class Rehearsal:
    """One operation, played by one who may."""

    def __init__(self, place: Place, operation: APIOperation, answers: Counter[int]) -> None:
        raw = operation.definition.raw
        self._place, self._operation, self._answers = place, operation, answers
        self._headers = place.headers(raw.get("x-permission"))
        self._is_signed = any(SIGNED in way for way in raw.get("security", ()))

    def play(self, case: Case, number: int, extra: Extras, wishes: dict[str, str]) -> None:
        aim(case, number, self._place)
        if case.method == "GET":
            case.query.update({name: _sendable(value) for name, value in extra if name not in case.query})
        if number % 4 and case.headers:
            case.headers.pop("Authorization", None)  # else most of the wrong requests end at the door
        own = self._headers
        if self._is_signed:
            own = self._place.signed_request(case.method, case.formatted_path)
        response = case.call(headers=own | wishes)
        self._answers[response.status_code] += 1
        case.validate_response(response, checks=CHECKS)

    def failure(self, mode: GenerationMode) -> str:
        """What the operation did wrong, "" when nothing."""
        try:
            rehearse(self._operation, mode, self.play)
        except Unsatisfiable:
            assert mode is GenerationMode.NEGATIVE, self._operation.label  # it takes no input that could be wrong
        except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 – also what escaped from a view; others go on
            return f"{self._operation.label}: {type(error).__name__}: {error}"[:1500]
        return ""


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_every_answer_is_one_that_the_document_names(place: Place, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", place.app)
    answers: Counter[int] = Counter()
    operations = [found.ok() for found in schema.get_all_operations()]
    failures = [Rehearsal(place, operation, answers).failure(mode) for operation in operations]
    print(f"{len(operations)} operations, {answers.total()} requests, answers {dict(sorted(answers.items()))}")  # noqa: T201
    assert not any(failures), "\n\n".join(filter(None, failures))
    assert len(answers) > 3


def _sendable(value: str) -> str:
    """Without lone surrogates: no URL can hold one."""
    return value.encode("utf-8", "replace").decode()
