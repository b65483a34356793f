"""D01 unknown tag 未知标签: a gate saw a code that nobody ever commissioned."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from trace_core.epcis.event_hash import Role
from trace_server.db import Connection
from trace_server.detect.detector import Cleared, Detector, Evidence, Finding, Outcome, Param, SubjectKind, Window
from trace_server.ingest.model import GATEWAY, ActionCode, LinkRole
from trace_server.ingest.store.events import Link, links_of

_NAMED = (Role.OBJECT, Role.OUTPUT)


def find(conn: Connection, window: Window, params: Mapping[str, float]) -> Iterator[Outcome]:
    """Judge every item that the window's events name, by all that is stored of it."""
    uris = {
        ref.key: ref.uri for seen in window.events for ref in seen.objects if ref.role in _NAMED and not ref.is_class
    }
    links: dict[bytes, list[Link]] = defaultdict(list)
    for link in links_of(conn, window.dialect, sorted(uris)):
        links[link.object_key].append(link)
    grace = timedelta(seconds=params["grace_s"])
    for key, own in links.items():
        outcome = _judge(uris[key], own, grace)
        if outcome is not None:
            yield outcome


def _judge(uri: str, links: Sequence[Link], grace: timedelta) -> Outcome | None:
    retracted = {link.peer_key for link in links if link.role is LinkRole.RETRACTED}
    valid = [link for link in links if link.event_key not in retracted]
    if any(_makes(link) for link in valid):
        return Cleared(uri, "commissioned by an event that came later")
    reads = [link for link in valid if _is_read(link)]
    if not reads:
        return Cleared(uri, "every read was declared an error")
    return Finding(
        group_key=uri,
        subject=uri,
        subject_kind=SubjectKind.ENTERPRISE,
        evidence=tuple(Evidence(link.event_key, link.event_time, link.read_point or "") for link in reads),
        values={"grace_s": f"{grace.total_seconds():g}"},
        provisional_until=min(link.record_time for link in reads) + grace,
    )


def _makes(link: Link) -> bool:
    if link.role is LinkRole.PARENT and link.action is ActionCode.ADD:
        return True  # an SSCC comes into being when its case is packed (GS1 General Specifications §2.2)
    return link.role is LinkRole.OUTPUT or (link.role is LinkRole.OBJECT and link.action is ActionCode.ADD)


def _is_read(link: Link) -> bool:
    is_observed = link.role is LinkRole.OBJECT and link.action is ActionCode.OBSERVE
    return is_observed and link.source.startswith(GATEWAY)


DETECTOR = Detector(
    id="D01",
    version=1,
    title_zh="未知标签",
    title_en="Unknown tag",
    subject_kind=SubjectKind.ENTERPRISE,
    guard="counts as a data fault for grace_s after the first read: the producer's upload may be late",
    basis="食品安全法 art. 42; domain.md D01",
    params=(Param("grace_s", 86_400, "s", "domain.md D01: wait 24 h for late upload"),),
    find=find,
)
