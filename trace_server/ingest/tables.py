"""Tables of the capture path. Shard keys come first in every primary key: `event_key` and `object_key` are hashes
of content, so a cluster spreads them evenly and no writer asks another for a number.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
)
from sqlalchemy import text as sql

from trace_server.db import Json, Key, UtcDateTime, metadata

event = Table(
    "event",
    metadata,
    Column("event_key", Key, primary_key=True),
    Column("capture_key", Key, nullable=False),
    # First half of the CBV event hash: the name of an event without eventID, the same whoever sent it.
    Column("hash_key", Key),
    Column("event_time", UtcDateTime, nullable=False),
    Column("record_time", UtcDateTime, nullable=False),
    Column("seq", BigInteger),
    Column("ordinal", SmallInteger, nullable=False),
    Column("type", SmallInteger, nullable=False),
    Column("action", SmallInteger),
    Column("utc_offset_min", SmallInteger, nullable=False),
    Column("is_correction", Boolean, nullable=False),
    Column("biz_step", Text),
    Column("disposition", Text),
    Column("read_point", Text),
    Column("biz_location", Text),
    Column("event_id", Text),
    Column("source", Text, nullable=False),
    Column("epoch", String(16)),
    # Text, not JSONB: the sender's bytes are what was signed and hashed.
    Column("body", Text, nullable=False),
    # A capture's key begins with its time: this index grows at one end only.
    Index("event_by_capture", "capture_key", "ordinal"),
    Index("event_by_hash", "hash_key"),
    # Answers of queries in pages: the key ends the order of events of one moment.
    Index("event_by_time", "event_time", "event_key"),
    Index("event_by_record_time", "record_time", "event_key"),
)
Index(
    "event_by_event_id",
    event.c.event_id,
    postgresql_where=event.c.event_id.isnot(None),
    sqlite_where=event.c.event_id.isnot(None),
)

link = Table(
    "link",
    metadata,
    Column("object_key", Key, primary_key=True),
    Column("event_time", UtcDateTime, primary_key=True),
    Column("event_key", Key, primary_key=True),
    Column("ordinal", SmallInteger, primary_key=True),
    Column("role", SmallInteger, nullable=False),
    Column("action", SmallInteger),
    Column("peer_key", Key),
    Column("quantity", Float),
    Column("uom", String(3)),
)
Index(
    "link_by_peer",
    link.c.peer_key,
    postgresql_where=link.c.peer_key.isnot(None),
    sqlite_where=link.c.peer_key.isnot(None),
)

object_ = Table(
    "object",
    metadata,
    Column("object_key", Key, primary_key=True),
    Column("canonical_uri", Text, nullable=False),
    Column("is_class", Boolean, nullable=False),
    Column("gtin", String(14)),
    Column("lot", Text),
    Column("serial", Text),
)

capture = Table(
    "capture",
    metadata,
    Column("capture_key", Key, primary_key=True),
    Column("source", Text, nullable=False),
    Column("record_time", UtcDateTime, nullable=False),
    Column("event_count", Integer, nullable=False),
    Column("context", Text),
    Column("sender_wall", UtcDateTime),
    Column("clock_state", String(16)),
    # NULL until the sequencer numbers it, after its commit.
    Column("seq", BigInteger),
    Index("capture_by_seq", "seq", unique=True),
)
Index(
    "capture_unnumbered",
    capture.c.capture_key,
    postgresql_where=capture.c.seq.is_(None),
    sqlite_where=capture.c.seq.is_(None),
)

capture_head = Table(
    "capture_head",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("seq", BigInteger, nullable=False),
)

gateway_cursor = Table(
    "gateway_cursor",
    metadata,
    Column("gateway_id", String(64), primary_key=True),
    Column("epoch", String(16), primary_key=True),
    Column("last_seq", BigInteger, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("backed_up_to", BigInteger, nullable=False, server_default=sql("0")),
    Column("updated", UtcDateTime, nullable=False),
)

gateway_event = Table(
    "gateway_event",
    metadata,
    Column("gateway_id", String(64), primary_key=True),
    Column("epoch", String(16), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    # The chain value after this event: equal means that everything up to here is equal.
    Column("digest", LargeBinary(32), nullable=False),
    Column("event_key", Key),
    Column("quarantine_key", Key),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("quarantine_key", Key, primary_key=True),
    Column("source", Text, nullable=False),
    Column("epoch", String(16)),
    Column("seq", BigInteger),
    Column("reason", String(32), nullable=False),
    Column("what", Text, nullable=False),
    Column("where", Text, nullable=False),
    Column("remedy", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("context", Text),
    Column("received_at", UtcDateTime, nullable=False),
    Column("state", String(16), nullable=False),
    Column("resolved_at", UtcDateTime),
)

alarm = Table(
    "alarm",
    metadata,
    Column("alarm_key", Key, primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("source", Text, nullable=False),
    Column("epoch", String(16)),
    Column("seq", BigInteger),
    Column("detail", Text, nullable=False),
    Column("first_seen", UtcDateTime, nullable=False),
    Column("last_seen", UtcDateTime, nullable=False),
    Column("times", Integer, nullable=False),
)

capture_job = Table(
    "capture_job",
    metadata,
    Column("job_key", Key, primary_key=True),
    Column("source", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("event_count", Integer, nullable=False),
    Column("accepted", Integer, nullable=False),
    Column("duplicates", Integer, nullable=False),
    Column("quarantined", Integer, nullable=False),
    Column("errors", Json, nullable=False),
    Column("error_behaviour", String(16), nullable=False, server_default=sql("'proceed'")),
    Column("header", Text),
    # NULL: when it was created.
    Column("finished_at", UtcDateTime),
    Index("capture_job_by_source", "source", "job_key"),
)

event_value = Table(
    "event_value",
    metadata,
    # A hash, for an index takes no text of thousands of characters.
    Column("value_key", Key, primary_key=True),
    Column("resource", String(16), primary_key=True),
    Column("value", Text, nullable=False),
)
"""Each step, disposition, read point and location that an event ever named: lists of them ask no events."""

RESOURCES = {
    "bizSteps": "biz_step",
    "bizLocations": "biz_location",
    "readPoints": "read_point",
    "dispositions": "disposition",
}
"""EPCIS 2.0 resource → the column of `event` whose values it lists."""

capture_inbox = Table(
    "capture_inbox",
    metadata,
    Column("job_key", Key, primary_key=True),
    Column("source", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("error_behaviour", String(16), nullable=False),
    Column("is_xml", Boolean, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Index("capture_inbox_by_source", "source", "job_key"),
)

follower_position = Table(
    "follower_position",
    metadata,
    Column("follower", String(64), primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("updated", UtcDateTime, nullable=False),
    Column("failures", Integer, nullable=False, server_default=sql("0")),
    Column("last_failure", Text, nullable=False, server_default=sql("''")),
)
