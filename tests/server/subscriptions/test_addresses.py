"""Webhooks go to public addresses by https; the check cannot be talked round."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from trace_server.subscriptions.addresses import parse_hosts, read_target, resolve
from trace_server.subscriptions.model import DeliveryFailed, SubscriptionInvalid

PRIVATE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1",
    "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:7f00:1::",
]  # fmt: skip


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "ftp://example.com/", "https://", "https:///x", "//example.com", "example.com",
        "https://user@example.com/", "https://user:word@example.com/", "https://example.com/#part",
        "https://example.com:0/", "https://example.com:99999/", "https://example.com:x/", "https://[::1/",
        "https://exa mple.com/", "https://example.com/\r\nX: y", "https://ex\u00e4mple.com/", "https://a\\b/",
        "https://example.com/" + "a" * 2000, *(f"https://{f'[{one}]' if ':' in one else one}/" for one in PRIVATE),
    ],
)  # fmt: skip
def test_destinations_that_cannot_be_are_refused(url: str) -> None:
    with pytest.raises(SubscriptionInvalid):
        read_target(url, frozenset())


@pytest.mark.parametrize("address", PRIVATE)
def test_a_name_that_leads_to_a_private_address_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def answers(*_: Any, **__: Any) -> list[Any]:
        public = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 443))
        return [public, (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, 443))]

    monkeypatch.setattr(socket, "getaddrinfo", answers)
    with pytest.raises(DeliveryFailed):
        resolve(read_target("https://example.com/", frozenset()))


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "017700000001", "localhost"])
def test_other_spellings_of_loopback_are_refused_when_resolved(host: str) -> None:
    with pytest.raises(DeliveryFailed):
        resolve(read_target(f"https://{host}/", frozenset()))


def test_named_hosts_may_be_private_and_plain() -> None:
    hosts = parse_hosts(" hooks.internal , 127.0.0.1")
    target = read_target("http://127.0.0.1:8000/a?b=c", hosts)
    assert (resolve(target), target.path, target.authority) == ("127.0.0.1", "/a?b=c", "127.0.0.1:8000")
    with pytest.raises(SubscriptionInvalid):
        read_target("http://127.0.0.2/", hosts)
