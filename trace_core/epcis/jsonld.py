"""Names in an EPCIS JSON-LD document: prefixes, terms and short keys ↔ expanded names `{namespace}local`.

No remote context is ever fetched: the GS1 context is known, any other address adds nothing. What a document
declares itself is honoured: prefixes, terms, `@vocab`, and `@context` inside an event or an extension.
Source: JSON-LD 1.1 section 4.1, EPCIS 2.0.1 section 10.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias

from trace_core.epcis.cbv import CBV, GS1_VOC
from trace_core.errors import EventError

STANDARD_CONTEXT = "https://ref.gs1.org/standards/epcis/epcis-context.jsonld"
STANDARD_PREFIXES: Mapping[str, str] = {
    "epcis": "https://ref.gs1.org/epcis/",
    "cbv": CBV,
    "cbvmda": "urn:epcglobal:cbv:mda:",
    "gs1": GS1_VOC,
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "dcterms": "http://purl.org/dc/terms/",
}
"""What the GS1 context declares. `gs1` is the address of 2.0.1; 2.0.0 had `https://gs1.org/voc/`."""

MAX_CONTEXTS = 64
"""Entries of one `@context` list; real documents have under ten."""
_FORBIDDEN = re.compile(r"[\s{}\x00-\x1f\x7f\ud800-\udfff]")
_PLAIN_TEXT = frozenset({"ilmd", "stringValue", "uom"})
_KEPT_NAMES = 256
"""Keys of one context whose names are remembered: senders use the same few in every event."""
_KEPT_CONTEXTS = 64
_KEPT_CHARS = 500
"""Longer ones are not remembered: what strangers send must not fill the memory."""
_MAX_CHAIN = 8
"""Terms that are defined by other terms, so that a cycle ends."""


@dataclass(frozen=True, slots=True)
class Context:
    """Terms in force at one place of a document: prefix or term → IRI."""

    terms: Mapping[str, str]
    vocabulary: str = ""
    """The `@vocab` of a document: namespace of names that are neither terms nor prefixed."""
    _names: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What `name` found; it depends on nothing but key and context."""

    def extended(self, value: object, where: str) -> Context:
        """This context and then `value`, a JSON-LD `@context`. Raises `EventError` on a malformed one."""
        if self is STANDARD and isinstance(value, list):
            plain = _plain(value)
            if plain is not None:
                with suppress(EventError):  # it is raised below, with the place of this one
                    return _standard_and(plain)
        return self._extended(value, where)

    def _extended(self, value: object, where: str) -> Context:
        terms = dict(self.terms)
        vocabulary = self.vocabulary
        for place, entry in _entries(value, where):
            if not isinstance(entry, dict):
                continue
            for term, definition in entry.items():
                target = definition.get("@id") if isinstance(definition, dict) else definition
                if term == "@vocab":
                    vocabulary = target if isinstance(target, str) else ""
                elif not term.startswith("@"):
                    _declare(terms, term, target, f"{place}/{escape(term)}")
        return Context(terms, vocabulary)

    def iri(self, text: str) -> str:
        """`prefix:rest` with a declared prefix made absolute; anything else unchanged."""
        for _ in range(_MAX_CHAIN):
            prefix, colon, rest = text.partition(":")
            namespace = self.terms.get(prefix)
            if not colon or namespace is None or rest.startswith("//"):
                return text
            text = namespace + rest
            if not self._chains(namespace):
                return text
        return text

    def name(self, key: str, where: str) -> str:
        """Expanded name of an extension key; without braces when nothing gives it a namespace."""
        name = self._names.get(key)
        if name is None:
            name = self._name(key, where)
            if len(self._names) < _KEPT_NAMES and len(key) < _KEPT_CHARS:
                self._names[key] = name
        return name

    def _name(self, key: str, where: str) -> str:
        if key.startswith("@"):
            return key
        prefix, colon, local = key.partition(":")
        if colon and not local.startswith("//") and prefix in self.terms:
            namespace = self.iri(f"{prefix}:")
        elif colon:
            namespace, local = split_iri(key)
        elif key in self.terms and self.terms[key][-1] not in "#/:":
            namespace, local = split_iri(self.iri(self.terms[key]))
        else:
            namespace, local = self.vocabulary, key
        if not local or _FORBIDDEN.search(namespace) or _FORBIDDEN.search(local):
            raise EventError(f"{key!r:.200} is no name", where=where, remedy="write prefix:name and declare the prefix")
        return f"{{{namespace}}}{local}" if namespace else local

    def _chains(self, namespace: str) -> bool:
        """True when `namespace` is itself written with a declared prefix."""
        prefix, _, rest = namespace.partition(":")
        return prefix in self.terms and not rest.startswith("//") and self.terms[prefix] != namespace


STANDARD = Context(STANDARD_PREFIXES)

_Plain: TypeAlias = tuple[str | tuple[tuple[str, str], ...], ...]


