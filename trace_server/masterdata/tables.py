"""Vocabulary elements, one row a version; small beside events, they lie with the object they describe."""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table, Text

from trace_server.db import Json, Key, UtcDateTime, metadata

vocabulary_element = Table(
    "vocabulary_element",
    metadata,
    Column("object_key", Key, primary_key=True),
    Column("vocabulary", String(200), primary_key=True),
    Column("recorded_at", UtcDateTime, primary_key=True),
    Column("uri", Text, nullable=False),
    Column("attributes", Json, nullable=False),
    Column("children", Json, nullable=False),
    Column("recorded_by", String(128), nullable=False),
    Index("vocabulary_element_by_vocabulary", "vocabulary", "object_key", "recorded_at"),
)
