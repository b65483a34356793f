"""The fleet as the server sees it: who is well and why not, settings in versions, a key after another."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from tests.server.accounts.test_gateways import NOW, Box, invite
from tests.server.callers import COMPANY
from trace_core.errors import Conflict, EventError, InputError, NotAllowed
from trace_core.fleet import (
    HEARTBEAT_PATH,
    REMOTE,
    ROTATE_PATH,
    SETTINGS_PATH,
    SettingsDocument,
    check_remote,
    decode_settings,
    encode_settings,
    rotation_input,
    settings_input,
    unseal_settings,
)
from trace_core.uplink import KEY_ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, request_payload
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Role
from trace_server.accounts.rules import KEY_DUE, KEY_OVERLAP
from trace_server.app import create_app
from trace_server.audit import store as audit_store
from trace_server.blocklist.signing import list_signer
from trace_server.config import Settings
from trace_server.db import Database
from trace_server.fleet import operations, store, wire
from trace_server.fleet.model import Health

SETTINGS = Settings(code_secret="for tests only, long enough to be taken")
WELL: dict[str, Any] = {
    "unsent": 0,
    "free_hours": 900.0,
    "block_list": {"version": 3, "age_s": 60},
    "clock": {"state": "synchronised", "offset_s": 0.2},
    "readers": [{"name": "door", "state": "online"}],
}


def enrolled(db: Database, gateway_id: str = "gate-1") -> Box:
    box = Box()
    box.enrol(db, invite(db, gateway_id, auto_approve=True))
    return box


def beat(db: Database, report: dict[str, Any], monotonic: float = 1.0, now: datetime = NOW) -> None:
    body = {"kind": "heartbeat", "boot_id": "boot-a", "monotonic": monotonic, "report": report}
    operations.hear(db, now, operations.standing(db, now, "gate-1").gateway, json.dumps(body).encode())


def test_the_list_says_how_each_gateway_is_and_why(database: Database) -> None:
    enrolled(database)
    invite(database, "gate-2")
    assert [one.health for one in operations.list_standings(database, NOW, "", 9)] == [Health.NEVER, Health.WAITING]
    beat(database, WELL)
    assert operations.standing(database, NOW, "gate-1").health is Health.WELL
    late = operations.standing(database, NOW + timedelta(seconds=121), "gate-1")
    assert (late.health, late.reasons) == (Health.SILENT, ("Silent for 121 s.",))
    beat(database, {**WELL, "readers": [{"name": "door", "state": "silent"}], "free_hours": 2.0}, 2.0)
    ill = operations.standing(database, NOW, "gate-1")
    assert (ill.health, ill.reasons) == (Health.ATTENTION, ("Storage lasts 2.0 h.", "Reader door is silent."))
    accounts.revoke_gateway(database, NOW, "test", "gate-1")
    assert operations.standing(database, NOW, "gate-1").health is Health.REVOKED


def test_who_was_heard_before_and_not_since_is_named_with_the_time(database: Database) -> None:
    enrolled(database)
    enrolled(database, "gate-2")
    invite(database, "gate-3")
    beat(database, WELL)
    with database.read() as conn:
        assert store.silent_since(conn, NOW) == []
        assert store.silent_since(conn, NOW + timedelta(microseconds=1)) == [("gate-1", NOW)]
    later = NOW + timedelta(seconds=130)
    beat(database, WELL, 2.0, later)
    with database.read() as conn:
        assert store.silent_since(conn, NOW + timedelta(seconds=120)) == []
        assert store.silent_since(conn, later + timedelta(seconds=120)) == [("gate-1", later)]


def test_a_heartbeat_counts_once(database: Database) -> None:
    enrolled(database)
    beat(database, WELL, 5.0)
    for again in (5.0, 4.0):
        with pytest.raises(Conflict, match="heard before"):
            beat(database, WELL, again)


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(max_size=8), lambda inner: (
    st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*WELL, "settings", "version", "outcome"]), inner)
), max_leaves=12))  # fmt: skip
def test_whatever_a_gateway_reports_its_health_can_be_told(report: Any) -> None:
    from trace_server.accounts.model import Gateway, GatewayState
    from trace_server.fleet.rules import judge, outcome, read_heartbeat

    gate = Gateway("g-1", "", (), GatewayState.ACTIVE, False, "", "", NOW, "k", NOW)
    body = json.dumps({"kind": "heartbeat", "boot_id": "b", "monotonic": 1, "report": report}).encode()
    try:
        heard = read_heartbeat("g-1", body, NOW)
    except InputError:
        return
    judge(gate, heard, None, NOW)
    outcome(heard.report)


@pytest.mark.parametrize(
    "text",
    ['{"x": NaN}', '{"x": "\\u0000"}', '{"x": "\\ud800"}', "[1]", '{"unsent": 1e999}', '"x"', "[" * 2000]
)  # fmt: skip
def test_a_report_that_no_database_keeps_is_the_gateways_mistake(database: Database, text: str) -> None:
    enrolled(database)
    body = f'{{"kind": "heartbeat", "boot_id": "b", "monotonic": 1, "report": {text}}}'.encode()
    gate = operations.standing(database, NOW, "gate-1").gateway
    if text == '{"unsent": 1e999}':
        body = body.replace(b"1e999", b"1" * 400)
        operations.hear(database, NOW, gate, body)
        return
    with pytest.raises(InputError):
        operations.hear(database, NOW, gate, body)


def test_settings_come_in_versions_signed_for_one_gateway(database: Database) -> None:
    enrolled(database)
    first = operations.set_settings(database, NOW, "anna", "gate-1", {"gateway": {"group_ms": 5.0}})
    second = operations.set_settings(database, NOW, "anna", "gate-1", {"gateway": {"group_ms": 6.0}}, base=1)
    assert (first.version, second.version) == (1, 2)
    with pytest.raises(Conflict, match="version 2 is the newest"):
        operations.set_settings(database, NOW, "bert", "gate-1", {}, base=1)
    signer = list_signer(SETTINGS)
    sealed = unseal_settings(operations.sealed_settings(database, "gate-1", signer))
    Ed25519PublicKey.from_public_bytes(signer.public_key).verify(sealed.signature, settings_input(sealed.content))
    document = decode_settings(sealed.content)
    assert (document.gateway_id, document.version, document.settings) == ("gate-1", 2, {"gateway": {"group_ms": 6.0}})
    beat(database, {**WELL, "settings": {"version": 1, "outcome": {"version": 2, "result": "refused", "reason": "no"}}})
    shown = operations.show_settings(database, "gate-1")
    assert (shown.result, shown.reason) == ("refused", "no")
    assert operations.standing(database, NOW, "gate-1").reasons == ("Settings 2 were refused: no",)
    with database.read() as conn:
        actions = [entry.action for entry in audit_store.entries(conn, about="gate-1")]
    assert actions[-3:] == ["gateway.settings", "gateway.settings", "gateway.settings-tried"]


@pytest.mark.parametrize(
    ("settings", "pointer"),
    [
        ({"server": {"url": "https://elsewhere.example"}}, "/settings/server/url"),
        ({"answer": {"list_key": "AAAA"}}, "/settings/answer/list_key"),
        ({"gateway": {"state_dir": "/"}}, "/settings/gateway/state_dir"),
        ({"outputs": {"command": ["rm"]}}, "/settings/outputs/command"),
        ({"reader": {"door": {"url": "tcp://x"}}}, "/settings/reader/door/url"),
        ({"reader": {"door": {"options": {"start_command": "x"}}}}, "/settings/reader/door/options/start_command"),
        ({"read_point": []}, "/settings/read_point"),
    ],
)  # fmt: skip
def test_keys_files_commands_and_addresses_cannot_be_set_from_afar(settings: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InputError) as refused:
        check_remote(settings)
    assert refused.value.where == pointer
    document = SettingsDocument("gate-1", 1, NOW, settings)
    with pytest.raises(EventError):
        decode_settings(encode_settings(document))


def test_what_may_be_set_from_afar_is_a_setting_of_the_gateway() -> None:
    from gateway_agent.settings import SECTIONS

    assert all(key in SECTIONS[section] for section, keys in REMOTE.items() for key in keys)


def test_two_keys_are_good_until_the_old_one_ends(database: Database) -> None:
    old, new = enrolled(database), Box()
    gate = operations.standing(database, NOW, "gate-1").gateway

    def rotate(signer: Box, to: Box) -> datetime:
        proof = to.sign(rotation_input("gate-1", signer.key_id))
        return accounts.rotate_key(database, NOW, gate, signer.key_id, to.public_key, proof)

    ends = rotate(old, new)
    assert ends == NOW + KEY_OVERLAP == rotate(old, new)
    with database.read() as conn:
        for box, moment in ((old, NOW), (new, NOW), (new, ends)):
            assert accounts.verify_signed(conn, box.key_id, box.sign(b"x"), b"x", moment).gateway_id == "gate-1"
        with pytest.raises(NotAllowed, match="ended"):
            accounts.verify_signed(conn, old.key_id, old.sign(b"x"), b"x", ends)
    with pytest.raises(Conflict, match="another key has taken"):
        rotate(old, Box())
    with pytest.raises(NotAllowed, match="proof"):
        accounts.rotate_key(database, NOW, gate, new.key_id, Box().public_key, new.sign(b"y"))
    assert [one.gateway.key_id for one in operations.list_standings(database, NOW, "", 9)] == [new.key_id]


def test_the_server_asks_for_another_key_after_two_thirds_of_its_life(database: Database) -> None:
    enrolled(database)
    gate = operations.standing(database, NOW, "gate-1").gateway

    def asked(monotonic: float, now: datetime) -> bool:
        body = {"kind": "heartbeat", "boot_id": "b", "monotonic": monotonic, "report": {}}
        return operations.hear(database, now, gate, json.dumps(body).encode()).rotate_key

    assert not asked(1.0, NOW + KEY_DUE - timedelta(seconds=1))
    assert asked(2.0, NOW + KEY_DUE)


def test_the_api_pages_sets_and_revokes_and_a_revoked_gateway_is_refused_at_once(database: Database) -> None:
    box = enrolled(database)
    for number in range(2, 6):
        invite(database, f"gate-{number}")
    _, token = accounts.add_client(database, datetime.now(UTC), "test", name="admin", role=Role.ADMINISTRATOR)
    _, producer = accounts.add_client(
        database, datetime.now(UTC), "test", name="erp", role=Role.PRODUCER, subject=COMPANY
    )
    admin = {"Authorization": f"Bearer {token}"}
    with create_app(SETTINGS, database).test_client() as client:

        def post(path: str, fields: dict[str, Any], status: int) -> Any:
            body = json.dumps(fields).encode()
            headers = {KEY_ID_HEADER: box.key_id, SIGNATURE_HEADER: box.sign(body)}
            answer = client.post(path, data=body, headers=headers, content_type="application/json")
            assert answer.status_code == status, answer.text
            return answer.json

        fields = {"kind": "heartbeat", "boot_id": "b", "monotonic": 1.0, "report": WELL}
        assert post(HEARTBEAT_PATH, fields, 200)["config_version"] == 0
        post(HEARTBEAT_PATH, fields, 409)
        post(HEARTBEAT_PATH, {"kind": "other"}, 400)
        post(ROTATE_PATH, {"kind": "key-rotation", "public_key": "x", "proof": ""}, 400)
        names, cursor = [], ""
        while True:
            page = client.get("/api/v1/gateways", query_string={"limit": 2, "cursor": cursor}, headers=admin).json
            assert page is not None
            names += [item["gateway_id"] for item in page["items"]]
            cursor = page["next_cursor"]
            if not page["has_more"]:
                break
        assert names == [f"gate-{number}" for number in range(1, 6)]
        url = "/api/v1/gateways/gate-1/settings"
        assert (
            client.post(url, json={"settings": {}}, headers={"Authorization": f"Bearer {producer}"}).status_code == 403
        )
        made = client.post(url, json={"settings": {"gateway": {"group_ms": 9.0}}}, headers=admin)
        assert (made.status_code, made.json["version"] if made.json else 0) == (201, 1)
        assert client.post(url, json={"settings": {"server": {"url": "x"}}}, headers=admin).status_code == 400
        listed = client.get(url, headers=admin).json
        assert listed is not None
        assert [one["version"] for one in listed["items"]] == [1]
        stamp = NOW.isoformat()
        signed = {
            KEY_ID_HEADER: box.key_id,
            TIMESTAMP_HEADER: stamp,
            SIGNATURE_HEADER: box.sign(request_payload("GET", SETTINGS_PATH, stamp)),
        }
        assert client.get(SETTINGS_PATH, headers=signed).status_code == 200
        assert client.post("/api/v1/gateways/gate-1/revoke", headers=admin).status_code == 200
        assert client.get(SETTINGS_PATH, headers=signed).status_code == 403
        post(HEARTBEAT_PATH, {**fields, "monotonic": 2.0}, 403)
        shown = client.get("/api/v1/gateways/gate-1/report", headers=admin).json
        assert shown is not None
        assert (shown["state"], shown["health"]) == ("revoked", "revoked")


@given(st.text(max_size=60))
def test_only_cursors_of_this_server_are_taken(text: str) -> None:
    assert wire.read_cursor(wire.write_cursor("gate-7", SETTINGS), SETTINGS) == "gate-7"
    forged = base64.urlsafe_b64encode(bytes(16) + text.encode()).decode()
    for wrong in (text or "x", forged):
        with pytest.raises(InputError, match="cursor"):
            wire.read_cursor(wrong, SETTINGS)
