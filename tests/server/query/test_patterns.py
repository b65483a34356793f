"""EPC patterns: one value of every scheme is found by each pattern it belongs to, and by no other."""

from __future__ import annotations

import pytest

from trace_core.ids.canonical import canonical_uri
from trace_server.query.patterns import pattern

SCHEMES = (
    "sgtin:0614141.112345.400", "sgtin:0614141.012345.a%2Fb", "sgtin:061414112345.0.1", "sgtin:061414.1123456.7",
    "sscc:0614141.1234567890", "sgln:0614141.12345.400", "sgln:0614141.12345.0", "sgln:061414112345..0",
    "pgln:0614141.12345", "grai:0614141.12345.400", "giai:0614141.12345400", "giai:061414112345.1",
    "gsrn:0614141.1234567890", "gsrnp:0614141.1234567890", "gdti:0614141.12345.400", "cpi:0614141.123ABC.123456789",
    "sgcn:4012345.67890.04711", "ginc:0614141.xyz3311cba", "gsin:0614141.123456789", "itip:4012345.012345.01.02.987",
    "upui:1234567.089456.51qIgY)%3C%26Jp3*j7'SDB", "usdod:CAGEY.5678", "adi:35962.PQ7VZ4.M37GXB92",
    "gid:95100000.12345.400",
    "imovn:9176187", "bic:CSQU3054383",
)  # fmt: skip
CLASSES = ("lgtin:4012345.012345.998877", "lgtin:4012345.112345.A%2FB")


@pytest.mark.parametrize("text", SCHEMES)
def test_each_scheme_is_found_by_its_patterns(text: str) -> None:
    uri = canonical_uri(f"urn:epc:id:{text}")
    check(uri, text)


@pytest.mark.parametrize("text", CLASSES)
def test_each_class_is_found_by_its_patterns(text: str) -> None:
    check(canonical_uri(f"urn:epc:class:{text}"), text)


def check(uri: str, text: str) -> None:
    scheme, _, rest = text.partition(":")
    parts = rest.split(".")
    for kept in range(len(parts) + 1):
        wild = [*parts[:kept], *["*"] * (len(parts) - kept)]
        assert pattern(f"urn:epc:idpat:{scheme}:{'.'.join(wild)}")(uri), wild
        other = [*wild]
        if kept:
            other[kept - 1] = "".join("1" if digit == "0" else "0" for digit in other[kept - 1]) or "1"
            assert not pattern(f"urn:epc:idpat:{scheme}:{'.'.join(other)}")(uri), other
    assert not pattern(f"urn:epc:idpat:{scheme}:{'.'.join([*parts, '*'])}")(uri)
    different = "sscc" if scheme != "sscc" else "sgtin"
    assert not pattern(f"urn:epc:idpat:{different}:{'.'.join('*' * len(parts))}")(uri)


def test_the_pattern_decides_where_the_company_prefix_ends() -> None:
    uri = canonical_uri("urn:epc:id:sgtin:0614141.112345.400")
    assert not pattern("urn:epc:idpat:sgtin:06141412.*.*")(uri)
    assert not pattern("urn:epc:idpat:sgtin:061414.*.*.*")(uri)
    assert pattern("urn:epc:idpat:sgtin:06141411.12345.*")(uri), "a link does not say where its prefix ends"


def test_a_link_pattern_finds_serials_of_one_class_only() -> None:
    fits = pattern("https://ex.example/01/10614141123459/21/*")
    assert fits(canonical_uri("urn:epc:id:sgtin:0614141.112345.400"))
    assert not fits(canonical_uri("urn:epc:id:sgtin:0614141.112346.400"))
    assert not fits("https://id.gs1.org/01/10614141123459")
