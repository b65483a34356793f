"""设备代码: what can be one is read, what cannot says which part is wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trace_core.errors import IdentifierError
from trace_server.equipment import device_code
from trace_server.equipment.device_code import DeviceCode
from trace_server.equipment.kinds import kind_of, kinds

EXAMPLE = "215010890201500098"
YEAR = 2026


def test_the_example_of_the_standard_is_read_by_its_parts() -> None:
    read = device_code.parse(" 2150 10890 2015 00098 ", latest_year=YEAR)
    assert read == DeviceCode("2150", "10890", 2015, "00098")
    assert str(read) == EXAMPLE


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (EXAMPLE[:-1], device_code.BadLengthError),
        ("", device_code.BadLengthError),
        ("7" + EXAMPLE[1:], device_code.BadKindError),
        ("0" + EXAMPLE[1:], device_code.BadKindError),
        ("2150X0890201500098", device_code.BadMakerError),
        ("215010890194900098", device_code.BadYearError),
        ("215010890202700098", device_code.BadYearError),
        ("21501089020150009X", device_code.BadSerialError),
        ("２１５０10890201500098", device_code.BadKindError),
    ],
)
def test_a_wrong_part_is_named(text: str, error: type[IdentifierError]) -> None:
    with pytest.raises(error) as caught:
        device_code.parse(text, latest_year=YEAR)
    assert caught.value.where == "device_code"
    assert type(caught.value) is error


@given(st.text(max_size=24))
def test_no_text_raises_anything_else(text: str) -> None:
    try:
        read = device_code.parse(text, latest_year=YEAR)
    except IdentifierError:
        return
    assert str(read) == "".join(text.split()).upper()


@given(
    st.integers(1000, 9999).filter(lambda kind: kind // 1000 != 7),
    st.from_regex(r"[0-9]{2}[0-9A-Z]{3}", fullmatch=True),
    st.integers(1950, YEAR),
    st.integers(0, 99_999),
)
def test_what_is_written_is_read_back(kind: int, maker: str, year: int, serial: int) -> None:
    code = DeviceCode(str(kind), maker, year, f"{serial:05}")
    assert device_code.parse(str(code), latest_year=YEAR) == code


def test_the_finest_beginning_names_the_kind() -> None:
    assert [kind_of(code) for code in ("3110", "2320", "2330", EXAMPLE, "")] == [
        "lift",
        "lpg_cylinder",
        "cylinder",
        "pressure_vessel",
        "",
    ]


def test_every_default_period_has_its_basis_and_day() -> None:
    for row in kinds().values():
        assert row.basis
        assert row.title_en
        assert row.effective_from
    assert kinds()["lift"].maintenance_days == 15
