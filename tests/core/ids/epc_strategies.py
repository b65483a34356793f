"""Tag URIs of every classic scheme, drawn by hypothesis."""

from __future__ import annotations

from urllib.parse import quote

from hypothesis import strategies as st

from trace_core.ids.epc.partitioned import COMPANY_PREFIXES, Layout, Reference
from trace_core.ids.epc.schemes import LAYOUTS
from trace_core.ids.gs1 import CHARSET_82

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
