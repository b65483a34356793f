"""Signatures of printed codes."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.server.portal import make
from trace_core.errors import ConfigError
from trace_server.portal.signature import ALPHABET, DOMAIN, CodeKeys, grouped, read_typed

OLD = f"A:{'o' * 32}"
NEW = f"B:{'n' * 32}"
URI = make.CODE.uri


def test_a_signature_is_the_first_65_bits_of_the_mac() -> None:
    mac = hmac.digest(make.SECRET.encode(), DOMAIN + URI.encode(), hashlib.sha256)
    bits = bin(int.from_bytes(mac, "big"))[2:].zfill(256)[:65]
    expected = "".join(ALPHABET[int(bits[start : start + 5], 2)] for start in range(0, 65, 5))
    bare = make.SECRET.replace(",", ";")
    assert CodeKeys.parse(bare).sign(URI)[0] == "1"
    assert CodeKeys("1", {"1": make.SECRET.encode()}).sign(URI) == f"1{expected}"


@given(st.text(max_size=20))
def test_no_other_text_verifies(text: str) -> None:
    keys = CodeKeys.parse(NEW)
    assert keys.verifies(text, URI) == (text == keys.sign(URI))


@given(st.integers(0, 13), st.sampled_from(ALPHABET))
def test_one_changed_character_breaks_it(position: int, character: str) -> None:
    keys = CodeKeys.parse(NEW)
    good = keys.sign(URI)
    changed = good[:position] + character + good[position + 1 :]
    assert keys.verifies(changed, URI) == (changed == good)


def test_labels_under_the_old_key_stay_valid_after_a_rotation() -> None:
    printed = CodeKeys.parse(OLD).sign(URI)
    rotated = CodeKeys.parse(f"{NEW},{OLD}")
    assert rotated.verifies(printed, URI)
    assert rotated.sign(URI).startswith("B")
    assert not CodeKeys.parse(NEW).verifies(printed, URI)


def test_a_signature_survives_being_read_aloud_and_typed() -> None:
    signature = CodeKeys.parse(NEW).sign(URI)
    assert read_typed(f" {grouped(signature).lower()} ") == signature
    assert read_typed("oil-0") == "0110"


def test_without_a_key_nothing_is_signed_or_valid() -> None:
    keys = CodeKeys.parse("")
    assert not keys.verifies("1" * 14, URI)
    with pytest.raises(ConfigError):
        keys.sign(URI)


@pytest.mark.parametrize("setting", [f"{NEW},short", f"{NEW},B:{'x' * 32}", f"{NEW},{'y' * 40}"])
def test_a_broken_list_of_keys_stops_the_start(setting: str) -> None:
    with pytest.raises(ConfigError):
        CodeKeys.parse(setting)
