from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.epcis.make import load
from trace_core.ids.canonical import CANONICAL_DOMAIN, canonical_uri, object_key

SERIALS = st.text("ABCabc019!\"%&'()*+,-./:;<=>?_", min_size=1, max_size=20)


@pytest.mark.parametrize(("uri", "expected"), load("canonical_uri.json")["pairs"])
def test_a_published_identifier_has_the_published_link(uri: str, expected: str) -> None:
    assert canonical_uri(uri) == expected


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("urn:epc:class:lgtin:4054739.099914.20160711", "01/04054739999148/10/20160711"),
        ("urn:epc:idpat:sgtin:4054739.099914.*", "01/04054739999148"),
        ("urn:epc:idpat:upui:4054739.099914.*", "01/04054739999148"),
        ("urn:epc:idpat:grai:4012345.66666.*", "8003/04012345666663"),
        ("urn:epc:idpat:gdti:4012345.55555.*", "253/4012345555554"),
        ("urn:epc:idpat:sgcn:4012345.99999.*", "255/4012345999990"),
        ("urn:epc:idpat:cpi:4012345.ABC.*", "8010/4012345ABC"),
        ("urn:epc:idpat:itip:4012345.012345.01.02.*", "8006/040123451234560102"),
        ("urn:epc:id:sgcn:4012345.99999.44", "255/401234599999044"),
        ("urn:epc:id:sgtin:4012345.011111.a+b,c:d;e=f", "01/04012345111118/21/a%2Bb%2Cc%3Ad%3Be%3Df"),
        ("urn:epc:id:sgtin:4012345.011111.a%2fb", "01/04012345111118/21/a%2Fb"),
        ("HTTPS://ID.GS1.ORG/01/04012345111118/21/1", "01/04012345111118/21/1"),
        ("http://shop.example:8080/x/y/01/4012345111118", "01/04012345111118"),
        ("https://a.example/01/96385074", "01/00000096385074"),
        ("https://a.example/01/04012345111118/22/v/10/L/21/S?17=261231#top", "01/04012345111118/21/S"),
        ("https://a.example/01/04012345111118/10/L%2F1/", "01/04012345111118/10/L%2F1"),
        ("https://a.example/01/04012345111118/22/v", "01/04012345111118"),
        ("https://a.example/gtin/04012345111118/lot/L", "01/04012345111118/10/L"),
        ("https://a.example/414/4012345000054/254/12", "414/4012345000054/254/12"),
        ("https://a.example/8010/4012345ABC/8011/7", "8010/4012345ABC/8011/7"),
        ("https://a.example/8018/401234500000067657/8019/2", "8018/401234500000067657/8019/2"),
        ("https://a.example/253/4012345000092PO-4711", "253/4012345000092PO-4711"),
        ("https://a.example/8004/4012345ABC", "8004/4012345ABC"),
    ],
)
def test_every_spelling_gives_the_canonical_link(uri: str, path: str) -> None:
    assert canonical_uri(uri) == CANONICAL_DOMAIN + path


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "urn:epc:",
        "urn:epc:id:sgtin",
        "urn:epc:id:sgtin:4012345.01111.1",
        "urn:epc:id:sgtin:4012345.0111x1.1",
        "urn:epc:id:sgtin:4012345.011111",
        "urn:epc:id:sgtin:4012345.011111.",
        "urn:epc:id:sgtin:4012345.011111.123456789012345678901",
        "urn:epc:id:sgtin:4012345.011111.a%zz",
        "urn:epc:id:sgtin:4012345.011111.a%20b",
        "urn:epc:id:sgtin:٤٠١٢٣٤٥.٠١١١١١.١",
        "urn:epc:id:sgln:4012345.00005",
        "urn:epc:id:sscc:4012345.1",
        "urn:epc:id:giai:40.1",
        "urn:epc:id:cpi:4012345.abc.1",
        "urn:epc:id:cpi:4012345.ABC.x",
        "urn:epc:id:itip:4012345.012345.1.02.9",
        "urn:epc:id:gdti:4012345.55555",
        "urn:epc:id:gdti:4012345.5555.1",
        "urn:epc:id:cpi:40.ABC.1",
        "urn:epc:idpat:sgtin:4012345.01111.*",
        "urn:epc:id:sgcn:4012345.99999.A",
        "urn:epc:idpat:sgtin:4012345.*.*",
        "urn:epc:idpat:grai:4012345.66666.1",
        "urn:epc:id:gid:95100000.12345.400",
        "urn:epc:tag:sgtin-96:3.4012345.011111.1",
        "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
        "http://transaction.acme.com/po/12345678",
        "https://example.com/01/04012345111",
        "https://example.com/01/0401234511111x/21/1",
        "https://example.com/01/04012345111118/21",
        "https://example.com/01/04012345111118/99/1",
        "https://example.com/01/04012345111118/21/%20",
        "https://example.com/253/401234500009x",
        "https://example.com/01/04012345111118/21/1/21/2",
        "https:///01/04012345111118",
        "httpx://a/01/04012345111118",
        "https://例.example/01/04012345111118",
        "geo:47.506694,11.104301",
    ],
)
def test_what_is_no_gs1_identifier_comes_back_unchanged(uri: str) -> None:
    assert canonical_uri(uri) == uri


@given(st.text(max_size=60) | st.text("urn:epcidsgtl0123456789./*%-", max_size=60).map(lambda t: f"urn:epc:id:{t}"))
def test_any_text_is_taken_and_a_second_time_changes_nothing(text: str) -> None:
    once = canonical_uri(text)
    assert canonical_uri(once) == once


@given(SERIALS)
def test_urn_and_link_of_one_serial_meet(serial: str) -> None:
    escaped = "".join(c if c.isalnum() or c in "-._!'()*+,:;=" else f"%{ord(c):02x}" for c in serial)
    everything = "".join(f"%{ord(c):02X}" for c in serial)
    links = {
        canonical_uri(f"urn:epc:id:sgtin:4012345.011111.{escaped}"),
        canonical_uri(f"https://example.com/01/04012345111118/21/{everything}"),
    }
    assert len(links) == 1
    assert links.pop().startswith(CANONICAL_DOMAIN)


@given(st.integers(0, 10**12 - 1), st.integers(0, 9))
def test_the_check_digit_is_the_one_that_makes_the_weighted_sum_a_multiple_of_ten(prefix: int, item: int) -> None:
    gtin = canonical_uri(f"urn:epc:id:sgtin:{prefix:012}.{item}.1").split("/")[4]
    assert sum(int(d) * (3 if i % 2 == 0 else 1) for i, d in enumerate(gtin)) % 10 == 0


def test_an_object_key_is_half_a_sha_256_of_the_link() -> None:
    link = "https://id.gs1.org/01/04012345111118/21/9876"
    assert object_key("urn:epc:id:sgtin:4012345.011111.9876") == object_key(link) == sha256(link.encode()).digest()[:16]
