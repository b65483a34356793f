"""Records that stood before the public lists had their columns are found in them after the upgrade."""

from __future__ import annotations

import runpy
from datetime import date

from sqlalchemy import select, text

from tests.server.credit.make import AUTHORITY, SUBJECT, paper, published, recorded, services_on
from trace_server.credit.operations import withdraw
from trace_server.credit.tables import violation_record
from trace_server.db import Database, migrate

SCRIPT = migrate.SCRIPTS / "versions" / "0033_public_site.py"


def test_older_records_get_what_the_public_lists_are_ordered_by(database: Database) -> None:
    services = services_on(database)
    published(services, CF_WSH="一")
    recorded(services, CF_WSH="二")
    withdraw(services, published(services, CF_WSH="三").record_id, paper())
    table = violation_record.c
    names = (table.category, table.region, table.decision_no, table.authority_code, table.is_public, table.published_on)
    query = select(*names).order_by(table.decision_no)
    with database.read() as conn:
        before = conn.execute(query).all()
    assert set(before) == {
        ("food", SUBJECT[2:8], number, AUTHORITY, 1, None if number == "二" else date(2026, 6, 1))
        for number in "一二三"
    }
    with database.begin() as conn:
        for name in ("category", "region", "decision_no", "authority_code"):
            conn.execute(text(f"UPDATE violation_record SET {name} = ''"))
        conn.execute(text("UPDATE violation_record SET is_public = 0, published_on = NULL"))
        runpy.run_path(str(SCRIPT))["_fill"](conn)
        assert conn.execute(query).all() == before
