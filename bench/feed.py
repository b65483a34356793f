"""Changes pulled by the feed over HTTP against a bare SELECT of the same rows, with a short log and a long one.

One JSON object a line, changes per second, taken in turns in one run; the last line compares the long log's pages with
the short one's. The server is this application in a thread of its own on loopback, pages of 500. On SQLite.
`--quick`: shorter logs; `--long`: up to a million changes, some minutes of filling.
"""

from __future__ import annotations

import json
import logging
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import requests
import structlog
from sqlalchemy import text
from werkzeug.serving import make_server

from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Role
from trace_server.app import create_app
from trace_server.config import Settings
from trace_server.credit import store
from trace_server.credit.model import Circumstances, Filter, Op
from trace_server.credit.operations import record_decision
from trace_server.credit.rules import parse_decision
from trace_server.db import Database, migrate, open_database
from trace_server.exchange.cursor import write_cursor
from trace_server.services import Services

SIZES, LONG_SIZES, QUICK_SIZES = (10_000, 100_000), (10_000, 1_000_000), (1_000, 5_000)
PULLED = 5_000
"""Changes read in a round, the newest ones: those that a puller who keeps up asks for."""
PAGE = 500
ROUNDS = 3
CHUNK = 5_000
NOW = datetime(2026, 11, 1, tzinfo=UTC)
AUTHORITY = "11320900MB0000000U"
DECISION = {
    "CF_XDR_MC": "bench", "CF_XDR_LB": "法人及非法人组织", "CF_XDR_SHXYM": "91320900MA1T000210", "CF_FRDB": "bench",
    "CF_WSH": "示市监罚〔2026〕1号", "CF_WFXW": "bench", "CF_SY": "bench", "CF_YJ": "bench", "CF_CFLB": "罚款",
    "CF_NR": "bench", "CF_NR_FK": "2", "CF_JDRQ": "2026/05/15", "CF_YXQ": "2099/12/31", "CF_CFJG": "bench",
    "CF_CFJGDM": AUTHORITY, "CF_SJLY": "bench", "CF_SJLYDM": AUTHORITY,
}  # fmt: skip
BARE = text("SELECT c.seq, c.op, v.* FROM credit_change c JOIN violation_version v ON v.record_id = c.record_id "
            "AND v.version = c.version WHERE c.seq > :after ORDER BY c.seq LIMIT :page")  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    """Exit code: 0 done."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    speeds = []
    sizes = QUICK_SIZES if "--quick" in arguments else LONG_SIZES if "--long" in arguments else SIZES
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            url = f"sqlite:///{Path(folder) / 'bench.sqlite'}"
            migrate.upgrade(url)
            db = open_database(url)
            _fill(db, size)
            speeds.append(_measure(db, size))
            db.dispose()
    short, long = speeds
    line = {"bench": "feed", "case": "long log against short log", "ours": round(long), "reference": round(short)}
    print(json.dumps(line | {"unit": "changes/s", "ratio": round(long / short, 3)}), flush=True)
    return 0


def _measure(db: Database, size: int) -> float:
    settings = Settings(code_secret="b" * 32)
    _, token = accounts.add_client(db, NOW, "bench", name="bench", role=Role.CREDIT_OFFICE)
    server = make_server("127.0.0.1", 0, create_app(settings, db), threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    pulled = min(PULLED, size)
    best = {"ours": 0.0, "reference": 0.0}
    try:
        with requests.Session() as client:
            client.trust_env = False
            client.headers["Authorization"] = f"Bearer {token}"
            api = f"http://127.0.0.1:{server.server_port}/api/v1/credit"
            start = _cursor(settings, size - pulled)
            for _ in range(ROUNDS):
                best["reference"] = max(best["reference"], pulled / _timed(lambda: _select(db, size - pulled)))
                best["ours"] = max(best["ours"], pulled / _timed(lambda: _pull(client, api, start, pulled)))
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    line = {"bench": "feed", "case": f"the last {pulled} of {size} changes", **{k: round(v) for k, v in best.items()}}
    print(json.dumps(line | {"unit": "changes/s", "ratio": round(best["ours"] / best["reference"], 3)}), flush=True)
    return best["ours"]


def _cursor(settings: Settings, seq: int) -> str:
    return write_cursor(seq, Filter(), settings.oldest_secret)


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _select(db: Database, after: int) -> None:
    while True:
        with db.read() as conn:
            rows = conn.execute(BARE, {"after": after, "page": PAGE}).all()
        if not rows:
            return
        after = rows[-1].seq


def _pull(client: requests.Session, api: str, cursor: str, expected: int) -> None:
    count, has_more = 0, True
    while has_more:
        body = client.get(f"{api}/violations", params={"cursor": cursor, "limit": PAGE}).json()
        count, cursor, has_more = count + len(body["items"]), body["next_cursor"], body["has_more"]
    if count != expected:
        raise SystemExit(f"feed: {count} changes instead of {expected}")


def _fill(db: Database, size: int) -> None:
    """Records with one version each, as the archive writes them."""
    services = Services(db, Settings(code_secret="b" * 32), lambda: NOW)
    decision = parse_decision(DECISION, today=NOW.date())
    sample = record_decision(services, decision, Circumstances("food"), actor="bench").record
    for first in range(1, size, CHUNK):
        written = [
            store.Written(replace(sample, record_id=str(UUID(int=number))), Op.UPSERT, (), "0" * 64)
            for number in range(first, min(first + CHUNK, size))
        ]
        with db.begin() as conn:
            for one in written:
                store.insert_record(conn, db.dialect, one.record, "")
            store.append(conn, db.dialect, written)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
