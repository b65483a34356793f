"""Search by any code: what a text could be, each with the page that shows it and the permission that page wants."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

from trace_core.errors import IdentifierError, NotAllowed, NotFound
from trace_core.ids import canonical, gs1, uscc
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Permission
from trace_server.cases import operations as cases
from trace_server.catalog.operations import lot_uri
from trace_server.console import store
from trace_server.console.rules import actor_of
from trace_server.credit import store as credit
from trace_server.credit.identity import record_id_of
from trace_server.detect import operations as detect
from trace_server.equipment import operations as equipment
from trace_server.recall import operations as recalls
from trace_server.reports import operations as reports
from trace_server.reports.model import Standing
from trace_server.services import Services
from trace_server.users.model import User

MAX_QUERY = 512
MAX_HITS = 20
_RECALLS = 1000
"""Newest recalls whose notice is compared; a city announces fewer in a decade."""
_KEY = re.compile(r"[0-9a-f]{32}")
_ID = re.compile(r"[0-9a-f]{16}")
_ELEMENTS = re.compile(r"\(([0-9]{2,4})\)([^(]+)")
MIN_NAME = 2
MAX_LOT = 20


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing that the text names. `kind`: a word of `search_words.KINDS`."""

    kind: str
    title: str
    path: str


def find(services: Services, user: User, text: str) -> list[Hit]:
    """What `text` may name of what `user` may see, at most `MAX_HITS`; nothing for an empty text."""
    asked = unicodedata.normalize("NFKC", text[:MAX_QUERY]).strip()
    if not asked:
        return []
    found: dict[str, Hit] = {}
    finders = (
        (Permission.EVENTS_READ, _goods), (Permission.CREDIT_READ, _subjects), (Permission.CASES_READ, _work),
        (Permission.RECALLS_READ, _recalls), (Permission.EQUIPMENT_READ, _equipment),
        (Permission.GATEWAYS_READ, _gateways), (Permission.REPORTS_READ, _reports),
    )  # fmt: skip
    for permission, finder in finders:
        if permission in user.permissions:
            for hit in finder(services, user, asked):
                found.setdefault(hit.path, hit)
    return list(found.values())[:MAX_HITS]


def _goods(services: Services, user: User, text: str) -> Iterator[Hit]:
    uri = _uri(text)
    if uri:
        yield Hit("chain", uri, f"/console/chains?{urlencode({'uri': uri})}")
    gtin, lot = _gtin(_part(text, "01") or text), _part(text, "10")
    with services.db.read() as conn:
        if gtin:
            rows = store.batches(conn, gtin=gtin, lot=lot, limit=MAX_HITS)
        else:
            rows = store.batches(conn, lot=text, limit=MAX_HITS) if len(text) <= MAX_LOT else []
    for found_gtin, found_lot, name in rows:
        batch = f"{found_gtin} {found_lot}"
        yield Hit("batch", f"{name} {batch}", f"/console/chains?{urlencode({'uri': lot_uri(found_gtin, found_lot)})}")
        if Permission.RECALLS_MANAGE in user.permissions:
            yield Hit("draft", f"{name} {batch}", f"/console/recalls?{urlencode({'batches': batch})}")


def _subjects(services: Services, _user: User, text: str) -> Iterator[Hit]:
    if uscc.is_valid(text):
        code = uscc.parse(text).code
        yield Hit("subject", code, f"/console/subjects/{code}")
        return
    with services.db.read() as conn:
        for code, title in store.licence_holders(conn, text, MAX_HITS):
            yield Hit("licence", f"{title} {text}", f"/console/subjects/{code}")
        for authority in store.deciding_authorities(conn):
            record = credit.current(conn, record_id_of(text, authority))
            if record is not None and record.decision.subject_key():
                yield Hit("decision", record.decision.decision_no, f"/console/subjects/{record.decision.subject_key()}")
        names = store.subjects_named(conn, text, MAX_HITS) if len(text) >= MIN_NAME else []
    for code, name in names:
        yield Hit("subject", f"{name} {code}", f"/console/subjects/{code}")


def _work(services: Services, user: User, text: str) -> Iterator[Hit]:
    """Cases and alerts, of the user's own regions alone."""
    actor = actor_of(user)
    try:
        case = cases.dossier(services, actor, text).case
        yield Hit("case", case.title, f"/console/cases/{case.case_id}")
    except (NotFound, NotAllowed):
        pass  # no case of this user's: then it is something else
    if _KEY.fullmatch(text.lower()):
        alert = detect.find_alert(services.db, bytes.fromhex(text), regions=actor.regions)
        if alert is not None:
            yield Hit("alert", f"{alert.rule_id} {alert.subject}", f"/console/alerts/{text.lower()}")


def _recalls(services: Services, _user: User, text: str) -> Iterator[Hit]:
    for row in recalls.list_recalls(services.db, limit=_RECALLS):
        if text in (row.recall_id, unicodedata.normalize("NFKC", row.notice.notice_no)):
            yield Hit("recall", row.notice.notice_no, f"/console/recalls/{row.recall_id}")


def _equipment(services: Services, _user: User, text: str) -> Iterator[Hit]:
    try:
        asset = equipment.show(services.db, services.clock(), text).asset
    except NotFound:
        return
    link = urlsplit(asset.uri)
    path = (
        f"{services.settings.public_url}{link.path}"
        if link.netloc
        else f"/console/chains?{urlencode({'uri': asset.uri})}"
    )
    yield Hit("equipment", asset.device_code or asset.uri, path)
    yield Hit("holder", asset.owner, f"/console/subjects/{asset.owner}")


def _gateways(services: Services, _user: User, text: str) -> Iterator[Hit]:
    for gateway in accounts.list_gateways(services.db):
        if text.lower() == gateway.gateway_id:
            yield Hit("gateway", gateway.gateway_id, f"/console/fleet/{quote(gateway.gateway_id, safe='')}")


def _reports(services: Services, _user: User, text: str) -> Iterator[Hit]:
    found = reports.verify(services, text)
    if found.standing is not Standing.UNKNOWN:
        yield Hit("report", found.report_no, f"/console/reports/{found.report_no}")


def _uri(text: str) -> str:
    """The canonical URI that the text names as EPC, Digital Link, element string or SSCC; "" for none."""
    if text.startswith(("urn:", "http://", "https://")):
        return canonical.canonical_uri(text)
    keys = [(ai, value.strip()) for ai, value in _ELEMENTS.findall(text)]
    if not keys and _is_sscc(text):
        keys = [("00", text)]
    if not keys:
        return ""
    if keys[0][0] == "01":
        keys[0] = ("01", _gtin(keys[0][1]))
    return canonical.canonical_uri("https://id.gs1.org/" + "/".join(f"{ai}/{quote(one, safe='')}" for ai, one in keys))


def _part(text: str, ai: str) -> str:
    """The value of an application identifier in an element string or a Digital Link; "" when it has none."""
    found = re.search(rf"(?:\({ai}\)|/{ai}/)([^(/?#]+)", text)
    return found[1].strip() if found else ""


def _is_sscc(text: str) -> bool:
    try:
        return bool(gs1.sscc(text))
    except IdentifierError:
        return False  # 18 characters may be a company's code instead


def _gtin(text: str) -> str:
    try:
        return gs1.gtin(text)
    except IdentifierError:
        return ""  # digits that are no GTIN may still be a lot
