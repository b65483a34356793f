"""D05 query anomaly 查询异常: so many people asked for one code in a day that copies of its label are likely."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, time, timedelta

from trace_server.db import Connection, Dialect
from trace_server.detect.detector import Detector, Finding, Outcome, Param, Severity, SubjectKind
from trace_server.detect.steps import LEGAL_TIME
from trace_server.ingest.store.events import objects
from trace_server.registers import store as registers


def sweep(conn: Connection, dialect: Dialect, now: datetime, params: Mapping[str, float]) -> Iterator[Outcome]:
    """Judge the counters of today and yesterday; what was found stays until a person looks into it."""
    yesterday = now.astimezone(LEGAL_TIME).date() - timedelta(days=1)
    found = registers.queried_often(conn, yesterday, int(params["callers"]))
    named = objects(conn, dialect, [one.object_key for one in found])
    for one in found:
        item = named.get(one.object_key)
        uri = item.canonical_uri if item is not None else one.object_key.hex()
        yield Finding(
            group_key=uri,
            subject=uri,
            subject_kind=SubjectKind.ENTERPRISE,
            evidence=(),
            values={"day": one.day.isoformat(), "asked": str(one.callers), "callers": f"{params['callers']:g}"},
            began_at=datetime.combine(one.day, time(), LEGAL_TIME),
        )


DETECTOR = Detector(
    id="D05",
    version=1,
    title_zh="查询异常",
    title_en="Query anomaly",
    subject_kind=SubjectKind.ENTERPRISE,
    severity=Severity.LOW,
    guard="a caller is one network in one hour, so reloads count once; previews (HEAD) do not count; forged codes "
    "never reach the counter; no city is kept of a query, so cities are not compared",
    guard_zh="同一网络一小时内只算一个查询者，重复刷新只算一次；预览请求（HEAD）不计；伪造的码不进入计数；"
    "查询不留存城市，因此不比较城市",
    basis="食品安全法 art. 42",
    params=(Param("callers", 20, "callers a day", "default, the office may change it: more than 20 in 24 h"),),
    sweep=sweep,
    sweep_every_s=600.0,
)
