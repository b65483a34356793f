"""The broker as it stands in deploy/mosquitto: mutual TLS, certificate name = user name, one topic tree a gateway."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from gateway_agent.links.opening import open_link
from tests.gateway.broker_process import broker_process
from tests.gateway.process import until
from tests.gateway.uplink_rig import Gate, Premises, premises
from trace_core.errors import Refused, Retryable
from trace_server.accounts.operations import revoke_gateway
from trace_server.blocklist import operations as blocklist

DEPLOY = Path(__file__).parents[2] / "deploy" / "mosquitto"


@dataclass(frozen=True)
class Authority:
    """A private certificate authority for one test."""

    folder: Path
    key: ec.EllipticCurvePrivateKey

    @property
    def ca_file(self) -> Path:
        return self.folder / "ca.pem"

    def issue(self, name: str) -> Path:
        """A PEM file with certificate and key for `name`, valid on loopback."""
        return _certificate(self.folder / f"{name}.pem", name, ec.generate_private_key(ec.SECP256R1()), self.key)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    _certificate(tmp_path / "ca.pem", "suyuan test authority", key, key)
    return Authority(tmp_path, key)


@pytest.fixture
def place(tmp_path: Path, migrated_sqlite: Path, authority: Authority) -> Iterator[Premises]:
    shutil.copy(migrated_sqlite, tmp_path / "suyuan.sqlite")
    shutil.copy(DEPLOY / "suyuan.acl", tmp_path / "suyuan.acl")
    broker_pem = authority.issue("broker")
    (tmp_path / "suyuan.acl").chmod(0o600)
    shutil.copy(DEPLOY / "dynamic-security.json", tmp_path / "dynamic-security.json")
    (plugin,) = Path("/usr/lib").glob("*/mosquitto_dynamic_security.so")
    of_gateways = (DEPLOY / "suyuan.conf").read_text().partition("# Readers")[0]
    settings = [
        line.replace("/etc/mosquitto/suyuan/ca.pem", str(authority.ca_file))
        .replace("/etc/mosquitto/suyuan/broker.pem", str(broker_pem))
        .replace("/etc/mosquitto/suyuan/broker.key", str(broker_pem))
        .replace("/etc/mosquitto/suyuan/suyuan.acl", str(tmp_path / "suyuan.acl"))
        .replace("/var/lib/mosquitto", str(tmp_path))
        .replace("/usr/lib/mosquitto_dynamic_security.so", str(plugin))
        for line in of_gateways.splitlines()
        if line and not line.startswith(("#", "listener", "per_listener"))
    ]
    with (
        broker_process(tmp_path, settings) as broker,
        premises(tmp_path, f"sqlite:///{tmp_path / 'suyuan.sqlite'}", broker) as opened,
    ):
        opened.environment = {
            "SUYUAN_MQTT_URL": f"mqtts://127.0.0.1:{broker.port}",
            "SUYUAN_MQTT_CA_FILE": str(authority.ca_file),
            "SUYUAN_MQTT_CERT": str(authority.issue("trace-server")),
        }
        opened.start("mqtt")
        yield opened


def with_certificate(gate: Gate, place: Premises, authority: Authority, name: str) -> None:
    """Let the gateway speak to the broker under a certificate for `name`."""
    config = replace(
        gate.sender._config,
        url=f"mqtts://127.0.0.1:{place.broker.port}",
        ca_file=str(authority.ca_file),
        cert_file=str(authority.issue(name)),
    )
    gate.link = gate.sender._link = open_link(config, gate.id)
    gate.link.answer_limit_s = 1.0


def test_a_gateway_with_its_own_certificate_delivers(place: Premises, authority: Authority) -> None:
    gate = place.open_gate("gate-1", "mqtt")
    with_certificate(gate, place, authority, "gate-1")
    gate.emit(range(1, 601))
    gate.drain()
    place.judge(gate)


def test_a_gateway_may_not_use_another_ones_topics(place: Premises, authority: Authority) -> None:
    gate = place.open_gate("gate-2", "mqtt")
    with_certificate(gate, place, authority, "gate-3")
    gate.emit([1])
    assert gate.sender.step() is not None
    assert gate.outbox.acked == 0
    assert "Not authorized" in gate.sender.state.last_error
    assert gate.sender.state.alarms
    assert place.held("gate-2") == {}


def test_a_revoked_gateway_loses_its_open_connection_and_keeps_its_events(
    place: Premises, authority: Authority
) -> None:
    gate = place.open_gate("gate-6", "mqtt")
    with_certificate(gate, place, authority, "gate-6")
    gate.emit([1, 2])
    gate.drain()
    revoke_gateway(place.db, datetime.now(UTC), "test", "gate-6")
    until(lambda: "Client suyuan-gate-6-uplink been disconnected" in place.broker.log(), "dropped", limit_s=60)
    gate.emit([3])
    until(lambda: gate.sender.step() is not None and gate.sender.state.alarms, "it says why", limit_s=30)
    assert "Not authorized" in gate.sender.state.last_error
    assert gate.outbox.acked == 2
    assert place.held("gate-6") == {1: 1, 2: 1}


def test_an_answer_above_the_brokers_limit_is_refused_and_costs_nobody_the_connection(
    tmp_path: Path, migrated_sqlite: Path
) -> None:
    shutil.copy(migrated_sqlite, tmp_path / "suyuan.sqlite")
    url = f"sqlite:///{tmp_path / 'suyuan.sqlite'}"
    settings = ("allow_anonymous true", "max_packet_size 6000")
    with broker_process(tmp_path, settings) as broker, premises(tmp_path, url, broker) as place:
        facts = {"source": "register", "as_of": "2026-01-01"}
        assets = [
            {"uri": f"https://id.gs1.org/8004/9521007{number:09d}", "tid": os.urandom(12).hex(), **facts}
            for number in range(1_000)
        ]
        blocklist.import_assets(place.db, {"assets": assets}, actor="test", now=datetime.now(UTC))
        blocklist.publish(place.db, datetime.now(UTC), actor="test")
        place.start("mqtt")
        gate = place.open_gate("gate-1", "mqtt")
        gate.sender._fetch_block_list()
        assert "larger than the broker takes" in gate.sender.state.last_error
        gate.emit(range(1, 11))
        gate.drain()
        place.judge(gate)
        assert place.log("mqtt").count("listening to gateways") == 1


# paho leaves the socket of a failed handshake to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_without_a_certificate_or_with_an_unknown_broker_nothing_is_sent(place: Premises, authority: Authority) -> None:
    gate = place.open_gate("gate-4", "mqtt")
    with_certificate(gate, place, authority, "gate-4")
    gate.emit([1])
    bare = replace(gate.link._config, cert_file="")  # type: ignore[attr-defined]
    stranger = replace(gate.link._config, ca_file="")  # type: ignore[attr-defined]
    for config, why in ((bare, "broker"), (stranger, "certificate is not valid")):
        link = open_link(config, gate.id)
        with pytest.raises((Retryable, Refused), match=why):
            link.get("/api/v1/gateways/block-list", {})
        link.close()
    gate.drain()
    place.judge(gate)


def _certificate(
    path: Path, name: str, key: ec.EllipticCurvePrivateKey, issuer_key: ec.EllipticCurvePrivateKey
) -> Path:
    now = datetime.now(UTC)
    is_ca = key is issuer_key
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "suyuan test authority")]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(certificate.public_bytes(Encoding.PEM) + (b"" if is_ca else pem))
    return path
