"""Vocabularies as captured and as asked for, over HTTP and for the queries of events, on both databases."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from trace_core.errors import EventError, InputError, TooLarge, TraceError
from trace_core.ids.canonical import canonical_uri
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Role
from trace_server.app import create_app
from trace_server.config import Settings
from trace_server.db import Database
from trace_server.masterdata import operations, rules
from trace_server.masterdata.operations import StoredMasterData
from trace_server.query.model import MasterData

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
SITE = "urn:epc:id:sgln:0614141.00777.0"
DOCK = "urn:epc:id:sgln:0614141.00777.1"
SHELF = "urn:epc:id:sgln:0614141.00777.2"
LOCATION = "urn:epcglobal:epcis:vtype:BusinessLocation"
READ_POINT = "urn:epcglobal:epcis:vtype:ReadPoint"
MDA = "urn:epcglobal:cbv:mda:"


def xml(*elements: str, kind: str = LOCATION) -> bytes:
    return f"""<epcismd:EPCISMasterDataDocument xmlns:epcismd="urn:epcglobal:epcis-masterdata:xsd:2" schemaVersion="2.0"
      creationDate="2026-11-24T00:00:00Z"><EPCISBody><VocabularyList><Vocabulary type="{kind}"><VocabularyElementList>
      {"".join(elements)}</VocabularyElementList></Vocabulary></VocabularyList></EPCISBody>
      </epcismd:EPCISMasterDataDocument>""".encode()


def element(uri: str, *children: str, **attributes: str) -> str:
    found = "".join(f'<attribute id="{MDA}{name}">{value}</attribute>' for name, value in attributes.items())
    below = f"<children>{''.join(f'<id>{child}</id>' for child in children)}</children>" if children else ""
    return f'<VocabularyElement id="{uri}">{found}{below}</VocabularyElement>'


def capture(database: Database, raw: bytes, now: datetime = NOW, *, is_xml: bool = True) -> int:
    return operations.capture(database, now, "tester", raw, is_xml=is_xml)


def names(database: Database, **parameters: str) -> list[str]:
    return [one.uri for one in operations.find(database, rules.parse_query(parameters))]


def test_a_document_of_gs1_is_kept_whole(database: Database, conformance: Path) -> None:
    found = [*conformance.rglob("Example-masterData.xml"), *conformance.rglob("masterdata_all_possible_fields.xml")]
    assert len(found) == 2
    for file in found:
        raw = file.read_bytes()
        kept = capture(database, raw, NOW + timedelta(seconds=len(raw)))
        assert kept == len({(one.vocabulary, canonical_uri(one.uri)) for one in rules.read_document(raw, is_xml=True)})


def test_json_and_xml_say_the_same(database: Database) -> None:
    attributes = [{"id": "cbvmda:site", "attribute": "0614141007772"}]
    site = {"id": SITE, "attributes": attributes, "children": [DOCK]}
    vocabularies = [{"type": "BusinessLocation", "vocabularyElementList": [site]}]
    body = {"epcisHeader": {"epcisMasterData": {"vocabularyList": vocabularies}}}
    from_json = rules.read_document(json.dumps(body).encode(), is_xml=False)
    assert from_json == rules.read_document(xml(element(SITE, DOCK, site="0614141007772")), is_xml=True)


def test_the_newest_version_is_the_answer_and_the_older_one_stays(database: Database) -> None:
    capture(database, xml(element(SITE, name="old")))
    capture(database, xml(element(SITE, name="new")), NOW + timedelta(seconds=1))
    (found,) = operations.find(database, rules.parse_query({"EQ_name": SITE}))
    assert found.attributes == ((f"{MDA}name", "new"),)


def test_places_below_a_place_are_found_and_rings_end(database: Database) -> None:
    capture(database, xml(element(SITE, DOCK), element(DOCK, SHELF), element(SHELF, SITE)))
    assert set(names(database, WD_name=SITE)) == {SITE, DOCK, SHELF}
    with database.read() as conn:
        known: MasterData = StoredMasterData(conn, database.dialect)
        assert known.descendants(canonical_uri(SITE)) == {canonical_uri(DOCK), canonical_uri(SHELF)}
        assert known.descendants("urn:example:nowhere") == frozenset()


def test_each_parameter_narrows(database: Database) -> None:
    capture(database, xml(element(SITE, name="Site", site="1"), element(DOCK, sst="201")))
    capture(database, xml(element(SITE, sst="201"), kind=READ_POINT), NOW + timedelta(seconds=1))
    assert names(database) == [SITE, DOCK, SITE]
    assert names(database, vocabularyName="ReadPoint") == [SITE]
    assert names(database, HASATTR="cbvmda:sst") == [DOCK, SITE]
    assert names(database, EQATTR_cbvmda_x="1") == []
    assert names(database, **{f"EQATTR_{MDA}sst": "200|201", "vocabularyName": LOCATION}) == [DOCK]
    assert names(database, EQ_name=f"{canonical_uri(DOCK)}|urn:example:x") == [DOCK]


def test_attributes_and_children_are_left_out_when_nobody_wants_them(database: Database) -> None:
    capture(database, xml(element(SITE, DOCK, name="Site", site="1")))
    query = rules.parse_query({"includeChildren": "false", "attributeNames": "cbvmda:site"})
    (shown,) = rules.vocabulary_list(operations.find(database, query), query)[0]["vocabularyElementList"]
    assert shown == {"id": SITE, "attributes": [{"id": f"{MDA}site", "attribute": "1"}]}


def test_an_answer_beyond_its_limit_is_refused(database: Database) -> None:
    capture(database, xml(element(SITE), element(DOCK)))
    with pytest.raises(TooLarge):
        names(database, maxElementCount="1")


def test_unknown_parameters_and_wrong_values_are_named(database: Database) -> None:
    for parameters in ({"EQ_nam": "x"}, {"includeChildren": "yes"}, {"maxElementCount": "-1"}):
        with pytest.raises(InputError) as caught:
            rules.parse_query(parameters)
        assert caught.value.where in parameters


def test_over_http_a_regulator_writes_and_an_auditor_reads(database: Database) -> None:
    app = create_app(Settings(code_secret="t" * 32), database)
    http: FlaskClient = app.test_client()
    tokens = {
        role: accounts.add_client(database, NOW, "t", name=role.value, role=role)[1]
        for role in (Role.REGULATOR, Role.AUDITOR)
    }
    headers = {role: {"Authorization": f"Bearer {token}"} for role, token in tokens.items()}
    sent = xml(element(SITE, DOCK, name="Site"))
    answer = http.post(
        "/api/v1/vocabularies", data=sent, content_type="application/xml", headers=headers[Role.REGULATOR]
    )
    assert (answer.status_code, answer.get_json()["elements"]) == (201, 1)
    refused = http.post(
        "/api/v1/vocabularies", data=sent, content_type="application/xml", headers=headers[Role.AUDITOR]
    )
    assert refused.status_code == 403
    found = http.get("/api/v1/vocabularies?vocabularyName=BusinessLocation", headers=headers[Role.AUDITOR]).get_json()
    assert found["vocabularyList"][0]["vocabularyElementList"][0]["children"] == [DOCK]


@pytest.mark.parametrize(
    "raw",
    [b"", b"<a/>", b"{}", b"[]", b'{"vocabularyList": [1]}', b'{"vocabularyList": [{"type": "x"}]}',
     b'{"vocabularyList": [{"type": "x", "vocabularyElementList": [{"id": "no uri"}]}]}',
     b'{"vocabularyList": [{"type": "x", "vocabularyElementList": [{"id": "a:b", "attributes": [{}]}]}]}',
     b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'],
)  # fmt: skip
def test_a_document_that_is_none_is_refused_with_a_place(raw: bytes) -> None:
    for is_xml in (True, False):
        with pytest.raises(EventError):
            rules.read_document(raw, is_xml=is_xml)


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode), st.booleans())
@settings(max_examples=200, deadline=None)
def test_no_bytes_crash_the_reader(raw: bytes, is_xml: bool) -> None:
    with contextlib.suppress(TraceError):
        rules.read_document(raw, is_xml=is_xml)
