"""The register: all rows of a document or none, every change on record, reading open to everybody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from tests.server.ingest.make import GTIN, NOW
from trace_core.errors import InputError, NotFound
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Role
from trace_server.app import create_app
from trace_server.audit import store as audit
from trace_server.config import Settings
from trace_server.db import Database
from trace_server.indications import operations, rules
from trace_server.indications.cli import indication
from trace_server.services import Services

USCC = "91320900MA1T000210"
DOCUMENT: dict[str, Any] = {
    "indications": [
        {
            "gi_id": "gi-rice",
            "name": "示例大米",
            "name_en": "Sample rice",
            "area": [[[120.0, 33.2], [120.4, 33.2], [120.4, 33.6], [120.0, 33.2]]],
            "counties": ["320924"],
            "seasons": {"2026": ["2026-09-20", "2027-06-30"]},
            "ceilings": {"2026": 100000},
            "gtins": [GTIN],
            "source": "示例公告〔2026〕1号",
            "as_of": "2026-01-01",
        }
    ],
    "users": [
        {
            "gi_id": "gi-rice",
            "uscc": USCC,
            "valid_from": "2026-01-01",
            "valid_to": "2026-12-31",
            "quotas": {"2026": 5000},
            "source": "示例公告〔2026〕1号",
            "as_of": "2026-01-01",
        }
    ],
}


def changed(path: str, value: object) -> dict[str, Any]:
    """The document with another value at a pointer."""
    document: Any = deepcopy(DOCUMENT)
    at, (*parts, last) = document, path.strip("/").split("/")
    for part in parts:
        at = at[int(part)] if part.isdigit() else at[part]
    at[last] = value
    return dict(document)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/indications/0/gi_id", "GI rice"),
        ("/indications/0/name", ""),
        ("/indications/0/area", [[[120.0, 33.2], [120.4, 33.2]]]),
        ("/indications/0/area", [[[120.0, 33.2], [120.4, 33.2], [33.6, 120.0]]]),
        ("/indications/0/area", [[[120.0, 33.2], [120.4, "33.2"], [120.0, 33.6]]]),
        ("/indications/0/area", [[[120.0, 33.2], [120.4, True], [120.0, 33.6]]]),
        ("/indications/0/counties", ["3209"]),
        ("/indications/0/seasons", {"2026": ["2026-09-20"]}),
        ("/indications/0/seasons", {"2026": ["2026-09-20", "2026-09-19"]}),
        ("/indications/0/ceilings", {"26": 1}),
        ("/indications/0/ceilings", {"2026": -1}),
        ("/indications/0/gtins", ["10614141073465"]),
        ("/indications/0/colour", "green"),
        ("/users/0/uscc", "91320900MA1T000211"),
        ("/users/0/valid_to", "2025-12-31"),
        ("/users/0/valid_from", "2026-02-30"),
        ("/users/0/quotas", {"2026": 1.5}),
    ],
)
def test_a_wrong_member_is_refused_with_its_place(path: str, value: object) -> None:
    with pytest.raises(InputError) as refused:
        rules.read_register(changed(path, value))
    assert refused.value.where.startswith("/" + "/".join(path.strip("/").split("/")[:2]))


def test_a_document_is_taken_whole_or_not_at_all_and_is_on_record(database: Database) -> None:
    lost = changed("/users/0/gi_id", "gi-nobody")
    with pytest.raises(NotFound):
        operations.import_register(database, NOW, "cli:a", lost)
    assert operations.read_register(database).indications == ()
    operations.import_register(database, NOW, "cli:a", DOCUMENT)
    operations.import_register(database, NOW, "cli:a", changed("/indications/0/ceilings", {"2026": 7}))
    (found,) = operations.read_register(database).indications
    assert (found.ceilings, found.gtins, found.area[0][-1]) == ({2026: 7}, (GTIN,), (120.4, 33.6))
    with database.read() as conn:
        actions = [entry.action for entry in audit.entries(conn)]
    assert actions.count("indication.put") == 2
    assert actions.count("indication.user") == 2


def test_a_product_moves_to_the_indication_that_names_it_last(database: Database) -> None:
    operations.import_register(database, NOW, "cli:a", DOCUMENT)
    other = changed("/indications/0/gi_id", "gi-other") | {"users": []}
    operations.import_register(database, NOW, "cli:a", other)
    assert {gtin: one.gi_id for gtin, one in operations.read_register(database).of_product().items()} == {
        GTIN: "gi-other"
    }


@pytest.fixture
def http(database: Database) -> Iterator[FlaskClient]:
    app = create_app(Settings(code_secret="k=" + "a" * 43), database)
    yield app.test_client()


def test_the_office_writes_and_everybody_reads_without_quantities(database: Database, http: FlaskClient) -> None:
    _, token = accounts.add_client(database, NOW, "cli:a", name="office", role=Role.REGULATOR)
    _, other = accounts.add_client(database, NOW, "cli:a", name="auditor", role=Role.AUDITOR)
    url = "/api/v1/indications"
    assert http.post(url, json=DOCUMENT, headers={"Authorization": f"Bearer {other}"}).status_code == 403
    done = http.post(url, json=DOCUMENT, headers={"Authorization": f"Bearer {token}"})
    assert (done.status_code, done.json) == (201, {"indications": 1, "users": 1})
    wrong = http.post(url, json={"indications": [{}]}, headers={"Authorization": f"Bearer {token}"})
    assert wrong.status_code == 400
    assert http.post(url, json={}, headers={"Authorization": f"Bearer {token}"}).status_code == 400
    listed = http.get(url).get_json()
    assert [one["gi_id"] for one in listed["items"]] == ["gi-rice"]
    assert listed["has_more"] is False
    one = http.get(f"{url}/gi-rice").get_json()
    assert one["users"][0]["uscc"] == USCC
    assert "quotas" not in one["users"][0]
    assert "ceilings" not in one
    assert http.get(f"{url}/gi-nobody").status_code == 404


def test_the_command_line_imports_lists_and_shows(database: Database, tmp_path: Path) -> None:
    services = Services(database, Settings(), lambda: NOW)
    file = tmp_path / "register.json"
    file.write_text(json.dumps(DOCUMENT), encoding="utf-8")
    run = CliRunner()
    taken = run.invoke(indication, ["import", str(file), "--json"], obj=services)
    assert json.loads(taken.output) == {"indications": 1, "users": 1}
    listed = json.loads(run.invoke(indication, ["list", "--json"], obj=services).output)
    assert listed["indications"][0]["users"][0]["quotas"] == {"2026": 5000}
    shown = run.invoke(indication, ["show", "gi-rice"], obj=services).output
    assert f"{USCC}  2026-01-01 to 2026-12-31  2026: 5000" in shown


def test_the_example_of_the_how_to_is_a_document() -> None:
    page = Path(__file__).parents[3] / "docs" / "how-to" / "geographical-indications.md"
    example = page.read_text(encoding="utf-8").split("```json")[1].split("```")[0]
    indications, users = rules.read_register(json.loads(example))
    assert (indications[0].gi_id, users[0].quotas) == ("gi-rice", {2026: 5000})
