"""Tag URIs and tags of every scheme, drawn by hypothesis."""

from __future__ import annotations

from urllib.parse import quote

from hypothesis import strategies as st

from trace_core.ids import gs1
from trace_core.ids.epc import Pair, PlusEpc
from trace_core.ids.epc.partitioned import COMPANY_PREFIXES, Layout, Reference
from trace_core.ids.epc.plus import PLUS_SCHEMES, PlusScheme
from trace_core.ids.epc.schemes import LAYOUTS
from trace_core.ids.gs1 import CHARSET_39, CHARSET_82

URN_SAFE = "!'()*+,.:;="
DIGITS = "0123456789"


def text_part(longest: int) -> st.SearchStrategy[str]:
    return st.text(CHARSET_82, min_size=1, max_size=longest).map(lambda text: quote(text, safe=URN_SAFE))


def numeric_part(longest: int) -> st.SearchStrategy[str]:
    return st.text(DIGITS, min_size=1, max_size=longest)


def below(limit: int) -> st.SearchStrategy[str]:
    return st.integers(0, limit - 1).map(str)


TAILS: dict[str, tuple[st.SearchStrategy[str], ...]] = {
    "gdti-96": (below(2**41),),
    "gsrn-96": (),
    "gsrnp-96": (),
    "sgtin-96": (below(2**38),),
    "sscc-96": (),
    "sgln-96": (below(2**41),),
    "grai-96": (below(2**38),),
    "giai-96": (),
    "sgtin-198": (text_part(20),),
    "grai-170": (text_part(16),),
    "giai-202": (),
    "sgln-195": (text_part(20),),
    "gdti-113": (numeric_part(17),),
    "cpi-96": (below(2**31),),
    "gdti-174": (text_part(17),),
    "sgcn-96": (numeric_part(12),),
    "itip-110": (st.just("01"), st.integers(1, 99).map("{:02d}".format), below(2**38)),
    "itip-212": (st.just("01"), st.integers(1, 99).map("{:02d}".format), text_part(20)),
}
"""Scheme → what stands behind prefix and reference (TDS 2.3, section 14.6), written down apart from the codec."""


@st.composite
def tag_uris(draw: st.DrawFn, layout: Layout | None = None) -> str:
    """A valid tag URI of `layout`, or of any scheme with a GS1 key."""
    layout = layout or draw(st.sampled_from(LAYOUTS))
    digits, bits = draw(st.sampled_from(COMPANY_PREFIXES))
    room = layout.pair_digits - digits
    company = draw(st.text(DIGITS, min_size=digits, max_size=digits))
    if layout.reference is Reference.TEXT:
        reference = draw(text_part(room))
    elif layout.reference is Reference.INTEGER:
        reference = draw(below(min(10**room, 2 ** (layout.pair_bits - bits))))
    else:
        reference = draw(st.text(DIGITS, min_size=room, max_size=room))
    tail = [draw(part) for part in TAILS[layout.name]]
    filter_value = draw(st.integers(0, 7))
    return f"urn:epc:tag:{layout.name}:" + ".".join([str(filter_value), company, reference, *tail])


def six_bit_part(longest: int, smallest: int = 1, alphabet: str = CHARSET_39) -> st.SearchStrategy[str]:
    return st.text(alphabet, min_size=smallest, max_size=longest).map(lambda text: quote(text, safe=""))


OWNERS = st.text("0123456789ABCDEFGHJKLMNPQRSTUVWXYZ", min_size=5, max_size=6)
PLAIN_39 = CHARSET_39.replace("#", "")


@st.composite
def component_uris(draw: st.DrawFn) -> str:
    digits, _ = draw(st.sampled_from(COMPANY_PREFIXES))
    company = draw(st.text(DIGITS, min_size=digits, max_size=digits))
    reference, serial = draw(six_bit_part(30 - digits)), draw(below(10**12))
    return f"urn:epc:tag:cpi-var:{draw(st.integers(0, 7))}.{company}.{reference}.{serial}"


@st.composite
def aerospace_uris(draw: st.DrawFn) -> str:
    part = draw(six_bit_part(32, 0, PLAIN_39))
    serial = draw(six_bit_part(30, 1, PLAIN_39) | six_bit_part(29, 1, PLAIN_39).map("%23".__add__))
    if part:
        serial = serial.removeprefix("%23")
    return f"urn:epc:tag:adi-var:{draw(st.integers(0, 63))}.{draw(OWNERS)}.{part}.{serial}"


OTHER_TAG_URIS: dict[str, st.SearchStrategy[str]] = {
    "cpi-var": component_uris(),
    "adi-var": aerospace_uris(),
    "usdod-96": st.builds("urn:epc:tag:usdod-96:{}.{}.{}".format, st.integers(0, 15), OWNERS, below(2**36)),
    "gid-96": st.builds("urn:epc:tag:gid-96:{}.{}.{}".format, below(2**28), below(2**24), below(2**36)),
}
"""Tag URIs of the schemes that are no row of `LAYOUTS`."""


