"""Which link answers a request, where a link may lead, and the linkset as JSON; values in, values out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from urllib.parse import urlsplit

from trace_core.errors import InputError, NotFound
from trace_core.ids.digital_link import DigitalLink
from trace_server.resolver.model import DEFAULT_LINK, LINK_TYPES, VOCABULARY, Link, Resolved, Wanted

LINKSET_TYPE = "application/linkset+json"
MAX_LINKS = 200
"""Links of one thing that are looked at; a resolver is no list of shops."""
_HOST = re.compile(
    r"(?=.{1,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?::[0-9]{1,5})?\Z"
)
_LANGUAGE = re.compile(r"[a-z]{2}(?:-[A-Z]{2})?\Z")
_MEDIA = re.compile(r"[a-z]+/[a-z0-9.+-]+\Z")
_INVISIBLE = re.compile(r"[\x00-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]")


def host_name(text: str) -> str:
    """A host with its port, in lower case. Raises `InputError`."""
    name = text.strip().lower()
    if _HOST.match(name) is None:
        raise InputError("this is no host name", where="host", remedy="write www.example.com, no scheme and no path")
    return name


def link_type(text: str) -> str:
    """`gs1:pip`, `pip` or `https://ref.gs1.org/voc/pip` → `pip`. Raises `InputError` for other words."""
    name = text.strip()
    for prefix in (VOCABULARY, "https://gs1.org/voc/", "gs1:"):
        name = name.removeprefix(prefix)
    if name not in LINK_TYPES:
        raise InputError("GS1 knows no such link type", where="linkType", remedy="gs1:pip, gs1:traceability, …")
    return name


def target(href: str) -> str:
    """The host that `href` leads to. Raises `InputError` for what is no plain https address."""
    if _INVISIBLE.search(href):
        raise InputError("the address has blanks or invisible characters", where="href", remedy="percent-encode them")
    try:
        parts = urlsplit(href)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise InputError(f"this is no address: {error}", where="href") from error
    if parts.scheme != "https" or not host or "@" in parts.netloc or "\\" in href:
        raise InputError("a target is a plain https address", where="href", remedy="https://host/path, no user name")
    return host_name(parts.netloc)


def checked(link: Link) -> Link:
    """`link` with each member checked. Raises `InputError`."""
    if link.language and _LANGUAGE.match(link.language) is None:
        raise InputError("a language is written as in RFC 5646", where="language", remedy="zh-CN, en")
    if link.media_type and _MEDIA.match(link.media_type) is None:
        raise InputError("this is no media type", where="media_type", remedy="text/html, application/pdf")
    if not link.title.strip() or not link.title.isprintable():
        raise InputError("the title is empty or has invisible characters", where="title")
    if link_type(link.link_type) == DEFAULT_LINK:
        raise InputError("the default link has a type of its own", where="link_type", remedy="set is_default on it")
    target(link.href)
    return link


def levels(link: DigitalLink) -> list[str]:
    """Canonical addresses from the whole link up to its bare key: a lot answers for its serials, a GTIN for all."""
    qualifiers = link.qualifiers
    return [DigitalLink(link.primary, qualifiers[:length]).canonical() for length in _lengths(link)]


def _lengths(link: DigitalLink) -> Iterable[int]:
    # A payment slip (415) names nothing without its reference.
    shortest = 1 if link.primary[0] == "415" else 0
    return range(len(link.qualifiers), shortest - 1, -1)


def choose(found: Resolved, wanted: Wanted) -> list[Link]:
    """The links that answer: one to redirect to, several to choose from. Raises `NotFound`.

    A type that is asked for by name and is not there is not replaced by another one: a machine that asks for
    `gs1:epcis` has no use for a page.
    """
    if wanted.link_type in ("", DEFAULT_LINK):
        candidates = [link for link in found.links if link.is_default]
    else:
        candidates = [link for link in found.links if link.link_type == wanted.link_type]
    if not candidates:
        raise NotFound("there is no link of this type", where="linkType", remedy="linkType=linkset lists all there are")
    # Levels come most specific first: the first that has the type answers for it.
    candidates = [link for link in candidates if link.anchor == candidates[0].anchor]
    return _narrow(_narrow(candidates, wanted.languages, _language_fits), wanted.media_types, _media_fits)


def _narrow(links: list[Link], wishes: Sequence[str], fits: Callable[[Link, str], bool]) -> list[Link]:
    for wish in wishes:
        matching = [link for link in links if fits(link, wish)]
        if matching:
            return matching
    return links


def _language_fits(link: Link, wish: str) -> bool:
    return bool(link.language) and link.language.lower().split("-")[0] == wish.lower().split("-")[0]


def _media_fits(link: Link, wish: str) -> bool:
    return wish not in ("*/*", "") and link.media_type == wish


def linkset(found: Resolved) -> dict[str, object]:
    """RFC 9264 linkset, one context object; `gs1:defaultLink` first, then each type with its links."""
    context: dict[str, object] = {"anchor": found.anchor}
    if found.description:
        context["itemDescription"] = found.description
    groups: dict[str, list[dict[str, object]]] = {}
    for link in found.links:
        for name in ([DEFAULT_LINK] if link.is_default else []) + [link.link_type]:
            groups.setdefault(VOCABULARY + name, []).append(_link_object(link))
    for name in (VOCABULARY + DEFAULT_LINK, *sorted(groups)):
        if name in groups:
            context[name] = groups[name]
    return {"linkset": [context]}


def link_header(found: Resolved, address: str) -> str:
    """`Link` header of an answer: where the linkset is, and the other spelling of the thing's name."""
    return (
        f'<{address}?linkType=linkset>; rel="linkset"; type="{LINKSET_TYPE}", '
        f'<{found.anchor}>; rel="https://www.w3.org/2002/07/owl#sameAs"'
    )


def forwarded(link: Link, query: str) -> str:
    """Target address with the request's `query` (without what was meant for us) behind it."""
    if not query or not link.forward_query:
        return link.href
    address, mark, fragment = link.href.partition("#")
    joint = "&" if "?" in address else "?"
    return f"{address}{joint}{query}{mark}{fragment}"


def _link_object(link: Link) -> dict[str, object]:
    shown: dict[str, object] = {"href": link.href, "title": link.title}
    if link.language:
        shown["hreflang"] = [link.language]
    if link.media_type:
        shown["type"] = link.media_type
    if not link.forward_query:
        shown["fwqs"] = False
    return shown
