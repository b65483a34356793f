"""Where webhooks may go: https to public addresses, and never through this server to what stands beside it.

The name is resolved once and the connection goes to the address that was checked: a name that answers otherwise a
moment later gains nothing. Source: OWASP ASVS 5.0, 1.3.6 and 15.3.2 (server-side request forgery).
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from trace_server.subscriptions.model import DeliveryFailed, SubscriptionInvalid

MAX_URL: Final = 2000
_TRANSLATIONS: Final = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"),
                        ipaddress.IPv6Network("2002::/16"), ipaddress.IPv6Network("2001::/32"))  # fmt: skip
"""IPv6 ranges that lead to IPv4 addresses (NAT64, 6to4, Teredo): they could hide a private one."""


@dataclass(frozen=True, slots=True)
class Target:
    """A destination. `allowed` when the operator has named its host: then also plain HTTP and private addresses."""

    scheme: str
    host: str
    port: int
    path: str
    is_allowed: bool

    @property
    def authority(self) -> str:
        """Host and port as the Host header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.scheme == "https" else 80) else f"{host}:{self.port}"


def parse_hosts(setting: str) -> frozenset[str]:
    """The hosts of `webhook_hosts`."""
    return frozenset(name.strip().lower() for name in setting.split(",") if name.strip())


def read_target(url: str, hosts: Collection[str]) -> Target:
    """The destination `url`, as far as that can be said without a look-up. Raises `SubscriptionInvalid`."""
    where = "dest"
    if len(url) > MAX_URL or not url.isascii() or any(c <= " " or c == "\x7f" for c in url) or "\\" in url:
        raise SubscriptionInvalid("the destination is no URL", where=where, remedy="https://host/path")
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError as error:
        raise SubscriptionInvalid("the destination is no URL", where=where, remedy="https://host/path") from error
    is_allowed = host in hosts
    if parts.scheme != "https" and not (parts.scheme == "http" and is_allowed):
        raise SubscriptionInvalid("the destination must be https", where=where, remedy="https://host/path")
    if not host or parts.username is not None or parts.password is not None or parts.fragment or port == 0:
        raise SubscriptionInvalid(
            "the destination has no host, or a user or fragment", where=where, remedy="https://host/path"
        )
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    target = Target(parts.scheme, host, port or (443 if parts.scheme == "https" else 80), path, is_allowed)
    literal = _literal(host)
    if literal is not None and not is_allowed and not is_public(literal):
        raise SubscriptionInvalid("the destination is no public address", where=where)
    return target


def resolve(target: Target) -> str:
    """The address to connect to. Raises `DeliveryFailed` when there is none or any of them is not public."""
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise DeliveryFailed("the name of the receiver cannot be resolved", where=target.authority) from error
    addresses = [str(entry[4][0]).partition("%")[0] for entry in found]
    if not target.is_allowed and not all(is_public(ipaddress.ip_address(address)) for address in addresses):
        raise DeliveryFailed("the name of the receiver leads to an address that is not public", where=target.authority)
    return addresses[0]


def is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """True for a unicast address of the public Internet."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if any(address in network for network in _TRANSLATIONS):
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