def keyed(digits: int) -> st.SearchStrategy[str]:
    """A number whose last of `digits` digits is its check digit."""
    return st.text(DIGITS, min_size=digits - 1, max_size=digits - 1).map(lambda text: text + gs1.check_digit(text))


def characters(longest: int, alphabet: str = CHARSET_82) -> st.SearchStrategy[str]:
    """Text that any of the six ways of writing may suit."""
    alphabets = (DIGITS, DIGITS + "ABCDEF", DIGITS + "abcdef", DIGITS + "ABCXYZ-.:", DIGITS + "ABCabcz-_", alphabet)
    fitting = [chosen for chosen in alphabets if set(chosen) <= set(alphabet)]
    return st.sampled_from(fitting).flatmap(lambda chosen: st.text(chosen, min_size=1, max_size=longest))


def prefixed(longest: int, alphabet: str = CHARSET_82) -> st.SearchStrategy[str]:
    start = st.text(DIGITS, min_size=4, max_size=12)
    return start.flatmap(lambda digits: characters(longest - len(digits), alphabet).map(digits.__add__))


def day() -> st.SearchStrategy[str]:
    return st.dates().map(lambda date: f"{date:%y%m%d}")


def pieces() -> st.SearchStrategy[str]:
    totals = st.integers(1, 99).flatmap(lambda total: st.tuples(st.integers(1, total), st.just(total)))
    return st.tuples(keyed(14), totals).map(lambda drawn: f"{drawn[0]}{drawn[1][0]:02d}{drawn[1][1]:02d}")


def joined(*parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map("".join)


VALUES: dict[str, st.SearchStrategy[str]] = {
    "00": keyed(18),
    "01": keyed(14),
    "21": characters(20),
    "253": joined(keyed(13), characters(17)),
    "254": characters(20),
    "255": joined(keyed(13), numeric_part(12)),
    "414": keyed(13),
    "8003": joined(keyed(13).map("0".__add__), characters(16)),
    "8004": prefixed(30),
    "8006": pieces(),
    "8010": prefixed(30, CHARSET_39),
    "8011": below(10**12),
    "8017": keyed(18),
    "8018": keyed(18),
}
"""Values of the keys and of what belongs to them (GS1 General Specifications 3)."""

DATA: dict[str, st.SearchStrategy[str]] = {
    "10": characters(20),
    "17": day(),
    "20": st.text(DIGITS, min_size=2, max_size=2),
    "253": keyed(13) | joined(keyed(13), characters(17)),
    "3103": st.text(DIGITS, min_size=6, max_size=6),
    "37": numeric_part(8),
    "3912": joined(st.just("978"), numeric_part(15)),
    "421": joined(st.just("156"), characters(9)),
    "4307": st.text("ABCZ", min_size=2, max_size=2),
    "4321": st.sampled_from("01"),
    "4330": joined(st.text(DIGITS, min_size=6, max_size=6), st.sampled_from(("", "-"))),
    "7003": joined(day(), st.sampled_from(("0000", "2359"))),
    "7023": prefixed(30),
    "8020": characters(25),
    "8110": characters(70),
}
"""One identifier at least of every format of table F."""

LABELS = st.from_regex(r"\A[a-z0-9](?:[a-z0-9-]{0,6}[a-z0-9])?\Z")
ENDS = st.sampled_from([".com", ".org", ".cn", ".com.cn", ".li", ".lk", ".tech", ".co.uk", ".example", ".zw", ".ac"])
HOSTS = st.builds("{}{}{}".format, st.sampled_from(("", "id.", "www.", "qr.", "qr.id.")), LABELS, ENDS)


@st.composite
def plus_tags(draw: st.DrawFn, scheme: PlusScheme | None = None, most: int = 2) -> PlusEpc:
    """A tag of `scheme`, or of any scheme with `+` or `++`, with up to `most` element strings behind the key."""
    scheme = scheme or draw(st.sampled_from(PLUS_SCHEMES))
    host = draw(HOSTS) if scheme.name.endswith("++") else "id.gs1.org"
    pairs = [(ai, draw(VALUES[ai])) for ai in scheme.ais]
    path = "".join(f"/{ai}/{quote(value, safe='')}" for ai, value in pairs if (ai, value) != ("254", "0"))
    kinds = st.sampled_from(("11", "13", "15", "16", "17", "7006", "7007"))
    date = draw(st.tuples(kinds, day())) if scheme.name.startswith("dsgtin") else None
    items: st.SearchStrategy[Pair] = st.sampled_from(sorted(DATA)).flatmap(lambda ai: st.tuples(st.just(ai), DATA[ai]))
    data = tuple(draw(st.lists(items, max_size=most)))
    return PlusEpc(scheme.name, draw(st.integers(0, 7)), f"https://{host}{path}", date, data)
