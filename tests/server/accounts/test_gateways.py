"""A gateway gets in with its code and a person's yes, once, and is out the moment it is revoked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from trace_core.errors import Conflict, InputError, NotAllowed, NotFound
from trace_core.uplink import encode_signature, key_id, signature_input
from trace_server.accounts import operations, rules
from trace_server.accounts.model import Enrolment, Gateway, GatewayState
from trace_server.audit import operations as audit
from trace_server.audit import store as audit_store
from trace_server.db import Database
from trace_server.problems import NotAuthenticated, TooManyRequests

NOW = datetime(2026, 11, 24, 8, 1, tzinfo=UTC)
READ_POINT = "urn:epc:id:sgln:0614141.00777.0"


class Box:
    """A gateway's side: its key."""

    def __init__(self) -> None:
        self.key = Ed25519PrivateKey.generate()
        self.public_key = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.key_id = key_id(self.public_key)

    def sign(self, payload: bytes) -> str:
        return encode_signature(self.key.sign(signature_input(payload)))

    def enrol(self, db: Database, code: str, now: datetime = NOW, address: str = "192.0.2.1") -> Enrolment:
        return operations.enrol(
            db, now, code=code, public_key=self.public_key, software="agent 1", hostname="gate", address=address
        )


def invite(db: Database, gateway_id: str = "gate-1", *, auto_approve: bool = False) -> str:
    return operations.add_gateway(
        db, NOW, "test", gateway_id=gateway_id, site="North", read_points=(READ_POINT,), auto_approve=auto_approve
    )


def verified(db: Database, box: Box, payload: bytes = b"batch") -> Gateway:
    with db.read() as conn:
        return operations.verify_signed(conn, box.key_id, box.sign(payload), payload)


def test_an_enrolled_and_approved_gateway_is_known_by_its_signature(database: Database) -> None:
    box = Box()
    enrolment = box.enrol(database, invite(database))
    assert enrolment == Enrolment("gate-1", box.key_id, GatewayState.PENDING)
    with pytest.raises(NotAllowed, match="approval"):
        verified(database, box)
    operations.approve_gateway(database, NOW, "test", "gate-1")
    gateway = verified(database, box)
    assert (gateway.gateway_id, gateway.read_points, gateway.software) == ("gate-1", (READ_POINT,), "agent 1")


def test_an_auto_approved_gateway_may_send_at_once(database: Database) -> None:
    box = Box()
    assert box.enrol(database, invite(database, auto_approve=True)).state is GatewayState.ACTIVE
    assert verified(database, box).state is GatewayState.ACTIVE


def test_another_payload_key_or_signature_is_not_authenticated(database: Database) -> None:
    box, stranger = Box(), Box()
    box.enrol(database, invite(database, auto_approve=True))
    with database.read() as conn:
        for key, signature in (
            (box.key_id, box.sign(b"other")),
            (stranger.key_id, stranger.sign(b"batch")),
            (box.key_id, stranger.sign(b"batch")),
            (box.key_id, "not base64"),
            ("", ""),
        ):
            with pytest.raises(NotAuthenticated):
                operations.verify_signed(conn, key, signature, b"batch")


def test_a_revoked_gateway_is_out_at_once_and_for_good(database: Database) -> None:
    box = Box()
    box.enrol(database, invite(database, auto_approve=True))
    operations.revoke_gateway(database, NOW, "test", "gate-1")
    with pytest.raises(NotAllowed, match="revoked"):
        verified(database, box)
    with pytest.raises(Conflict):
        operations.invite_gateway(database, NOW, "test", "gate-1")
    with pytest.raises(Conflict):
        operations.approve_gateway(database, NOW, "test", "gate-1")


def test_revoking_an_invited_gateway_voids_its_code(database: Database) -> None:
    code = invite(database)
    operations.revoke_gateway(database, NOW, "test", "gate-1")
    with pytest.raises(NotAllowed):
        Box().enrol(database, code)


def test_a_code_works_for_one_box_only(database: Database) -> None:
    code = invite(database)
    Box().enrol(database, code)
    with pytest.raises(NotAllowed, match="used"):
        Box().enrol(database, code)


