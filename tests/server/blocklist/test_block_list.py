"""The list follows recalls and dates, and a new version appears only when it says something new, or grew old."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from gateway_agent.blocklist import BlockListFile, parse_block_list
from trace_core.errors import ConfigError, Conflict, InputError, NotFound
from trace_core.ids.canonical import canonical_uri
from trace_core.ids.digital_link import DigitalLink
from trace_server.blocklist import operations, rules
from trace_server.blocklist.model import BlockedBatch
from trace_server.blocklist.signing import list_signer
from trace_server.config import Settings
from trace_server.db import Database

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
EPC = "urn:epc:id:sgtin:6901234.056789.1000000001"


def test_a_blocked_batch_lists_its_lot_and_each_tagged_item() -> None:
    lines = rules.entries([BlockedBatch("06901234567892", "L1", True, None, (EPC,))])
    assert [(line["match"], line["value"], line["answer"], line["reason"]) for line in lines] == [
        ("class", "https://id.gs1.org/01/06901234567892/10/L1", "refuse", "recalled"),
        ("uri", EPC, "refuse", "recalled"),
    ]


@pytest.mark.parametrize("lot", ["A/1%2", "1%2F2", "L&1"])
def test_a_lot_is_listed_under_the_uri_that_events_of_it_have(lot: str) -> None:
    (line,) = rules.entries([BlockedBatch("06901234567892", lot, True, None, ())])
    link = DigitalLink(("01", "06901234567892"), (("10", lot),))
    assert line["value"] == canonical_uri(link.canonical())


def test_an_expired_batch_says_so() -> None:
    (line,) = rules.entries([BlockedBatch("06901234567892", "L1", False, date(2026, 1, 1), ())])
    assert line["reason"] == "expired"


def test_the_same_lines_make_no_new_version(database: Database) -> None:
    first = operations.refresh(database, NOW)
    assert operations.refresh(database, NOW + timedelta(minutes=1)) == first == 1
    found = operations.newest(database)
    assert found is not None
    assert found.issued_at == NOW


def test_there_is_no_list_before_the_first(database: Database) -> None:
    assert operations.newest(database) is None


@pytest.mark.parametrize("recalled", [True, False])
def test_the_gateway_understands_what_the_server_publishes(recalled: bool) -> None:
    lines = rules.entries([BlockedBatch("06901234567892", "L1", recalled, date(2026, 1, 1), (EPC,))])
    document = {"version": 3, "issued_at": NOW.isoformat(), "entries": lines}
    parsed = parse_block_list(json.dumps(document).encode())
    assert parsed.version == 3
    assert "https://id.gs1.org/01/06901234567892/21/1000000001" in parsed.items


SECRET = Settings(code_secret="for tests only, long enough to be taken")
CYLINDER = {
    "uri": "urn:epc:id:sgtin:0614141.812345.7",
    "tid": "e280113020000a1b2c3d4e5f",
    "medium": "lpg",
    "owner": "91350100M000100Y43",
    "inspection_due": "2027-05-31",
    "source": "register of the station",
    "as_of": "2026-11-24",
}


def test_a_list_without_news_is_issued_again_before_a_gate_calls_it_stale(database: Database) -> None:
    assert operations.refresh(database, NOW) == 1
    assert operations.refresh(database, NOW + operations.RENEW_AFTER) == 2
    later = NOW + operations.RENEW_AFTER + operations.KEEP + timedelta(hours=1)
    assert operations.refresh(database, later) == 3
    found = operations.newest(database)
    assert found is not None
    assert found.issued_at == later


def test_a_list_may_be_published_under_a_higher_number_and_never_under_a_lower(database: Database) -> None:
    assert operations.publish(database, NOW, actor="test", version=40) == 40
    assert operations.publish(database, NOW, actor="test") == 41
    with pytest.raises(Conflict):
        operations.publish(database, NOW, actor="test", version=41)


def test_facts_of_assets_reach_the_gateway_signed(database: Database, tmp_path: Path) -> None:
    changed = CYLINDER | {"medium": "acetylene"}
    assert operations.import_assets(database, {"assets": [CYLINDER]}, actor="test", now=NOW) == 1
    assert operations.import_assets(database, {"assets": [CYLINDER, changed]}, actor="test", now=NOW) == 1
    operations.refresh(database, NOW)
    published = operations.newest(database)
    assert published is not None
    signer = list_signer(SECRET)
    assert signer.sealed(published) == signer.sealed(published)
    file = BlockListFile(tmp_path / "block_list.json", signer.public_key)
    file.replace(signer.sealed(published))
    assert file.current is not None
    found = file.current.assets["https://id.gs1.org/01/80614141123458/21/7"]
    assert (found.medium, found.owner, found.inspection_due) == ("acetylene", CYLINDER["owner"], date(2027, 5, 31))
    assert found.tid == bytes.fromhex(CYLINDER["tid"])


@pytest.mark.parametrize(
    "change",
    [
        {"tid": "12"},
        {"medium": "L P G"},
        {"owner": "91350100M000100Y42"},
        {"inspection_due": "31.5.2027"},
        {"as_of": ""},
        {"uri": "cylinder 7"},
        {"colour": "grey"},
        {"tid": 5},
    ],
)
def test_a_wrong_row_is_named_and_none_is_taken(database: Database, change: dict[str, object]) -> None:
    document = {"assets": [CYLINDER | {"uri": "urn:epc:id:sgtin:0614141.812345.8"}, CYLINDER | change]}
    with pytest.raises(InputError) as caught:
        operations.import_assets(database, document, actor="test", now=NOW)
    assert caught.value.where.startswith("/assets/1")
    assert operations.assets(database) == []


def test_the_key_comes_from_its_file_or_from_the_secret(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = Ed25519PrivateKey.generate()
    path = tmp_path / "list.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    from_file = list_signer(Settings(code_secret=SECRET.code_secret, block_list_key_file=str(path)))
    assert from_file.public_key == key.public_key().public_bytes_raw()
    assert list_signer(SECRET).public_key == list_signer(SECRET).public_key != from_file.public_key
    with pytest.raises(NotFound):
        list_signer(Settings())
    path.write_text("no key")
    with pytest.raises(ConfigError):
        list_signer(Settings(block_list_key_file=str(path)))
