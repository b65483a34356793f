"""Files of open data: what the page says of them is true, and what was taken back is out of them at once."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from datetime import timedelta

import openpyxl
import pytest
from flask.testing import FlaskClient

from tests.server.credit.make import Clock, paper
from tests.server.publicity import make
from trace_server.credit.operations import withdraw
from trace_server.publicity import opendata
from trace_server.publicity.datasets import DATASETS
from trace_server.services import Services


def rows(http: FlaskClient, name: str) -> list[dict[str, str]]:
    text = http.get(f"/data/{name}.csv").data.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_every_set_comes_in_every_format_with_the_described_columns_and_equal_rows(
    http: FlaskClient, outside: Services
) -> None:
    make.fill(outside)
    for name, dataset in DATASETS.items():
        wanted = [column.name for column in dataset.columns]
        plain = rows(http, name)
        assert plain, name
        assert list(plain[0]) == wanted
        told = json.loads(http.get(f"/data/{name}.json").data)
        assert told["rows"] == plain
        assert told["as_of"] == "2026-06-01"
        book = openpyxl.load_workbook(io.BytesIO(http.get(f"/data/{name}.xlsx").data), read_only=True)
        sheet = list(book.worksheets[0].iter_rows(values_only=True))
        assert [[cell or "" for cell in row] for row in sheet] == [wanted, *(list(row.values()) for row in plain)]


def test_the_page_tells_the_hash_of_the_file_that_is_given(http: FlaskClient, outside: Services) -> None:
    make.fill(outside)
    assert opendata.keep(outside) == len(DATASETS) * len(opendata.FORMATS)
    assert opendata.keep(outside) == 0
    page = http.get("/data").text
    for name in DATASETS:
        for form in opendata.FORMATS:
            answer = http.get(f"/data/{name}.{form}")
            digest = hashlib.sha256(answer.data).hexdigest()
            assert digest in page
            assert answer.headers["ETag"] == f'"{digest}"'
            assert answer.headers["Content-Disposition"].startswith("attachment")
            again = http.get(f"/data/{name}.{form}", headers={"If-None-Match": f'"{digest}"'})
            assert again.status_code == 304


def test_a_new_decision_comes_the_next_day_and_a_withdrawn_one_leaves_at_once(
    http: FlaskClient, outside: Services, clock: Clock
) -> None:
    first = make.decided(outside, 3, "一号")
    assert [row["record_id"] for row in rows(http, "penalties")] == [first]
    second = make.decided(outside, 3, "二号")
    assert [row["record_id"] for row in rows(http, "penalties")] == [first]
    withdraw(outside, first, paper())
    assert [row["record_id"] for row in rows(http, "penalties")] == [second]
    assert [row["record_id"] for row in rows(http, "withdrawals")] == [first]
    clock.now += timedelta(days=1)
    third = make.decided(outside, 3, "三号")
    assert {row["record_id"] for row in rows(http, "penalties")} == {second, third}


def test_what_a_spreadsheet_would_run_is_only_text(http: FlaskClient, outside: Services) -> None:
    make.decided(outside, 3, "一号", CF_SY="=HYPERLINK(1)", CF_NR="＋1")
    (row,) = rows(http, "penalties")
    assert (row["CF_SY"], row["CF_NR"]) == ("'=HYPERLINK(1)", "'＋1")


@pytest.mark.parametrize("path", ["/data/people.csv", "/data/penalties.exe", "/data/penalties"])
def test_what_is_no_file_is_a_page_that_says_so(http: FlaskClient, path: str) -> None:
    assert http.get(path).status_code == 404
