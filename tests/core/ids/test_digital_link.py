"""Digital Links: the vectors of GS1's own syntax engine, round trips, and everything that is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trace_core.errors import ConfigError, IdentifierError
from trace_core.ids import digital_link
from trace_core.ids.application_identifiers import FORMATS, QUALIFIERS
from trace_core.ids.digital_link import DigitalLink, parse
from trace_core.ids.gs1 import CHARSET_82, check_digit

GTIN = "09506000134352"
FIXED_LENGTH = re.compile("0[0-4]|1[1-9]|20|3[1-6]|41")
"""First two digits of identifiers that need no separator behind their value (General Specifications 7.8.5)."""


def test_every_vector_of_the_syntax_engine_agrees(conformance: Path) -> None:
    vectors = json.loads((conformance / "digital-link" / "uri-syntax-vectors.json").read_text())
    differing = [v for v in vectors if element_string(v["uri"]) != v["ai_elements"]]
    assert len(vectors) >= 49
    assert differing == []


def test_every_application_identifier_of_the_syntax_dictionary_has_its_format(conformance: Path) -> None:
    text = (conformance / "digital-link" / "gs1-syntax-dictionary.txt").read_text()
    published: dict[str, str] = {}
    for line in text.splitlines():
        found = re.match(r"(\d+)(?:-(\d+))?\s+[*?]*\s+(.+?)\s*(?:\w+=.*)?(?:#.*)?$", line)
        if found and not line.startswith("#"):
            components = re.findall(r"\[?[NXYZ](?:\.\.)?\d+\]?", re.split(r"\s+(?:\w+=|dlpkey|#)", found[3])[0])
            for number in range(int(found[1]), int(found[2] or found[1]) + 1):
                published[str(number).zfill(len(found[1]))] = " ".join(components)
    assert len(published) > 400
    assert {ai: format_.spec for ai, format_ in FORMATS.items()} == published


def test_every_key_and_its_qualifiers_are_those_of_the_syntax_dictionary(conformance: Path) -> None:
    text = (conformance / "digital-link" / "gs1-syntax-dictionary.txt").read_text()
    rows = re.findall(r"^(\d+) .*\bdlpkey(?:=(\S+))?", text, re.MULTILINE)
    published = {ai: tuple(tuple(s.split(",")) for s in spec.split("|")) if spec else () for ai, spec in rows}
    assert dict(QUALIFIERS) == published


@pytest.mark.parametrize(
    ("uri", "canonical"),
    [
        ("https://id.gs1.org/01/9506000134352", "/01/09506000134352"),
        ("HTTP://a.cn:8080/x/gtin/9506000134352/lot/A1/ser/7", "/01/09506000134352/10/A1/21/7"),
        ("https://a/01/09506000134352/22/2A/10/ABC/21/32a%2Fb?17=261231&linkType=gs1:pip#top",
         "/01/09506000134352/22/2A/10/ABC/21/32a%2Fb"),
        ("https://a/01/09506000134352/235/XYZ", "/01/09506000134352/235/XYZ"),
        ("https://a/00/095201234567891235", "/00/095201234567891235"),
        ("https://a/414/9521141123454/254/5678", "/414/9521141123454/254/5678"),
        ("https://a/417/9521141123454", "/417/9521141123454"),
        ("https://a/415/9521141123454/8020/R1", "/415/9521141123454/8020/R1"),
        ("https://a/8003/095211411234545678", "/8003/095211411234545678"),
        ("https://a/8004/952114132a%2fb", "/8004/952114132a%2Fb"),
        ("https://a/253/95211411234545678", "/253/95211411234545678"),
        ("https://a/255/952114167890904711", "/255/952114167890904711"),
        ("https://a/401/9521141ABC", "/401/9521141ABC"),
        ("https://a/402/73505385000000019", "/402/73505385000000019"),
        ("https://a/8006/095211411234540102/21/981", "/8006/095211411234540102/21/981"),
        ("https://a/8010/952114198765/8011/12345", "/8010/952114198765/8011/12345"),
        ("https://a/8013/1987654Ad4X4bL5ttr2310c2K", "/8013/1987654Ad4X4bL5ttr2310c2K"),
        ("https://a/8017/952114112345678906", "/8017/952114112345678906"),
        ("https://a/8018/952114112345678906/8019/12", "/8018/952114112345678906/8019/12"),
        ("https://a/01/09506000134352/10/a%2541", "/01/09506000134352/10/a%2541"),
        ("https://a/01/09506000134352/10/a+b!", "/01/09506000134352/10/a%2Bb%21"),
    ],
)  # fmt: skip
def test_every_key_has_one_canonical_spelling(uri: str, canonical: str) -> None:
    link = parse(uri)
    assert link.canonical() == "https://id.gs1.org" + canonical
    assert parse(link.canonical()).canonical() == link.canonical()


def test_escapes_are_undone_once() -> None:
    assert parse(f"https://a/01/{GTIN}/10/a%2541").value("10") == "a%41"


def test_a_link_is_taken_apart() -> None:
    link = parse(f"https://a/01/{GTIN}/10/A1/21/7?17=261231&3103=000195&s=%E6%BA%AF+1&flag")
    assert link.primary == ("01", GTIN)
    assert link.qualifiers == (("10", "A1"), ("21", "7"))
    assert link.attributes == (("17", "261231"), ("3103", "000195"))
    assert link.others == (("s", "溯 1"), ("flag", ""))
    assert (link.value("21"), link.value("17"), link.value("22")) == ("7", "261231", None)


def test_a_link_is_built_under_any_base() -> None:
    link = DigitalLink(("01", GTIN), (("10", "A/1"), ("21", "7")))
    assert link.build("https://suyuan.example") == f"https://suyuan.example/01/{GTIN}/10/A%2F1/21/7"
    built = link.build("https://suyuan.example/q/", (("s", "x=&y"),))
    assert built == f"https://suyuan.example/q/01/{GTIN}/10/A%2F1/21/7?s=x%3D%26y"
    assert parse(built).others == (("s", "x=&y"),)
    with pytest.raises(ConfigError):
        link.build("suyuan.example")


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("", "well-formed"),
        ("urn:epc:id:sgtin:0614141.812345.6789", "well-formed"),
        (f"ftp://a/01/{GTIN}", "well-formed"),
        (f"https:///01/{GTIN}", "well-formed"),
        (f"https://user@a/01/{GTIN}", "well-formed"),
        (f"https://a:65536/01/{GTIN}", "well-formed"),
        (f"https://a/01/{GTIN}/10/溯源", "well-formed"),
        (f"https://a/01/{GTIN}/10/a\u202eb", "well-formed"),
        (f"https://a/01/{GTIN}\n", "well-formed"),
        (f"https://a/01/{GTIN}/10/%4", "well-formed"),
        (f"https://a/01/{GTIN}/10/%zz", "well-formed"),
        ("https://a/", "no GS1 key"),
        ("https://a/AQIDBAUGBwg", "no GS1 key"),
        (f"https://a/01/{GTIN}/", "no GS1 key"),
        ("https://a/01/09506000134353", "check"),
        ("https://a/01/95060001", "check"),
        ("https://a/00/095201234567891236", "check"),
        ("https://a/8013/1987654Ad4X4bL5ttr2310c2L", "check"),
        ("https://a/8006/095211411234540201", "check 'piece'"),
        ("https://a/01/9506000134", "form"),
        (f"https://a/01/{GTIN}/10/" + "x" * 21, "form"),
        (f"https://a/01/{GTIN}/10/a%00", "form"),
        (f"https://a/01/{GTIN}/10/a%E2%80%AEb", "form"),
        (f"https://a/01/{GTIN}/10/a%20b", "form"),
        (f"https://a/01/{GTIN}/10/%FF", "UTF-8"),
        (f"https://a/01/{GTIN}/10/", "form"),
        (f"https://a/01/{GTIN}/21/1/10/A", "order"),
        (f"https://a/01/{GTIN}/10/A/10/B", "order"),
        (f"https://a/01/{GTIN}/10/A/235/B", "order"),
        (f"https://a/01/{GTIN}/254/A", "order"),
        ("https://a/415/9521141123454", "needs"),
        (f"https://a/01/{GTIN}?10=A", "path"),
        (f"https://a/01/{GTIN}?01={GTIN}", "twice"),
        (f"https://a/01/{GTIN}?17=261231&17=261231", "twice"),
        (f"https://a/01/{GTIN}?17=261331", "month"),
        (f"https://a/01/{GTIN}?7006=260230", "day"),
        (f"https://a/01/{GTIN}?7003=2612312400", "time"),
        (f"https://a/01/{GTIN}?4321=2", "flag"),
        ("https://a/8010/952114198765/8011/012", "natural"),
        ("https://a/8004/95A", "prefix"),
        ("https://a/8003/19521141123454", "zero"),
        (f"https://a/01/{GTIN}?999=1", "no such"),
        (f"https://a/01/{GTIN}?99=a+b", "form"),
        (f"https://a/01/{GTIN}?s=a%0Ab", "invisible"),
        (f"https://a/01/{GTIN}?s=a%E2%80%8Fb", "invisible"),
        (f"https://a/01/{GTIN}?=b", "unnamed"),
        (f"https://a/01/{GTIN}?" + "&".join(f"a{i}=1" for i in range(65)), "64"),
        (f"https://a/01/{GTIN}?s=" + "x" * 2048, "2048"),
    ],
)
def test_what_is_no_digital_link_is_refused_with_the_reason(uri: str, reason: str) -> None:
    assert not digital_link.is_digital_link(uri)
    with pytest.raises(IdentifierError, match=reason):
        parse(uri)


def test_a_value_is_valid_once_built() -> None:
    for wrong in (("01", "9506000134352"), ("10", "A"), ("01", "")):
        with pytest.raises(IdentifierError):
            DigitalLink(wrong)
    with pytest.raises(IdentifierError):
        DigitalLink(("01", GTIN), others=(("12", "x"),))


TEXT = st.text(CHARSET_82, min_size=1, max_size=20)
TEXT_30 = st.text(CHARSET_82, max_size=24).map("950600".__add__)


def checked(length: int, lead: str = "") -> st.SearchStrategy[str]:
    free = length - len(lead) - 1
    return st.text("0123456789", min_size=free, max_size=free).map(lambda d: lead + d + check_digit(lead + d))


KEYS = {
    "00": checked(18),
    "01": checked(14),
    "253": st.tuples(checked(13), st.text(CHARSET_82, max_size=17)).map("".join),
    "255": st.tuples(checked(13), st.text("0123456789", max_size=12)).map("".join),
    "401": TEXT_30.filter(lambda text: len(text) > 4),
    "402": checked(17),
    "414": checked(13),
    "417": checked(13),
    "8003": st.tuples(checked(13), st.text(CHARSET_82, max_size=16)).map(lambda p: "0" + "".join(p)),
    "8004": TEXT_30,
    "8006": checked(14).map("{}0109".format),
    "8010": st.text("#-/0123ABC", max_size=20).map("950600".__add__),
    "8017": checked(18),
    "8018": checked(18),
}
QUALIFIER_VALUES = {
    "7040": st.just("1ABC"),
    "8011": st.integers(0, 10**12 - 1).map(str),
    "8019": st.text("0123456789", min_size=1, max_size=10),
}
ATTRIBUTES = {
    "17": st.dates().map(lambda d: f"{d:%y%m%d}").filter(lambda text: text[2:] != "0229"),
    "3103": st.text("0123456789", min_size=6, max_size=6),
    "99": st.text(CHARSET_82, min_size=1, max_size=90),
}
NAMES = st.text(min_size=1, max_size=8).filter(lambda text: text.isprintable() and not text.isdigit())


SEGMENTS = ["01", "10", "21", "00", "414", "gtin", "8003", "415", "8020", GTIN, "", "A", "%2F", "?", "="]


@st.composite
def links(draw: st.DrawFn) -> DigitalLink:
    key = draw(st.sampled_from(sorted(KEYS)))
    sequence = draw(st.sampled_from([(), *QUALIFIERS[key]]))
    qualifiers = [(ai, draw(QUALIFIER_VALUES.get(ai, TEXT))) for ai in sequence if draw(st.booleans())]
    attributes = [(ai, draw(values)) for ai, values in ATTRIBUTES.items() if draw(st.booleans())]
    others = draw(st.lists(st.tuples(NAMES, st.text(max_size=8).filter(str.isprintable)), max_size=3))
    return DigitalLink((key, draw(KEYS[key])), tuple(qualifiers), tuple(attributes), tuple(others))


@settings(max_examples=300)
@given(links(), st.sampled_from(["https://a", "http://a.b:80/01/x", "https://xn--fsq.xn--0zwm56d/stem/"]))
def test_a_built_link_reads_back_the_same(link: DigitalLink, base: str) -> None:
    uri = link.build(base)
    assert parse(uri) == link
    assert parse(uri).build(base) == uri
    assert parse(link.canonical()).path == link.path


@settings(max_examples=400)
@given(
    st.text(max_size=60)
    | st.text(max_size=40).map("https://a/".__add__)
    | st.text(max_size=30).map(f"https://a/01/{GTIN}/10/".__add__)
    | st.lists(st.sampled_from(SEGMENTS)).map(lambda parts: "https://a/" + "/".join(parts))
)
def test_any_text_is_parsed_or_refused_with_an_identifier_error(uri: str) -> None:
    try:
        link = parse(uri)
    except IdentifierError as error:
        assert str(error).isprintable()
        return
    assert parse(link.canonical()).primary == link.primary


@given(st.sampled_from(sorted(FORMATS)), st.text("0123456789/-aA", max_size=40))
def test_any_attribute_is_taken_or_refused_with_an_identifier_error(ai: str, value: str) -> None:
    try:
        link = DigitalLink(("00", "095201234567891235"), attributes=((ai, value),))
    except IdentifierError:
        return
    assert parse(link.build("https://a")) == link


def element_string(uri: str) -> str | None:
    """GS1 element string with ^ for FNC1, None when the link is refused."""
    try:
        link = parse(uri)
    except IdentifierError:
        return None
    text = "^"
    for ai, value in (link.primary, *link.qualifiers, *link.attributes):
        text += ai + value + ("" if FIXED_LENGTH.match(ai) else "^")
    return text.removesuffix("^")