def _plain(value: list[object]) -> _Plain | None:
    """A short `@context` of addresses and of prefixes that are well declared, as a key; None for any other."""
    found: list[str | tuple[tuple[str, str], ...]] = []
    chars = 0
    for entry in value:
        if isinstance(entry, str):
            found.append(entry)
            chars += len(entry)
        elif isinstance(entry, dict) and all(type(target) is str for target in entry.values()):
            found.append(tuple(entry.items()))
            chars += sum(len(term) + len(target) for term, target in entry.items())
        else:
            return None
    return tuple(found) if chars < _KEPT_CHARS and len(found) <= MAX_CONTEXTS else None


@lru_cache(_KEPT_CONTEXTS)
def _standard_and(plain: _Plain) -> Context:
    """Every event of a gateway says the same `@context`. Failures are not kept."""
    value = [entry if isinstance(entry, str) else dict(entry) for entry in plain]
    return STANDARD._extended(value, "/@context")


class Namer:
    """Expanded names → JSON keys. Namespaces without a prefix get `ns1`, `ns2` …, collected in `added`."""

    def __init__(self, prefixes: Mapping[str, str], avoid: Collection[str] = ()) -> None:
        self.added: dict[str, str] = {}
        self.clashes: set[str] = set()
        """Prefixes that some namespace has as its scheme, so that it cannot be written while they are declared."""
        self._taken = set(avoid)
        self._context = Context({**STANDARD_PREFIXES, **prefixes})
        self._prefixes = {self._context.iri(f"{prefix}:"): prefix for prefix in self._context.terms}

    def key(self, name: str) -> str:
        """The key that `Context.name` reads as `name`."""
        if not name.startswith("{"):
            return name
        namespace, _, local = name[1:].partition("}")
        prefix = self._prefixes.get(namespace)
        if prefix is None:
            # a full IRI needs no declaration, if it falls apart again where it was joined
            whole = namespace + local
            if split_iri(whole) == (namespace, local) and self._context.name(whole, "") == name:
                self._taken.add(whole.partition(":")[0])
                return whole
            prefix = self._new_prefix(namespace)
        return f"{prefix}:{local}"

    def _new_prefix(self, namespace: str) -> str:
        if self._context.iri(namespace) != namespace:
            self.clashes.add(namespace.partition(":")[0])
        number = len(self.added) + 1
        while f"ns{number}" in self._context.terms or f"ns{number}" in self._taken:
            number += 1
        prefix = f"ns{number}"
        self.added[prefix] = namespace
        self._prefixes[namespace] = prefix
        self._context = Context({**self._context.terms, prefix: namespace})
        return prefix


def split_iri(iri: str) -> tuple[str, str]:
    """An absolute IRI → (namespace, local part), cut after the last `#`, `/` or `:`."""
    cut = max(iri.rfind("#"), iri.rfind("/"), iri.rfind(":")) + 1
    return iri[:cut], iri[cut:]


def escape(key: str) -> str:
    """`key` as a segment of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


def schemes(value: object) -> Iterator[str]:
    """What stands before the colon in every URI of an event in JSON: a prefix of that name would change its meaning."""
    if isinstance(value, str):
        scheme, colon, _ = value.partition(":")
        if colon:
            yield scheme
    elif isinstance(value, dict):
        for key, member in value.items():
            # extensions, master data and free text are read as they stand
            if ":" not in key and key not in _PLAIN_TEXT:
                yield from schemes(member)
    elif isinstance(value, list):
        for item in value:
            yield from schemes(item)


def context_value(prefixes: Mapping[str, str]) -> list[str | dict[str, str]]:
    """The `@context` of a document whose extensions use `prefixes`."""
    return [STANDARD_CONTEXT, *({prefix: namespace} for prefix, namespace in prefixes.items())]


def _entries(value: object, where: str) -> Iterator[tuple[str, object]]:
    entries: Iterable[object] = value if isinstance(value, list) else [value]
    if isinstance(value, list) and len(value) > MAX_CONTEXTS:
        raise EventError("too many contexts", where=where, remedy=f"at most {MAX_CONTEXTS}")
    for index, entry in enumerate(entries):
        place = f"{where}/{index}" if isinstance(value, list) else where
        if entry is not None and not isinstance(entry, (str, dict)):
            raise EventError("a context is an address or an object", where=place)
        yield place, entry


def _declare(terms: dict[str, str], term: str, target: object, where: str) -> None:
    if target is None:
        # the GS1 context is protected: its own prefixes cannot be taken away
        if term not in STANDARD_PREFIXES:
            terms.pop(term, None)
        return
    if not isinstance(target, str) or not target or _FORBIDDEN.search(target):
        raise EventError(
            f"the prefix or term {term!r:.200} has no address", where=where, remedy="give an absolute IRI as a string"
        )
    terms[term] = target
