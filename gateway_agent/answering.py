"""Allow, warn or refuse, from the list on the box: the answer must come offline too.

Codes are compared in canonical form (`trace_core.ids.canonical`), so it does not matter how the list and the tag
write them. The strictest finding wins, among equals the first; every answer says why and how old the list is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

from gateway_agent.blocklist import STRICTNESS, Asset, BlockList, Verdict
from gateway_agent.checkpoints import Role
from gateway_agent.codes import LINK_PREFIX
from trace_core.errors import IdentifierError
from trace_core.ids import epc as epc_codec
from trace_core.ids.canonical import canonical_uri

MIN_TID_BYTES = 8
"""Class, maker and model come first in a TID; a shorter one does not tell one chip from another."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a tag says it is. `canonical` is empty when its bits could not be decoded."""

    uri: str
    canonical: str = ""

    @property
    def key(self) -> str:
        """The one name under which the box remembers it."""
        return self.canonical or self.uri


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator decided once for this box."""

    without_list: Verdict = Verdict.WARN
    stale_after_s: float = float("inf")
    owner: str = ""
    """USCC of the station; cylinders of others are foreign. Empty: not asked."""
    pre_check_valid_s: float = 3600.0
    utc_offset: timezone = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True)
class Question:
    """One tag at one read point. `check`: the verdict of its newest pre-check, None without a valid one."""

    identity: Identity
    wall: datetime
    tid: bytes | None = None
    role: Role = Role.GATE
    medium: str = ""
    check: bool | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    verdict: Verdict
    reason: str
    list_age_s: float | None


def identify(epc: bytes) -> Identity:
    """The name of a tag: its EPC URI, or the raw URI when the bits mean nothing to us. Of a printed code: its link."""
    if epc.startswith(LINK_PREFIX):
        link = epc.decode()
        return Identity(link, canonical_uri(link))
    try:
        uri = epc_codec.decode(epc).uri
    except IdentifierError:
        return Identity(epc_codec.raw_uri(epc))
    return Identity(uri, canonical_uri(uri))


def identify_code(code: str) -> Identity:
    """The same for what a person or a scanner gives: hex of a tag, EPC URN, Digital Link. Raises `IdentifierError`."""
    try:
        return identify(bytes.fromhex(code))
    except ValueError as error:
        canonical = canonical_uri(code)
        if ":" not in canonical:
            remedy = "give hex, urn:epc:… or a Digital Link"
            raise IdentifierError(f"{code!r:.80} is no code", where="epc", remedy=remedy) from error
        return Identity(code, canonical)


def answer(question: Question, block_list: BlockList | None, policy: Policy) -> Answer:
    """The answer at the gate for one tag."""
    age_s = block_list.age_s(question.wall) if block_list else None
    found = _findings(question, block_list, policy, age_s)
    verdict, reason = max(found, key=lambda finding: STRICTNESS[finding[0]], default=(Verdict.ALLOW, "not-listed"))
    return Answer(verdict, reason, age_s)


def class_uris(canonical: str) -> list[str]:
    """The classes a canonical URI belongs to, itself included: …/01/G/10/L/21/S → …/01/G/10/L, …/01/G."""
    classes = [canonical]
    for qualifier in ("/21/", "/10/", "/22/"):
        head, found, _ = classes[-1].partition(qualifier)
        if found and "/01/" in head:
            classes.append(head)
    return classes


def _findings(
    question: Question, block_list: BlockList | None, policy: Policy, age_s: float | None
) -> Iterator[tuple[Verdict, str]]:
    filling = question.role in (Role.FILLING, Role.PRE_CHECK)
    # Never fill what nobody knows (特种设备安全法 art. 49); elsewhere a tag of strangers is a remark.
    unknown = Verdict.REFUSE if filling else Verdict.WARN
    canonical = question.identity.canonical
    if not canonical:
        yield unknown, "unknown-tag"
    if block_list is None:
        yield (Verdict.REFUSE if filling else policy.without_list), "no-list"
        return
    asset = block_list.assets.get(canonical)
    if asset is not None and _is_another_chip(asset, question.tid):
        yield Verdict.REFUSE, "tid-mismatch"
    for entry in (block_list.items.get(canonical), *map(block_list.classes.get, class_uris(canonical))):
        if entry is not None:
            yield entry.verdict, entry.reason
    if asset is not None:
        yield from _by_date(asset, _today(question, block_list, policy))
    if filling:
        yield from _before_filling(question, asset, policy)
    if age_s is None or age_s > policy.stale_after_s:
        yield Verdict.WARN, "list-stale"


def _by_date(asset: Asset, today: date) -> Iterator[tuple[Verdict, str]]:
    """Rule D50 and the first half of D51: no use when overdue or scrapped, also decided weeks offline."""
    if asset.scrap_on is not None and today >= asset.scrap_on:
        yield Verdict.REFUSE, "scrapped"
    if asset.inspection_due is not None and today > asset.inspection_due:
        yield Verdict.REFUSE, "overdue"


def _before_filling(question: Question, asset: Asset | None, policy: Policy) -> Iterator[tuple[Verdict, str]]:
    """Rules D51 (unknown, foreign), D52 (medium), D53 (pre-check)."""
    if asset is None or not asset.medium:
        yield Verdict.REFUSE, "unknown-cylinder"
    else:
        if policy.owner and asset.owner != policy.owner:
            yield Verdict.REFUSE, "foreign"
        if question.medium and asset.medium != question.medium:
            yield Verdict.REFUSE, "wrong-medium"
    if question.role is Role.FILLING and question.check is not True:
        yield Verdict.REFUSE, "no-pre-check" if question.check is None else "pre-check-failed"


def _today(question: Question, block_list: BlockList, policy: Policy) -> date:
    """The local date, and never before the list was issued: a box whose clock fell back must not forgive a due date."""
    return max(question.wall, block_list.issued_at).astimezone(policy.utc_offset).date()


def _is_another_chip(asset: Asset, tid: bytes | None) -> bool:
    """Whether the chip is not the one that the code is bound to (D03). Readers give a TID as long as they like."""
    length = min(len(asset.tid), len(tid or b""))
    return length >= MIN_TID_BYTES and (tid or b"")[:length] != asset.tid[:length]