def test_a_box_whose_answer_got_lost_may_ask_again(database: Database) -> None:
    box, code = Box(), invite(database)
    assert box.enrol(database, code) == box.enrol(database, code)


def test_a_code_ends_after_a_day(database: Database) -> None:
    code = invite(database)
    with pytest.raises(NotAllowed, match="expired"):
        Box().enrol(database, code, NOW + timedelta(hours=24))
    assert Box().enrol(database, code, NOW + timedelta(hours=23, minutes=59))


def test_a_code_may_be_typed_carelessly(database: Database) -> None:
    code = invite(database)
    assert Box().enrol(database, code.lower().replace("-", " ").replace("0", "o").replace("1", "l"))


def test_codes_have_at_least_80_random_bits_and_are_not_stored(database: Database) -> None:
    code = invite(database)
    assert len(code.replace("-", "")) * 5 >= 80
    assert len({rules.new_code() for _ in range(100)}) == 100
    with database.read() as conn:
        stored = str(conn.exec_driver_sql("SELECT * FROM enrolment_code").all())
    assert code not in stored
    assert code.replace("-", "") not in stored


def test_an_address_that_guesses_is_held_up_and_others_are_not(database: Database) -> None:
    code = invite(database)
    for _ in range(rules.MAX_FAILURES):
        with pytest.raises(NotAllowed):
            Box().enrol(database, "WRONG-WRONG-WRONG-00", address="198.51.100.9")
    with pytest.raises(TooManyRequests) as caught:
        Box().enrol(database, code, address="198.51.100.9")
    assert 0 < caught.value.retry_after_s <= 901
    later = NOW + timedelta(seconds=caught.value.retry_after_s)
    assert Box().enrol(database, code, address="192.0.2.7")
    second = operations.invite_gateway(database, NOW, "test", "gate-1")
    assert Box().enrol(database, second, later, address="198.51.100.9")


def test_a_replaced_box_needs_a_new_code_and_a_new_approval_and_the_old_key_is_void(database: Database) -> None:
    old, new = Box(), Box()
    old.enrol(database, invite(database))
    operations.approve_gateway(database, NOW, "test", "gate-1")
    new.enrol(database, operations.invite_gateway(database, NOW, "test", "gate-1"))
    with pytest.raises(NotAllowed, match="revoked"):
        verified(database, old)
    with pytest.raises(NotAllowed, match="approval"):
        verified(database, new)
    operations.approve_gateway(database, NOW, "test", "gate-1")
    assert verified(database, new).key_id == new.key_id


def test_a_key_belongs_to_one_gateway(database: Database) -> None:
    box = Box()
    box.enrol(database, invite(database))
    second = invite(database, "gate-2")
    with pytest.raises(Conflict, match="key"):
        box.enrol(database, second)


@pytest.mark.parametrize("name", ["", "G1", "a b", "-x", "a/b", "x" * 64, "门"])
def test_ids_that_break_topics_and_paths_are_refused(database: Database, name: str) -> None:
    with pytest.raises(InputError):
        invite(database, name)


def test_wrong_steps_are_refused(database: Database) -> None:
    invite(database)
    with pytest.raises(Conflict):
        invite(database)
    with pytest.raises(Conflict, match="approve"):
        operations.approve_gateway(database, NOW, "test", "gate-1")
    with pytest.raises(NotFound):
        operations.revoke_gateway(database, NOW, "test", "gate-9")
    with pytest.raises(InputError):
        operations.enrol(database, NOW, code="x", public_key=b"short", software="", hostname="", address="")


def test_every_step_is_in_the_audit_log(database: Database) -> None:
    Box().enrol(database, invite(database))
    operations.approve_gateway(database, NOW, "alice", "gate-1")
    operations.revoke_gateway(database, NOW, "bob", "gate-1")
    with database.read() as conn:
        entries = list(audit_store.entries(conn, about="gate-1"))
        assert audit.verify(conn).is_intact
    assert [(e.actor, e.action) for e in entries] == [
        ("test", "gateway.add"),
        ("gateway:gate-1", "gateway.enrol"),
        ("alice", "gateway.approve"),
        ("bob", "gateway.revoke"),
    ]
