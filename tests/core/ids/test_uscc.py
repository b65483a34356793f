"""Unified social credit codes: the vectors of the standard and what may become a key."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trace_core.errors import IdentifierError
from trace_core.ids import uscc

VALID = (
    "91350100M000100Y43",
    "91110000101623741K",
    "91320900MA1T000210",  # remainder 0
    "91320900MA1T00208Y",  # remainder 1
    "91320900MA1T0003XP",  # check of the subject id is X
)


@pytest.mark.parametrize("code", VALID)
def test_a_valid_code_is_taken_apart(code: str) -> None:
    found = uscc.parse(code)
    assert (found.code, found.check_ok, found.subject_check_ok, found.warnings) == (code, True, True, ())
    assert found.kind == "企业"
    assert code == "91" + found.region + found.subject_id + code[-1]


@pytest.mark.parametrize(
    "text",
    ["91350100M000100Y4Z", "91350100M000100Y44", "91350100M000100Y4", "", "91350A00M000100Y43", "9" * 65, "9135\x000"],
)
def test_an_invalid_code_is_refused(text: str) -> None:
    assert not uscc.is_valid(text)
    with pytest.raises(IdentifierError):
        uscc.parse(text)


@pytest.mark.parametrize(
    "text", [" 91350100m000100y43\n", "９１３５０１００Ｍ０００１００Ｙ４３", "\u300091350100M000100Y43"]
)
def test_width_case_and_blanks_do_not_count(text: str) -> None:
    assert uscc.parse(text).code == "91350100M000100Y43"


def test_a_registered_code_with_a_wrong_check_is_taken_from_a_register_only() -> None:
    with pytest.raises(IdentifierError, match="check character"):
        uscc.parse("91350211M0000XUF46")
    found = uscc.parse_registered("91350211M0000XUF46")
    assert not found.check_ok
    assert found.warnings == ("check",)


@pytest.mark.parametrize("parse", [uscc.parse, uscc.parse_registered])
def test_the_sentinel_is_known_and_never_a_key(parse: object) -> None:
    assert uscc.is_sentinel(" 00000000000000000x")
    assert not uscc.is_sentinel("91350100M000100Y43")
    assert not uscc.is_sentinel("0" * 100)
    assert callable(parse)
    with pytest.raises(IdentifierError, match="unknown code"):
        parse(uscc.SENTINEL)


def test_an_unknown_kind_and_a_wrong_subject_check_are_warnings() -> None:
    body = "98350100M000100Y0"
    found = uscc.parse(body + uscc.check_character(body))
    assert found.kind is None
    assert found.warnings == ("unknown-kind", "subject-check")


@given(
    st.sampled_from(sorted(uscc.KINDS)),
    st.text("0123456789", min_size=6, max_size=6),
    st.text(uscc.ALPHABET, min_size=8, max_size=8),
    st.data(),
)
def test_every_code_with_its_checks_is_valid_and_one_wrong_character_is_noticed(
    kind: str, region: str, subject: str, data: st.DataObject
) -> None:
    body = kind + region + subject + uscc.subject_check_character(subject)
    code = body + uscc.check_character(body)
    assert uscc.parse(code).warnings == ()
    place = data.draw(st.integers(0, 17))
    wrong = data.draw(st.sampled_from([c for c in uscc.ALPHABET if c != code[place]]))
    assert not uscc.is_valid(code[:place] + wrong + code[place + 1 :])


@given(st.text(max_size=80) | st.text(uscc.ALPHABET + "ISOZVx", min_size=17, max_size=19))
def test_any_text_is_taken_or_refused_with_an_identifier_error(text: str) -> None:
    for parse in (uscc.parse, uscc.parse_registered):
        try:
            assert len(parse(text).code) == uscc.LENGTH
        except IdentifierError as error:
            assert error.what
