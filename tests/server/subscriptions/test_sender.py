"""Deliveries by https: the certificate must be good for the name of the destination, not for its address."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests.adapters

from tests.certificates import Authority
from tests.server.subscriptions.receiver import Receiver, receiving
from trace_server.subscriptions import sender
from trace_server.subscriptions.addresses import read_target
from trace_server.subscriptions.model import DeliveryFailed

HOSTS = frozenset({"127.0.0.1", "localhost"})


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.make(tmp_path / "authority")


@pytest.fixture
def secure(authority: Authority) -> Iterator[Receiver]:
    """A receiver whose certificate names 127.0.0.1 alone."""
    made = authority.issue("receiver")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)
    with receiving(context) as receiver:
        yield receiver


def test_a_good_certificate_is_taken(secure: Receiver, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(authority.ca_file))
    sender.post(read_target(f"{secure.url}/hook", HOSTS), b"{}", {})
    assert [body for _, body in secure.got] == [b"{}"]


def test_a_certificate_for_the_address_is_none_for_the_name(
    secure: Receiver, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(authority.ca_file))
    with pytest.raises(DeliveryFailed, match="certificate"):
        sender.post(read_target(f"{secure.url}/".replace("127.0.0.1", "localhost"), HOSTS), b"{}", {})
    assert secure.got == []


def test_an_unknown_authority_is_refused(secure: Receiver) -> None:
    with pytest.raises(DeliveryFailed, match="certificate"):
        sender.post(read_target(f"{secure.url}/", HOSTS), b"{}", {})
    assert secure.got == []
