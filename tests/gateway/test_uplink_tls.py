"""The way to the server is authenticated: a wrong certificate sends nothing and says why."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from gateway_agent.config import ServerConfig
from gateway_agent.server_link import ServerLink
from tests.gateway.cursor_server import CursorServer, cursor_server
from trace_core.errors import Retryable


def write_certificate(path: Path, *, host: str, days: int) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test server")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=40))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(pem + certificate.public_bytes(Encoding.PEM))


@pytest.fixture
def server() -> Iterator[CursorServer]:
    with cursor_server() as running:
        yield running


def ask(server: CursorServer, ca_file: str) -> int:
    link = ServerLink(ServerConfig(f"https://127.0.0.1:{server.server_port}", ca_file, 2.0, 0.0, 1.0))
    try:
        return link.post("/api/v1/gateways/enrol", b'{"code": "none"}', {}).status
    finally:
        link.close()


def serve(server: CursorServer, certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)


def test_a_server_with_the_certificate_of_our_authority_is_spoken_to(server: CursorServer, tmp_path: Path) -> None:
    write_certificate(tmp_path / "good.pem", host="127.0.0.1", days=1)
    serve(server, tmp_path / "good.pem")
    assert ask(server, str(tmp_path / "good.pem")) == 403


@pytest.mark.parametrize(
    ("host", "days", "trusted", "why"),
    [
        ("127.0.0.1", 1, False, "self-signed"),
        ("127.0.0.1", -1, True, "expired"),
        ("127.0.0.2", 1, True, "IP address mismatch"),
    ],
)
def test_a_wrong_certificate_is_refused_before_anything_is_sent(
    server: CursorServer, tmp_path: Path, host: str, days: int, trusted: bool, why: str
) -> None:
    write_certificate(tmp_path / "cert.pem", host=host, days=days)
    serve(server, tmp_path / "cert.pem")
    with pytest.raises(Retryable, match=why) as caught:
        ask(server, str(tmp_path / "cert.pem") if trusted else "")
    assert "check the clock" in caught.value.remedy
    assert server.requests == []
