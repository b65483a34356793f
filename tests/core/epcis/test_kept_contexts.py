"""Contexts and names are remembered: what one document declared never reaches another."""

from __future__ import annotations

import pytest

from trace_core.epcis.jsonld import STANDARD, STANDARD_CONTEXT
from trace_core.errors import EventError


def test_the_same_key_means_what_its_own_document_declares() -> None:
    one = STANDARD.extended([STANDARD_CONTEXT, {"ex": "https://one.example/"}], "/@context")
    other = STANDARD.extended([STANDARD_CONTEXT, {"ex": "https://two.example/"}], "/@context")
    for _ in range(2):
        assert one.name("ex:a", "") == "{https://one.example/}a"
        assert other.name("ex:a", "") == "{https://two.example/}a"
        assert STANDARD.name("ex:a", "") == "{ex:}a"
    assert one.extended({"ex": "https://three.example/"}, "").name("ex:a", "") == "{https://three.example/}a"


@pytest.mark.parametrize("place", ["/@context", "/epcisBody/eventList/3/@context"])
def test_a_bad_context_is_named_with_the_place_of_each_document(place: str) -> None:
    for _ in range(2):
        with pytest.raises(EventError) as caught:
            STANDARD.extended([STANDARD_CONTEXT, {"ex": "not an address"}], place)
        assert caught.value.where == f"{place}/1/ex"


def test_a_bad_name_is_named_with_the_place_of_each_document() -> None:
    context = STANDARD.extended([{"ex": "https://one.example/"}], "/@context")
    for place in ("/ex:a b", "/epcisBody/eventList/3/ex:a b"):
        with pytest.raises(EventError) as caught:
            context.name("ex:a b", place)
        assert caught.value.where == place


def test_thousands_of_names_and_contexts_are_read_though_few_are_kept() -> None:
    for number in range(300):
        context = STANDARD.extended([{"ex": f"https://{number}.example/"}], "/@context")
        assert context.name("ex:a", "") == f"{{https://{number}.example/}}a"
    assert [context.name(f"ex:{n}", "") for n in range(1000)] == [f"{{https://299.example/}}{n}" for n in range(1000)]
    long = "x" * 10_000
    assert context.name(f"ex:{long}", "") == f"{{https://299.example/}}{long}"
    assert STANDARD.extended([{"ex": f"https://{long}/"}], "").name("ex:a", "") == f"{{https://{long}/}}a"
