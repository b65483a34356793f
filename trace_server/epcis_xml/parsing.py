"""Bytes → XML tree, with everything refused that makes XML dangerous, before the parser sees it.

The text is decoded once and handed to the parser as UTF-8. A document type declaration is refused: it can declare
entities and name files. Only a bare `<!DOCTYPE name>` is taken out and passed over, because GS1's own examples carry
one and it declares nothing. Limits: bytes, marks (nodes of the tree), depth (libxml2 refuses more than 256
levels). Source: OWASP ASVS 5.0 1.5.1.
"""

from __future__ import annotations

import re
from typing import Any, Final

from lxml import etree

from trace_core.errors import EventError, TooLarge

MAX_BYTES: Final = 2_097_152
"""Quality: capture bodies of at most 2 MB."""
FREE_MARKS: Final = 50_000
BYTES_A_MARK: Final = 12
"""`<` and `=` that a document may have: so many, and one more for every so many bytes. Each stands for at most one node
of 100 to 350 bytes, so that a document never takes more than 80 MB; real ones take 8 to 16 times their text."""
ENCODINGS: Final = frozenset(
    {"utf-8", "utf8", "us-ascii", "ascii", "utf-16", "utf-16le", "utf-16be", "iso-8859-1", "gb18030", "gbk", "gb2312"}
)

_DECLARATION = re.compile(r"\s*<\?xml\s[^>]*?\?>", re.DOTALL)
_DECLARED = re.compile(rb"\s*<\?xml\s[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z][A-Za-z0-9._-]{0,30})[\"']")
_PROLOG = re.compile(r"(?:\s+|<!--(?:(?!--).)*-->|<\?.*?\?>)+", re.DOTALL)
_BARE_DOCTYPE = re.compile(r"<!DOCTYPE\s+[A-Za-z_][\w:.\-]{0,100}\s*>")
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))

Element = Any
"""An `lxml.etree._Element`; lxml has no types of its own."""


def parse(raw: bytes) -> Element:
    """The root element of `raw`. Raises `TooLarge` or `EventError`; never fetches or expands anything."""
    if len(raw) > MAX_BYTES:
        raise TooLarge(f"the document has {len(raw)} bytes", remedy=f"send at most {MAX_BYTES} at once")
    text = _without_doctype(_decoded(raw))
    if text.count("<") + text.count("=") > FREE_MARKS + len(text) // BYTES_A_MARK:
        raise TooLarge("the document has too many elements and attributes", remedy="send it in parts")
    # made for each call: a parser keeps the errors of its last document, which another thread may be reading
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        strip_cdata=True,
    )
    try:
        root = etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError as error:
        raise _not_xml(str(error.msg), error.lineno or 1) from error
    if root is None:
        raise _not_xml("there is no element", 1)
    if root.getroottree().docinfo.internalDTD is not None:
        raise _doctype()
    return root


def path_of(element: Element, attribute: str = "") -> str:
    """Where `element` (or its attribute) stands, as XPath with the document's prefixes."""
    path = str(element.getroottree().getpath(element))
    return f"{path}/@{attribute}" if attribute else path


def _decoded(raw: bytes) -> str:
    encoding = next((name for bom, name in _BOMS if raw.startswith(bom)), None)
    if encoding is None:
        declared = _DECLARED.match(raw)
        encoding = declared[1].decode().lower() if declared else "utf-8"
    if encoding.replace("-le", "le").replace("-be", "be") not in ENCODINGS:
        raise EventError(f"the encoding {encoding!r} is not taken", where="/", remedy="send UTF-8")
    try:
        return raw.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise EventError(f"the text is not {encoding}: {error.reason}", where="/", remedy="send UTF-8") from error


def _without_doctype(text: str) -> str:
    """`text` as it goes to the parser: no XML declaration (it names an encoding no more) and no DOCTYPE."""
    declaration = _DECLARATION.match(text)
    start = declaration.end() if declaration else 0
    prolog = _PROLOG.match(text, start)
    place = prolog.end() if prolog else start
    if not text.startswith("<!", place):
        return _blank(text, 0, start)
    bare = _BARE_DOCTYPE.match(text, place)
    if bare is None:
        raise _doctype()
    return _blank(text, 0, start)[:place] + _blank(text[place:], 0, bare.end() - place)


def _blank(text: str, start: int, end: int) -> str:
    """Spaces instead of `text[start:end]`, lines kept, so that line numbers of errors stay true."""
    return text[:start] + re.sub(r"[^\n]", " ", text[start:end]) + text[end:]


def _doctype() -> EventError:
    return EventError(
        "a document type declaration is not taken", where="/", remedy="leave <!DOCTYPE …> and its entities out"
    )


def _not_xml(what: str, line: int) -> EventError:
    return EventError(
        f"not the XML of an EPCIS document: {what}"[:500], where=f"/ (line {line})", remedy="send well-formed XML"
    )
