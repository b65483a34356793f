from __future__ import annotations

import pytest

from trace_core.epcis import cbv

VOCABULARIES = [
    cbv.BIZ_STEPS,
    cbv.DISPOSITIONS,
    cbv.BIZ_TRANSACTION_TYPES,
    cbv.SOURCE_DESTINATION_TYPES,
    cbv.ERROR_REASONS,
    cbv.SENSOR_EXCEPTIONS,
    cbv.COMPONENTS,
    cbv.MEASUREMENTS,
]


@pytest.mark.parametrize("vocabulary", VOCABULARIES, ids=lambda v: v.title)
def test_every_name_comes_back_from_its_uri_and_its_urn(vocabulary: cbv.Vocabulary) -> None:
    for name in vocabulary.names:
        uri = vocabulary.uri(name)
        assert uri is not None
        assert vocabulary.short(uri) == name
        assert vocabulary.uri(uri) == uri
        assert vocabulary.uri(vocabulary.urn(uri)) == uri
        if vocabulary.urn_prefix:
            assert cbv.web_uri(vocabulary.urn(uri)) == uri


def test_members_know_their_uri() -> None:
    assert cbv.BizStep("shipping").uri == "https://ref.gs1.org/cbv/BizStep-shipping"
    assert cbv.Disposition.RECALLED.uri == "https://ref.gs1.org/cbv/Disp-recalled"
    assert cbv.BizTransactionType.PO.uri == "https://ref.gs1.org/cbv/BTT-po"
    assert cbv.SourceDestinationType.LOCATION.uri == "https://ref.gs1.org/cbv/SDT-location"
    assert cbv.ErrorReason.DID_NOT_OCCUR.uri == "https://ref.gs1.org/cbv/ER-did_not_occur"
    assert cbv.SensorException.ALARM_CONDITION.uri == "https://ref.gs1.org/voc/ALARM_CONDITION"


def test_a_word_that_is_no_name_is_not_taken_for_one() -> None:
    assert cbv.BIZ_STEPS.uri("transforming") is None
    assert cbv.BIZ_STEPS.short("https://example.com/BizStep-x") == "https://example.com/BizStep-x"
    assert cbv.BIZ_STEPS.urn("https://example.com/x") == "https://example.com/x"
    assert cbv.web_uri("urn:epcglobal:cbv:bt:1:2") == "urn:epcglobal:cbv:bt:1:2"
