"""An application over a small world in which every kind of thing that a route can name exists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from apiflask import APIFlask
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.server.portal import make
from trace_core.uplink import (
    KEY_ID_HEADER,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    encode_signature,
    key_id,
    request_payload,
    signature_input,
)
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import PERMISSIONS, Role
from trace_server.app import create_app
from trace_server.cases import operations as cases
from trace_server.cases.model import Actor
from trace_server.config import Settings
from trace_server.db import Database
from trace_server.fleet import operations as fleet
from trace_server.ingest import operations as ingest
from trace_server.ingest.model import ErrorBehaviour
from trace_server.ingest.store.held import quarantined
from trace_server.query import operations as queries
from trace_server.query.model import NamedQuery
from trace_server.recall import operations as recalls
from trace_server.recall.model import Notice, Scope
from trace_server.resolver import operations as resolver
from trace_server.resolver.model import Link
from trace_server.services import EXTENSION, Services

GATEWAY = "gate-1"
HOST = "www.example.com"
BUREAU = "示例市市场监督管理局"
NOTICE = Notice("示例召〔2026〕9号", "示例局", "原料不合格", "停止食用", "任意门店", "000")
SUBJECTS = {Role.PRODUCER: make.PRODUCER, Role.PLATFORM: make.MARKET}


@dataclass(frozen=True, slots=True)
class Place:
    """`names`: path parameter → values that exist. `tokens`: role → bearer token."""

    app: APIFlask
    db: Database
    names: Mapping[str, tuple[str, ...]]
    tokens: Mapping[Role, str]
    gateway_key: Ed25519PrivateKey

    def headers(self, permission: str | None) -> dict[str, str]:
        """Of the first role that has `permission`; none for a public route."""
        role = next((role for role in Role if permission in PERMISSIONS[role]), None)
        return {"Authorization": f"Bearer {self.tokens[role]}"} if role else {}

    def signed(self, payload: bytes) -> dict[str, str]:
        """The headers of the gateway that sends `payload`."""
        raw = self.gateway_key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        signature = encode_signature(self.gateway_key.sign(signature_input(payload)))
        return {KEY_ID_HEADER: key_id(raw), SIGNATURE_HEADER: signature}

    def signed_request(self, method: str, path: str) -> dict[str, str]:
        """The headers of the gateway that asks without a body."""
        stamp = make.NOW.isoformat()
        return {TIMESTAMP_HEADER: stamp, **self.signed(request_payload(method, path, stamp))}


def furnish(db: Database) -> Place:
    """The milk trade, a recall that was announced, a case, a gateway with settings, a job, a held event."""
    app = create_app(Settings(code_secret=make.SECRET), db)
    settings = app.extensions[EXTENSION].settings
    outside = Services(db, settings, lambda: make.NOW)
    app.extensions[EXTENSION] = outside
    make.load(db)
    way = make.whole_way()
    make.capture(db, *way)
    ingest.number_captures(db)
    wrong = b'{"@context": ["https://ref.gs1.org/standards/epcis/epcis-context.jsonld"], "type": "ObjectEvent"}'
    job = ingest.capture_document(db, make.NOW, "tester", wrong, ErrorBehaviour.PROCEED, single=True)
    with db.read() as conn:
        held = [entry.quarantine_key.hex() for entry in quarantined(conn)]
    recall = recalls.create(
        db, make.NOW, "one", category="food", level=1, scope=Scope(batches=((make.GTIN, make.LOT),)), notice=NOTICE
    )
    recalls.announce(db, make.NOW, "two", recall.recall_id, "lab report 7")
    case = cases.open_case(
        outside, Actor("user:one", BUREAU), cases.NewCase(title="涉嫌经营过期食品", category="food", region="320902")
    )
    key = _gateway(db)
    resolver.propose_host(db, make.NOW, "one", HOST, "the producer's own")
    resolver.approve_host(db, make.NOW, "two", HOST)
    link = Link(make.LOT_URI, "pip", f"https://{HOST}/milk", "鲜牛奶")
    resolver.add_link(db, make.NOW, "one", link, owner=None)
    queries.keep(db, NamedQuery("milk", "client:tester", make.NOW, {"EQ_action": ["ADD"]}, []))
    links = [str(one.link_id) for one in resolver.list_links(db, make.LOT_URI)]
    fleet.set_settings(db, make.NOW, "test", GATEWAY, {"gateway": {"group_ms": 7.0}})
    names = {
        "recall_id": (recall.recall_id,),
        "case_id": (case.case_id,),
        "job_id": (job.job_key.hex(),),
        "entry_id": tuple(held),
        "name": ("milk",),
        "event_id": tuple(one["eventID"] for one in way),
        "link_id": (links[0],),
        "gateway_id": (GATEWAY,),
        "uscc": (make.PRODUCER, make.MARKET),
        "direction": ("upstream", "downstream", "both"),
        "uri": (make.ITEM, make.LOT_URI, make.CASE, make.RAW_URI),
        "anchor": (make.ITEM, make.LOT_URI),
        "value": (make.ITEM, make.DAIRY, "receiving", "ObjectEvent", "shipping"),
        "host": (HOST,),
    }
    tokens = {
        role: accounts.add_client(db, make.NOW, "test", name=f"a {role}", role=role, subject=SUBJECTS.get(role, ""))[1]
        for role in Role
    }
    return Place(app, db, names, tokens, key)


def _gateway(db: Database) -> Ed25519PrivateKey:
    key = Ed25519PrivateKey.generate()
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    code = accounts.add_gateway(
        db, make.NOW, "test", gateway_id=GATEWAY, site="North", read_points=(make.GATE,), auto_approve=True
    )
    accounts.enrol(db, make.NOW, code=code, public_key=raw, software="t", hostname="t", address="192.0.2.1")
    return key
