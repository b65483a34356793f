"""Mass balance: what came out against what usually comes of what went in; what is missing is said, not guessed."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from click.testing import CliRunner

from tests.server.portal import make
from tests.server.trace.test_transformation_parts import amount, told
from trace_core.errors import NotFound
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Role
from trace_server.app import create_app
from trace_server.cli import cli
from trace_server.config import Settings
from trace_server.db import Database
from trace_server.trace.balance import Balance, Verdict, mass_balance
from trace_server.trace.model import Interval
from trace_server.trace.yields import load_yields

POWDER = [
    make.product(gtin=make.RAW_GTIN, name="生牛乳", standard="GB 19301"),
    make.product(name="示例牌全脂乳粉", standard="GB 19644-2010"),
]


def balance(database: Database, uri: str = make.LOT_URI, **window: Any) -> Balance:
    with database.read() as conn:
        return mass_balance(conn, database.dialect, uri, **window)


def drying(milk: float, powder: float, uom: str = "KGM", hour: int = 6, **members: Any) -> dict[str, Any]:
    inputs, outputs = [amount(make.RAW_URI, milk, uom)], [amount(make.LOT_URI, powder)]
    return told(hour, inputQuantityList=inputs, outputQuantityList=outputs, **members)


@pytest.mark.parametrize(
    ("powder", "verdict", "difference"),
    [(125, "within", 0), (142, "within", 2), (143, "over", 3), (109, "within", -1), (100, "under", -10)],
)
def test_a_dryer_is_judged_by_its_yield(database: Database, powder: float, verdict: str, difference: float) -> None:
    make.load(database, products=POWDER)
    make.capture(database, drying(1, powder, "TNE"))
    [line] = balance(database).lines
    assert (line.rule, line.used, line.made, line.expected) == ("milk_powder", 1000, powder, (110, 140))
    assert (line.verdict.value, line.difference, line.is_confirmed) == (verdict, difference, False)


def test_a_site_is_asked_about_by_its_uri_and_a_window(database: Database) -> None:
    make.load(database, products=POWDER)
    make.capture(database, drying(1000, 125), drying(1000, 500, hour=9))
    assert [line.verdict for line in balance(database, make.DAIRY).lines] == [Verdict.WITHIN, Verdict.OVER]
    since = Interval(datetime(2026, 11, 20, 0, 30, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC))
    assert [line.made for line in balance(database, make.DAIRY, window=since).lines] == [500]
    with pytest.raises(NotFound):
        balance(database, make.SHELF)


def test_what_is_missing_is_said(database: Database) -> None:
    make.load(database, products=POWDER)
    make.capture(database, drying(1000, 125, "LTR"))
    [line] = balance(database).lines
    assert (line.verdict, line.used, line.missing) == (Verdict.INCOMPLETE, None, ("an input has no mass",))
    alone = told(8, outputQuantityList=[amount(make.LOT_URI, 1)], transformationID="urn:example:t")
    make.capture(database, alone)
    assert balance(database).lines[1].missing == ("no input of this kind is recorded",)


def test_inputs_that_another_event_tells_count(database: Database) -> None:
    make.load(database, products=POWDER)
    inputs = told(9, inputQuantityList=[amount(make.RAW_URI, 1000)], transformationID="urn:example:t")
    make.capture(database, told(8, outputQuantityList=[amount(make.LOT_URI, 120)], transformationID="urn:example:t"))
    make.capture(database, inputs)
    assert [(line.used, line.verdict) for line in balance(database).lines] == [(1000, Verdict.WITHIN)]


def test_stock_is_what_was_made_less_what_was_used_each_unit_by_itself(database: Database) -> None:
    make.load(database, products=POWDER)
    made = make.event(
        "ObjectEvent", "2026-11-19T00:00:00", "", make.DAIRY, action="ADD", quantityList=[amount(make.RAW_URI, 800)]
    )
    make.capture(database, made, drying(1000, 125), drying(1, 1, "LTR", hour=8))
    stock = {(one.uri, one.uom): (one.left, one.missing) for one in balance(database).stock}
    assert stock == {
        (make.RAW_URI, "KGM"): (-200, ()),
        (make.RAW_URI, "LTR"): (None, ("its making is not recorded in this unit",)),
        (make.LOT_URI, "KGM"): (126, ()),
    }


def test_the_balance_over_http_and_as_a_file(database: Database) -> None:
    make.load(database, products=POWDER)
    make.capture(database, drying(1000, 200))
    _, token = accounts.add_client(database, make.NOW, "tester", name="r", role=Role.REGULATOR)
    http = create_app(Settings(code_secret=make.SECRET), database).test_client()
    bearer = {"Authorization": f"Bearer {token}"}
    found = http.get("/api/v1/trace/balance", query_string={"uri": make.LOT_URI}, headers=bearer)
    assert (found.status_code, found.get_json()["lines"][0]["difference_kg"]) == (200, 60)
    asked = {"uri": make.DAIRY, "format": "csv", "from": "2026-11-01T00:00:00+08:00"}
    file = http.get("/api/v1/trace/balance/file", query_string=asked, headers=bearer)
    [row] = csv.DictReader(io.StringIO(file.data.decode("utf-8-sig")))
    assert (row["rule"], row["made_kg"], row["verdict"]) == ("milk_powder", "200", "over")
    assert http.get("/api/v1/trace/balance", query_string={"uri": make.LOT_URI}).status_code == 401
    assert http.get("/api/v1/trace/balance", query_string={"uri": make.CASE}, headers=bearer).status_code == 404


def test_the_balance_from_the_command_line(database: Database, migrated_url: str) -> None:
    environment = {"SUYUAN_DATABASE_URL": migrated_url}
    make.load(database, products=POWDER)
    make.capture(database, drying(1000, 200))
    run = CliRunner().invoke(cli, ["trace", "balance", make.LOT_URI], env=environment)
    assert "over: used 1000 kg, made 200 kg, expected 110 to 140 kg (milk_powder)" in run.output
    run = CliRunner().invoke(cli, ["trace", "balance", make.LOT_URI, "--json"], env=environment)
    assert json.loads(run.output)["lines"][0]["verdict"] == "over"


def test_each_yield_has_basis_and_day_and_waits_for_an_office() -> None:
    assert {(one.name, one.minimum, one.maximum) for one in load_yields()} == {
        ("milk_powder", 0.11, 0.14),
        ("pig_carcass", 0.68, 0.80),
        ("paddy_rice", 0.60, 0.72),
    }
    assert all(one.basis and not one.is_confirmed for one in load_yields())
