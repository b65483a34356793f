"""Labels can be scanned, read aloud and told from a copy of another site."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image
from pyzbar import pyzbar

from tests.server.portal import make
from trace_core.errors import ConfigError
from trace_server.catalog import store
from trace_server.catalog.operations import item_key
from trace_server.config import Settings
from trace_server.db import Database
from trace_server.portal import labels
from trace_server.portal.cli import label
from trace_server.portal.limits import Allowance, Limits
from trace_server.portal.model import Code
from trace_server.portal.signature import CodeKeys
from trace_server.services import Services

URL = "https://trace.example"
KEYS = CodeKeys.parse(make.SECRET)


@pytest.mark.parametrize("code", [make.CODE, Code(make.GTIN, "x" * 20, "A/b?c&d=%e"), Code(make.GTIN, "1", "1")])
def test_the_png_decodes_to_the_signed_address(code: Code) -> None:
    text = labels.link(URL, code, KEYS)
    image = Image.open(io.BytesIO(labels.png(text, scale=4)))
    assert image.mode == "1"
    assert [found.data.decode() for found in pyzbar.decode(image)] == [text]


def test_the_label_carries_code_check_code_and_official_domain() -> None:
    drawn = labels.svg(make.CODE, URL, KEYS)
    signature = KEYS.sign(make.CODE.uri)
    for text in (f"(01){make.GTIN}", f"(10){make.LOT}", f"(21){make.SERIAL}", signature[:5], "trace.example"):
        assert text in drawn
    assert "&lt;" in labels.svg(Code(make.GTIN, "<", "1"), URL, KEYS)


def test_the_command_issues_codes_and_writes_the_same_labels_again(database: Database, tmp_path: Path) -> None:
    make.load(database)
    services = Services(database, Settings(code_secret=make.SECRET, public_url=URL), lambda: make.NOW)
    files = [tmp_path / name for name in ("label.png", "label.svg", "sheet.html")]
    options = ["--gtin", make.GTIN, "--lot", make.LOT, "--serial", "1", "--serial", "2", "--json"]
    options += [
        part for name, file in zip(("--png", "--svg", "--sheet"), files, strict=True) for part in (name, str(file))
    ]
    first = CliRunner().invoke(label, options, obj=services)
    assert first.exit_code == 0, first.output
    found = json.loads(first.stdout)
    assert found["new"] == 2
    assert found["labels"][0]["url"] == labels.link(URL, Code(make.GTIN, make.LOT, "1"), KEYS)
    before = [file.read_bytes() for file in files]
    again = CliRunner().invoke(label, options, obj=services)
    assert json.loads(again.stdout)["new"] == 0
    assert [file.read_bytes() for file in files] == before
    with database.read() as conn:
        issued = store.issued(conn, item_key(make.GTIN, "2"))
    assert issued is not None
    assert issued.key_id == "1"


def test_without_a_secret_no_label_is_made(database: Database) -> None:
    services = Services(database, Settings(), lambda: make.NOW)
    options = ["--gtin", make.GTIN, "--lot", make.LOT, "--serial", "1"]
    done = CliRunner().invoke(label, options, obj=services)
    assert isinstance(done.exception, ConfigError)


def test_an_allowance_is_used_up_refilled_and_separate_by_caller() -> None:
    limits = Limits(per_address=Allowance(burst=2, per_second=1))
    assert [limits.admits_address("192.0.2.1", 0.0) for _ in range(3)] == [True, True, False]
    assert limits.admits_address("192.0.2.2", 0.0)
    assert limits.admits_address("192.0.2.1", 1.0)


def test_one_customers_ipv6_addresses_are_one_caller() -> None:
    limits = Limits(per_address=Allowance(burst=1, per_second=0))
    assert limits.admits_address("2001:db8::1", 0.0)
    assert not limits.admits_address("2001:db8::2", 0.0)
    assert limits.admits_address("2001:db8:0:1::1", 0.0)
    assert limits.admits_address("not:an:address", 0.0)
