"""GS1 keys: one spelling for what is valid, an IdentifierError for the rest."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trace_core.errors import IdentifierError
from trace_core.ids import gs1

DIGITS = st.text("0123456789", min_size=1, max_size=20)
VALIDATORS: tuple[Callable[[str], str], ...] = (
    gs1.require_check_digit,
    gs1.gtin,
    gs1.gln,
    gs1.sscc,
    gs1.gsin,
    gs1.gsrn,
    gs1.grai,
    gs1.gdti,
    gs1.gcn,
    gs1.giai,
    gs1.ginc,
    gs1.cpid,
    gs1.gmn,
    gs1.lot,
    gs1.serial,
)


@pytest.mark.parametrize(
    ("payload", "check"), [("690123456789", "2"), ("629104150021", "3"), ("09520123456789123", "5"), ("0", "0")]
)
def test_the_check_digit_is_that_of_the_specification(payload: str, check: str) -> None:
    assert gs1.check_digit(payload) == check


@given(DIGITS)
def test_the_check_digit_agrees_with_the_definition(payload: str) -> None:
    total = sum(int(c) * (3 if i % 2 == 0 else 1) for i, c in enumerate(reversed(payload)))
    assert gs1.check_digit(payload) == str((10 - total % 10) % 10)


@given(DIGITS, st.data())
def test_one_wrong_digit_is_always_noticed(payload: str, data: st.DataObject) -> None:
    code = payload + gs1.check_digit(payload)
    assert gs1.require_check_digit(code) == code
    place = data.draw(st.integers(0, len(code) - 1))
    wrong = data.draw(st.sampled_from([d for d in "0123456789" if d != code[place]]))
    with pytest.raises(IdentifierError, match="check digit"):
        gs1.require_check_digit(code[:place] + wrong + code[place + 1 :])


@pytest.mark.parametrize(
    ("given_text", "normal"),
    [
        ("96385074", "00000096385074"),
        ("614141007349", "00614141007349"),
        ("6901234567892", "06901234567892"),
        ("80614141123458", "80614141123458"),
    ],
)
def test_every_length_of_gtin_becomes_14_digits(given_text: str, normal: str) -> None:
    assert gs1.gtin(given_text) == gs1.gtin14(given_text) == normal


@pytest.mark.parametrize("text", ["", "6901234567893", "690123456789", "69012345678９2", "6901234567892 ", "²" * 13])
def test_a_gtin_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(IdentifierError):
        gs1.gtin(text)


@pytest.mark.parametrize(
    ("validate", "text"),
    [
        (gs1.gln, "9521141123454"),
        (gs1.sscc, "095201234567891235"),
        (gs1.gsin, "73500538500000018"[:16] + gs1.check_digit("7350053850000001")),
        (gs1.gsrn, "952114112345678906"),
        (gs1.grai, "095211411234545678"),
        (gs1.grai, "09521141123454"),
        (gs1.gdti, "952114112345432a/b"),
        (gs1.gcn, "952114167890904711"),
        (gs1.giai, "952114132a/b"),
        (gs1.ginc, "9521141ABC"),
        (gs1.cpid, "9521141AB#12-3/4"),
        (gs1.gmn, "1987654Ad4X4bL5ttr2310c2K"),
        (gs1.lot, "L/2026-11_a"),
        (gs1.serial, "1"),
    ],
)
def test_a_valid_key_comes_back_as_it_is(validate: Callable[[str], str], text: str) -> None:
    assert validate(text) == text


@pytest.mark.parametrize(
    ("validate", "text"),
    [
        (gs1.gln, "9521141123455"),
        (gs1.sscc, "95201234567891235"),
        (gs1.grai, "195211411234545678"),
        (gs1.gdti, "9521141123454" + "x" * 18),
        (gs1.gcn, "9521141678909A4711"),
        (gs1.giai, "A52114132a"),
        (gs1.giai, "9" * 31),
        (gs1.cpid, "9521141ab"),
        (gs1.gmn, "1987654Ad4X4bL5ttr2310c2L"),
        (gs1.lot, ""),
        (gs1.lot, "x" * 21),
        (gs1.lot, "批次"),
        (gs1.serial, "a b"),
        (gs1.serial, "a\u202eb"),
        (gs1.serial, "a#b"),
    ],
)
def test_an_invalid_key_is_refused(validate: Callable[[str], str], text: str) -> None:
    with pytest.raises(IdentifierError):
        validate(text)


def test_a_company_prefix_is_cut_behind_the_indicator() -> None:
    assert gs1.company_prefix("80614141123458", 7) == "0614141"
    assert gs1.company_prefix("9521141123454", 7) == "9521141"
    with pytest.raises(IdentifierError):
        gs1.company_prefix("80614141123458", 5)


@given(st.text(max_size=40) | st.text(gs1.CHARSET_82, max_size=40))
def test_any_text_is_taken_or_refused_with_an_identifier_error(text: str) -> None:
    for validate in VALIDATORS:
        try:
            assert validate(text).isascii()
        except IdentifierError as error:
            assert str(error).isprintable()
