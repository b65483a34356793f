"""A printed code at a gate is an event of the thing that it names, or is kept with the reason why not."""

from __future__ import annotations

import pytest

from gateway_agent.answering import identify
from gateway_agent.codes import as_read
from trace_core.readers._base import BadBytes, CodeRead, TagRead

ITEM = "https://id.gs1.org/01/06901234567892/10/L1/21/1000000001"


def test_a_code_with_a_serial_is_the_thing_that_its_tag_would_be() -> None:
    read = as_read(CodeRead("010690123456789210L1\x1d211000000001", "]d2", ITEM))
    assert isinstance(read, TagRead)
    tag = bytes.fromhex("3035A537C83775403B9ACA01")
    assert identify(read.epc).canonical == identify(tag).canonical


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        (None, "code-without-gs1-key"),
        ("https://id.gs1.org/01/06901234567892", "code-of-a-class"),
        ("https://id.gs1.org/01/06901234567892/10/L1", "code-of-a-class"),
        ("https://id.gs1.org/414/9521007000011", "code-of-no-goods"),
        ("https://id.gs1.org/01/06901234567891", "bad-code"),
    ],
)
def test_what_names_no_single_thing_is_kept_with_its_reason(uri: str | None, reason: str) -> None:
    kept = as_read(CodeRead("as scanned", None, uri))
    assert kept == BadBytes(reason, b"as scanned")


def test_an_sscc_names_a_thing() -> None:
    read = as_read(CodeRead("00795210018717852249", "]C1", "https://id.gs1.org/00/795210018717852249"))
    assert isinstance(read, TagRead)
