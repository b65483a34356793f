"""The answer at the gate comes from the list on the box and says why and how old the list is."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from gateway_agent.answering import Answer, Identity, Policy, Question, answer, class_uris, identify
from gateway_agent.blocklist import BlockListFile, Verdict, parse_block_list, pin_key, pinned_key
from gateway_agent.clock import Boot, ClockJudge, Moment, kernel_synchronised, now, read_boot
from gateway_agent.eventing import Origin, Place, event_body
from gateway_agent.observing import Observation
from tests.gateway.make import LIST_KEY, LIST_SIGNER, POINT, WALL, epc, later, read_point, sealed
from trace_core.block_list import pack
from trace_core.epcis.document import events_from_document
from trace_core.epcis.event import ObjectEvent
from trace_core.errors import EventError, Refused, TraceError
from trace_core.readers._base import TagRead
from trace_core.uplink import ClockState

ISSUED = "2026-03-01T07:00:00+00:00"


def entry(match: str, value: str, said: str = "refuse", reason: str = "recalled") -> dict[str, str]:
    return {"match": match, "value": value, "answer": said, "reason": reason}


def listing(*entries: dict[str, str], version: int = 1) -> bytes:
    return json.dumps({"version": version, "issued_at": ISSUED, "entries": entries}).encode()


def said(tag: bytes, *entries: dict[str, str]) -> Answer:
    return answer(Question(identify(tag), WALL), parse_block_list(listing(*entries)), Policy())


@pytest.mark.parametrize(
    "value",
    [
        "urn:epc:id:sgtin:0614141.812345.7",
        "https://id.gs1.org/01/80614141123458/21/7",
        "https://shop.example/01/80614141123458/21/7?s=abc",
    ],
)
def test_an_item_is_found_however_the_list_spells_it(value: str) -> None:
    assert said(epc(7), entry("uri", value)) == Answer(Verdict.REFUSE, "recalled", 3600.0)
    assert said(epc(8), entry("uri", value)) == Answer(Verdict.ALLOW, "not-listed", 3600.0)


@pytest.mark.parametrize("value", ["urn:epc:idpat:sgtin:0614141.812345.*", "https://id.gs1.org/01/80614141123458"])
def test_a_listed_product_refuses_every_item_of_it(value: str) -> None:
    assert said(epc(7), entry("class", value)).verdict is Verdict.REFUSE


def test_a_listed_lot_refuses_what_names_that_lot() -> None:
    block_list = parse_block_list(listing(entry("class", "https://id.gs1.org/01/80614141123458/10/L1")))
    for lot, verdict in (("L1", Verdict.REFUSE), ("L2", Verdict.ALLOW)):
        identity = Identity("x", f"https://id.gs1.org/01/80614141123458/10/{lot}")
        assert answer(Question(identity, WALL), block_list, Policy()).verdict is verdict


def test_the_strictest_entry_wins_wherever_it_stands() -> None:
    item = "urn:epc:id:sgtin:0614141.812345.7"
    entries = [
        entry("class", "https://id.gs1.org/01/80614141123458", "refuse", "party"),
        entry("uri", item, "warn", "overdue"),
    ]
    assert said(epc(7), *entries).reason == "party"
    assert said(epc(7), *reversed(entries)).reason == "party"
    assert said(epc(7), entry("uri", item, "warn", "a"), entry("uri", item, "refuse", "b")).reason == "b"


def test_a_tag_whose_bits_mean_nothing_is_a_warning_with_its_raw_name() -> None:
    tag = bytes.fromhex("E280689000000000AABBCCDD")
    identity = identify(tag)
    assert identity.uri.startswith("urn:epc:raw:96.x")
    assert said(tag) == Answer(Verdict.WARN, "unknown-tag", 3600.0)


@pytest.mark.parametrize("verdict", [Verdict.ALLOW, Verdict.WARN])
def test_without_a_list_the_answer_says_so(verdict: Verdict) -> None:
    policy = Policy(without_list=verdict)
    assert answer(Question(identify(epc(1)), WALL), None, policy) == Answer(verdict, "no-list", None)


def test_a_stale_list_allows_nothing_without_a_warning_and_still_refuses() -> None:
    block_list = parse_block_list(listing(entry("uri", "urn:epc:id:sgtin:0614141.812345.7")))
    policy = Policy(stale_after_s=3600.0)
    for seconds, verdict in ((0.0, Verdict.ALLOW), (1.0, Verdict.WARN), (30 * 86_400.0, Verdict.WARN)):
        found = answer(Question(identify(epc(8)), later(seconds)), block_list, policy)
        assert (found.verdict, found.list_age_s) == (verdict, 3600.0 + seconds)
    assert answer(Question(identify(epc(8)), later(1)), block_list, policy).reason == "list-stale"
    assert answer(Question(identify(epc(7)), later(30 * 86_400)), block_list, policy).reason == "recalled"


def test_a_clock_behind_the_list_makes_its_age_unknown_not_zero() -> None:
    block_list = parse_block_list(listing())
    found = answer(Question(identify(epc(8)), datetime(1970, 1, 1, tzinfo=UTC)), block_list, Policy())
    assert found == Answer(Verdict.WARN, "list-stale", None)


def test_classes_of_an_item_are_lot_and_product() -> None:
    uri = "https://id.gs1.org/01/80614141123458/10/L/21/7"
    assert class_uris(uri) == [uri, "https://id.gs1.org/01/80614141123458/10/L", "https://id.gs1.org/01/80614141123458"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b"[" * 100_000,
        listing(entry("lot", "x")),
        listing(entry("uri", "x", "maybe")),
        listing().replace(b"+00:00", b""),
        listing().replace(b'"entries"', b'"entry"'),
    ],
)
def test_a_malformed_list_is_refused_and_the_old_one_stays(tmp_path: Path, data: bytes) -> None:
    file = BlockListFile(tmp_path / "block_list.json", LIST_KEY)
    file.replace(sealed(listing(version=4)))
    with pytest.raises(EventError):
        file.replace(sealed(data))
    assert "malformed" in file.problem
    assert (file.version, BlockListFile(tmp_path / "block_list.json", LIST_KEY).version) == (4, 4)


STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(32))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (listing(version=5), "not signed"),
        (b"", "not signed"),
        (sealed(listing(version=5), STRANGER), "signed by key"),
        (sealed(listing(version=5)).replace(b'"version": 5', b'"version": 6'), "does not fit"),
        (sealed(listing(version=5)) + b" ", "does not fit"),
        (sealed(listing(version=3)), "older"),
        (sealed(listing(entry("uri", "x"), version=4)), "two different lists"),
    ],
)
def test_an_unsigned_forged_or_older_list_is_refused_and_said(tmp_path: Path, data: bytes, why: str) -> None:
    file = BlockListFile(tmp_path / "block_list.json", LIST_KEY)
    file.replace(sealed(listing(version=4)))
    with pytest.raises((EventError, Refused), match=why):
        file.replace(data)
    assert why in file.problem
    assert file.version == 4
    file.replace(sealed(listing(version=7)))
    assert (file.version, file.problem) == (7, "")


@given(st.integers(0, 400), st.integers(1, 255))
def test_no_changed_byte_of_a_signed_list_is_taken(position: int, change: int) -> None:
    good = sealed(listing(entry("uri", "urn:epc:id:sgtin:0614141.812345.7")))
    position %= len(good)
    data = bytearray(good)
    data[position] ^= change
    with TemporaryDirectory() as folder:
        file = BlockListFile(Path(folder) / "list", LIST_KEY)
        with pytest.raises(TraceError):
            file.replace(bytes(data))
        assert file.current is None


def test_a_packed_list_is_taken_and_one_that_unpacks_without_end_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = BlockListFile(tmp_path / "block_list.json", LIST_KEY)
    packed = pack(sealed(listing(version=4)))
    file.replace(packed)
    assert (file.version, BlockListFile(tmp_path / "block_list.json", LIST_KEY).version) == (4, 4)
    for damaged in (packed[:-9], packed[:20] + b"\x00" * 20):
        with pytest.raises(EventError, match="damaged gzip"):
            file.replace(damaged)
    monkeypatch.setattr("trace_core.block_list.MAX_BYTES", 1_000)
    with pytest.raises(EventError, match="unpacks to more"):
        file.replace(pack(sealed(listing(version=5)) + b" " * 10_000))
    assert file.version == 4


def test_an_older_list_put_back_on_the_disk_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "block_list.json"
    file = BlockListFile(path, LIST_KEY)
    file.replace(sealed(listing(version=3)))
    old = path.read_bytes()
    file.replace(sealed(listing(version=4)))
    path.write_bytes(old)
    again = BlockListFile(path, LIST_KEY)
    assert again.current is None
    assert "older than 4" in again.problem
    path.unlink()
    with pytest.raises(Refused, match="older than 4"):
        BlockListFile(path, LIST_KEY).replace(old)


def test_without_a_pinned_key_no_list_is_taken(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no key is pinned"):
        BlockListFile(tmp_path / "block_list.json").replace(sealed(listing()))


def test_a_key_is_pinned_for_good(tmp_path: Path) -> None:
    assert pinned_key(tmp_path) is None
    pin_key(tmp_path, LIST_KEY)
    assert pinned_key(tmp_path) == LIST_KEY == LIST_SIGNER.public_key().public_bytes_raw()


def test_a_damaged_list_on_disk_counts_as_none_and_is_said(tmp_path: Path) -> None:
    (tmp_path / "block_list.json").write_bytes(b"{half")
    file = BlockListFile(tmp_path / "block_list.json", LIST_KEY)
    assert file.current is None
    assert "unusable" in file.problem


def make_body(read: TagRead, seen: Moment, received: Moment, **place: object) -> bytes:
    observation = Observation(1, read_point(**place), read, "door", seen, received, 1)
    return event_body(
        observation,
        identify(read.epc),
        Answer(Verdict.REFUSE, "召回", 59.6),
        origin=Origin("gate-1", "boot-a", timezone(timedelta(hours=8))),
        place=Place("0123456789abcdef", 9),
        clock=ClockState.UNSURE,
    )


def test_an_event_is_compact_epcis_that_reads_back_the_same() -> None:
    read = TagRead(epc=epc(7), antenna=2, rssi_dbm=-55.5, tid=b"\xe2\x80", reader="impinj-1")
    body = make_body(read, Moment(WALL + timedelta(microseconds=123_456), 17.25), Moment(later(1), 18.25))
    assert b'": ' not in body
    assert "召回".encode() in body
    fields = json.loads(body)
    assert fields["eventTimeZoneOffset"] == "+08:00"
    (event,) = events_from_document(fields)
    assert isinstance(event, ObjectEvent)
    assert event.event_time == WALL + timedelta(milliseconds=123)
    assert (event.action, event.read_point, event.biz_step) == ("OBSERVE", POINT, None)
    assert {name.rpartition("}")[2]: value for name, value in event.extensions.items()} == {
        "gateway": "gate-1",
        "epoch": "0123456789abcdef",
        "seq": 9,
        "device": "impinj-1",
        "readPointAntenna": 2,
        "tid": "E280",
        "rssiDbm": -55.5,
        "rawEpc": epc(7).hex().upper(),
        "clockState": "unsure",
        "bootId": "boot-a",
        "monotonic": 17.25,
        "answer": "refuse",
        "reason": "召回",
        "listAgeSeconds": 60,
    }


def test_what_a_reader_does_not_say_is_absent_never_zero() -> None:
    fields = json.loads(make_body(TagRead(epc=epc(7)), Moment(WALL, 1.0), Moment(WALL, 1.0)))
    assert not {"suyuan:rssiDbm", "suyuan:tid", "suyuan:readPointAntenna", "bizLocation", "bizStep"} & fields.keys()
    assert fields["suyuan:device"] == "door"


def test_an_event_is_never_later_than_its_bytes() -> None:
    fields = json.loads(make_body(TagRead(epc=epc(7)), Moment(later(120), 121.0), Moment(WALL, 1.0)))
    assert datetime.fromisoformat(fields["eventTime"]) == WALL


def test_a_clock_is_unsure_before_it_was_ever_set_and_far_from_the_servers() -> None:
    judge = ClockJudge(lambda: True)
    assert judge.state(datetime(1970, 1, 1, tzinfo=UTC)) is ClockState.UNSURE
    assert judge.state(WALL) is ClockState.SYNCHRONISED
    judge.compare(WALL, later(61))
    assert judge.state(WALL) is ClockState.UNSURE
    judge.compare(WALL, later(-59))
    assert judge.state(WALL) is ClockState.SYNCHRONISED
    assert ClockJudge(lambda: False).state(WALL) is ClockState.UNSURE


def test_the_boot_clock_runs_and_the_kernel_can_be_asked() -> None:
    first, second = now(), now()
    assert second.monotonic >= first.monotonic > 0
    assert read_boot() == read_boot() != Boot("")
    assert kernel_synchronised() in (True, False)
