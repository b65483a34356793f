"""Which batches are blocked, what an import of assets says, and the list that follows. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TypeAlias

from trace_core.errors import InputError
from trace_core.ids import uscc
from trace_core.ids.canonical import canonical_uri
from trace_server.blocklist.model import BlockedBatch, BlockEntry, Match, Reason
from trace_server.catalog.operations import lot_uri
from trace_server.equipment.model import Asset, State

Line: TypeAlias = Mapping[str, str]

ASSET_FIELDS = ("uri", "tid", "medium", "owner", "inspection_due", "scrap_on", "source", "as_of")
REQUIRED_FIELDS = ("uri", "source", "as_of")
MAX_ROWS = 500_000
MAX_URI_CHARS = 256
_TID = re.compile(r"(?:[0-9A-F]{2}){4,32}\Z")
_MEDIUM = re.compile(r"[a-z0-9_]{1,32}\Z")


def entries(batches: Iterable[BlockedBatch], recalled: Mapping[str, bool] | None = None) -> list[Line]:
    """Lines for each batch: its lot class, and each tagged item by itself, since a tag does not carry the lot.

    `recalled`: single things of recalls, URI → whether it names a class; a batch's own lines count before.
    """
    found: list[BlockEntry] = []
    for batch in batches:
        reason = Reason.RECALLED if batch.is_recalled else Reason.EXPIRED
        named = [(Match.CLASS, lot_uri(batch.gtin, batch.lot))]
        named += [(Match.URI, epc) for epc in batch.epcs]
        found += [BlockEntry(match, value, "refuse", reason.value) for match, value in named]
    listed = {entry.value for entry in found if entry.reason == Reason.RECALLED.value}
    found = [entry for entry in found if entry.value in listed or entry.value not in (recalled or {})]
    found += [
        BlockEntry(Match.CLASS if is_class else Match.URI, uri, "refuse", Reason.RECALLED.value)
        for uri, is_class in (recalled or {}).items()
        if uri not in listed
    ]
    return [entry.as_json() for entry in sorted(found, key=lambda entry: (entry.match, entry.value))]


def equipment_lines(assets: Iterable[Asset]) -> list[Line]:
    """The facts of each thing; what is out of service is refused besides, whatever its dates say."""
    found: list[Line] = []
    for asset in assets:
        if asset.state is State.OUT_OF_SERVICE:
            found.append(BlockEntry(Match.URI, asset.uri, "refuse", Reason.OUT_OF_SERVICE.value).as_json())
        facts = {
            "tid": asset.tid,
            "medium": asset.medium,
            "owner": asset.owner,
            "inspection_due": asset.inspection_due.isoformat() if asset.inspection_due else "",
            "scrap_on": asset.scrap_on.isoformat() if asset.scrap_on else "",
        }
        known = {name: value for name, value in facts.items() if value}
        found.append({"match": Match.ASSET.value, "value": asset.uri} | known)
    return found


def digest(lines: Sequence[Line]) -> bytes:
    """Same lines, same digest: a list that says nothing new is no new version."""
    return hashlib.sha256(json.dumps(list(lines), sort_keys=True, ensure_ascii=False).encode()).digest()


def read_assets(document: object) -> list[Asset]:
    """`{"assets": [{uri, source, as_of, tid?, medium?, owner?, inspection_due?, scrap_on?}]}`, canonical URIs.

    Raises `InputError` that names the first wrong row; a later row of the same URI replaces the earlier.
    """
    rows = document.get("assets") if isinstance(document, dict) else None
    if not isinstance(rows, list) or len(rows) > MAX_ROWS:
        raise InputError("a list of assets is needed", where="/assets", remedy=f"at most {MAX_ROWS} rows")
    found = [_asset(row, f"/assets/{number}") for number, row in enumerate(rows)]
    return list({asset.uri: asset for asset in found}.values())


def _asset(row: object, where: str) -> Asset:
    if not isinstance(row, dict) or not all(isinstance(value, str) for value in row.values()):
        raise InputError("an object of texts is needed", where=where)
    for name in row:
        if name not in ASSET_FIELDS:
            raise InputError(f"unknown field {name!r}", where=where, remedy=f"known: {', '.join(ASSET_FIELDS)}")
    for name in REQUIRED_FIELDS:
        if not row.get(name):
            raise InputError(f"{name} is missing", where=where)
    tid, medium, owner = row.get("tid", "").upper(), row.get("medium", ""), row.get("owner", "")
    if tid and not _TID.match(tid):
        raise InputError(f"{tid!r:.80} is no TID", where=f"{where}/tid", remedy="8 to 64 hex digits")
    if medium and not _MEDIUM.match(medium):
        raise InputError(f"{medium!r:.80} is no medium", where=f"{where}/medium", remedy="one word, e.g. lpg")
    if owner and not uscc.is_valid(owner):
        raise InputError(f"{owner!r:.80} is no USCC", where=f"{where}/owner", remedy="18 characters, GB 32100")
    uri, as_of = canonical_uri(row["uri"]), _date(row, "as_of", where)
    if ":" not in uri or len(uri) > MAX_URI_CHARS or as_of is None:
        raise InputError(f"{uri!r:.80} is no URI", where=f"{where}/uri", remedy="an EPC URN or a Digital Link")
    return Asset(
        uri=uri,
        tid=tid,
        medium=medium,
        owner=owner,
        inspection_due=_date(row, "inspection_due", where),
        scrap_on=_date(row, "scrap_on", where),
        source=row["source"][:200],
        as_of=as_of,
    )


def _date(row: Mapping[str, str], name: str, where: str) -> date | None:
    text = row.get(name, "")
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise InputError(f"{text!r:.40} is no date", where=f"{where}/{name}", remedy="write 2026-11-24") from error
