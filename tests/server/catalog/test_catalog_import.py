"""Master data comes in by document or by API: good rows are taken, bad rows are named, repeats change nothing."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from tests.server.portal import make
from trace_core.errors import ConfigError, InputError, NotAllowed
from trace_core.ids.canonical import object_key
from trace_core.ids.digital_link import DigitalLink
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Role
from trace_server.app import create_app
from trace_server.audit import store as audit_store
from trace_server.catalog import operations, rules, store
from trace_server.catalog.cli import catalog
from trace_server.catalog.model import IssuedCode, Origin
from trace_server.catalog.operations import PostedBatch
from trace_server.catalog.profiles import CATEGORIES, load_profiles
from trace_server.config import Settings
from trace_server.db import Database
from trace_server.registers import operations as registers
from trace_server.services import Services

KNOWN = frozenset(load_profiles())


def posted(**changes: Any) -> dict[str, Any]:
    """A batch as a producer's system sends it."""
    body = {key: value for key, value in make.batch(**changes).items() if key not in ("source", "as_of")}
    if isinstance(body.get("inspection"), dict):
        body["inspection"] = {key: value for key, value in body["inspection"].items() if key != "origin"}
    return body


def post(database: Database, body: dict[str, Any], owner: str | None = make.PRODUCER) -> bool:
    _, changed = operations.post_batch(database, PostedBatch(body, owner, "client:tester"), make.NOW)
    return changed


def test_a_document_is_taken_whole_and_a_repeat_changes_nothing(database: Database) -> None:
    first = make.load(database)
    again = make.load(database)
    assert (first.changed, first.unchanged) == (10, 0)
    assert (again.changed, again.unchanged) == (0, 10)
    with database.read() as conn:
        goods = operations.goods(conn, make.GTIN, make.LOT)
        log = [entry.action for entry in audit_store.entries(conn)]
    assert goods is not None
    assert goods.batch is not None
    assert goods.batch.inspection is not None
    assert goods.batch.inspection.origin is Origin.OFFICIAL
    assert goods.producer is not None
    assert goods.licences[0].number == "SC10532090000001"
    assert log == ["catalog.import"]


def test_good_rows_are_taken_and_bad_rows_named_by_pointer(database: Database) -> None:
    document = make.document(
        batches=[
            make.batch(),
            make.batch(lot="L2", gtin="06901234567899"),
            make.batch(lot="L3", production_date="24.11.2026"),
            make.batch(lot="L4", gtin=make.RAW_GTIN),
            make.batch(lot="L5", colour="red"),
            make.batch(),
        ],
        licences=[make.licence(), make.licence(uscc="91320900900000049F", number="X")],
    )
    result = operations.import_document(database, document, actor="tester", now=make.NOW)
    named = {error.pointer: error.code for error in result.errors}
    assert named == {
        "/batches/1/gtin": "bad-input",
        "/batches/2/production_date": "bad-input",
        "/batches/3/gtin": "unknown-product",
        "/batches/4/colour": "bad-input",
        "/batches/5": "duplicate",
        "/licences/1/uscc": named["/licences/1/uscc"],
    }
    with database.read() as conn:
        assert store.batch(conn, make.GTIN, make.LOT) is not None
        assert store.batch(conn, make.GTIN, "L3") is None


def test_only_a_real_change_raises_the_revision_that_pages_compare(database: Database) -> None:
    from sqlalchemy import text

    def revisions() -> tuple[int, ...]:
        with database.read() as conn:
            found = [conn.execute(text(f"SELECT revision FROM {table}")).first() for table in ("batch", "subject")]
        return tuple(row[0] for row in found if row)

    only = {"subjects": [make.subject()], "places": []}
    make.load(database, **only)
    before = revisions()
    make.load(database, **only)
    assert revisions() == before
    make.load(database, **only, batches=[make.batch(recall=make.recall())])
    assert revisions() == (before[0] + 1, before[1])
    make.load(database, **only, licences=[make.licence(state="suspended")])
    assert revisions()[1] == before[1] + 1


@pytest.mark.parametrize("document", [None, 1, "x", [], {"subject": []}, {"batches": {}}])
def test_what_is_no_such_document_is_refused_whole(document: object) -> None:
    with pytest.raises(InputError):
        rules.document(document, KNOWN)


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"gtin": "06901234567893"}, "/gtin"),
        ({"lot": "中"}, "/lot"),
        ({"lot": "x" * 21}, "/lot"),
        ({"producer_uscc": "913209009000000143"}, "/producer_uscc"),
        ({"expiry_date": "2026-01-01"}, "/expiry_date"),
        ({"quantity": "-1"}, "/quantity"),
        ({"quantity": "NaN"}, "/quantity"),
        ({"uom": "x\u202e"}, "/uom"),
        ({"certificates": [{"kind": "a"}]}, "/certificates/0/number"),
        ({"recall": {**make.recall(), "level": 4}}, "/recall/level"),
        ({"inspection": {**make.batch()["inspection"], "passed": "yes"}}, "/inspection/passed"),
    ],
)
def test_a_wrong_member_is_named(changes: dict[str, Any], where: str) -> None:
    with pytest.raises(InputError) as caught:
        rules.batch(rules.Fields(make.batch(**changes), ""))
    assert caught.value.where == where


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(make.batch())), _JSON)
def test_no_value_of_a_member_breaks_the_import(name: str, value: object) -> None:
    document = copy.deepcopy(make.document())
    document["batches"][0][name] = value
    parsed = rules.document(document, KNOWN)
    assert len(parsed.batches) + len(parsed.errors) == 1


def test_a_producer_posts_its_own_batch_once(database: Database) -> None:
    make.load(database, batches=[])
    assert post(database, posted())
    assert not post(database, posted())
    with database.read() as conn:
        batch = store.batch(conn, make.GTIN, make.LOT)
    assert batch is not None
    assert batch.source == rules.SELF_DECLARED
    assert batch.inspection is not None
    assert batch.inspection.origin is Origin.DECLARED


def test_a_producer_cannot_lift_a_recall_or_overwrite_an_official_inspection(database: Database) -> None:
    make.load(database, batches=[make.batch(recall=make.recall())])
    post(database, posted(quantity="5000", inspection=None))
    with database.read() as conn:
        batch = store.batch(conn, make.GTIN, make.LOT)
    assert batch is not None
    assert batch.quantity == "5000"
    assert batch.recall is not None
    assert batch.inspection is not None
    assert batch.inspection.origin is Origin.OFFICIAL


def test_a_producer_cannot_post_for_another(database: Database) -> None:
    make.load(database)
    with pytest.raises(NotAllowed):
        post(database, posted(), owner=make.MARKET)
    with pytest.raises(NotAllowed):
        post(database, posted(producer_uscc=make.MARKET), owner=make.MARKET)


def test_a_batch_of_an_unknown_product_names_the_member(database: Database) -> None:
    make.load(database)
    with pytest.raises(InputError) as caught:
        post(database, posted(gtin=make.RAW_GTIN))
    assert caught.value.where == "/gtin"


def test_batches_come_in_over_http_from_producers_only(database: Database) -> None:
    make.load(database, batches=[])
    app = create_app(Settings(code_secret=make.SECRET), database)
    http = app.test_client()

    def bearer(role: Role) -> dict[str, str]:
        subject = make.PRODUCER if role is Role.PRODUCER else ""
        options: dict[str, Any] = {"name": role.value, "role": role}
        _, token = accounts.add_client(
            database, make.NOW, "tester", **options, **({"subject": subject} if subject else {})
        )
        return {"Authorization": f"Bearer {token}"}

    producer = bearer(Role.PRODUCER)
    assert http.post("/api/v1/batches", json=posted(), headers=producer).status_code == 201
    assert http.post("/api/v1/batches", json=posted(), headers=producer).status_code == 200
    assert http.post("/api/v1/batches", json=posted(), headers=bearer(Role.REGULATOR)).status_code == 403
    assert http.post("/api/v1/batches", json=posted()).status_code == 401
    wrong = http.post("/api/v1/batches", json=posted(gtin="06901234567893"), headers=producer)
    assert wrong.status_code == 400
    assert wrong.get_json()["errors"][0]["pointer"] == "/gtin"
    recalled = http.post("/api/v1/batches", json=posted() | {"recall": make.recall()}, headers=producer)
    assert recalled.status_code == 400


def test_issued_codes_are_found_by_item_and_by_tag(database: Database) -> None:
    make.load(database)
    epc = "urn:epc:id:sgtin:6901234.056789.000123"
    code = IssuedCode(make.GTIN, make.LOT, make.SERIAL, epc, "1", make.NOW)
    assert registers.issue_codes(database, [code], actor="tester", now=make.NOW) == 1
    assert registers.issue_codes(database, [code], actor="tester", now=make.NOW) == 0
    with database.read() as conn:
        assert store.issued(conn, operations.item_key(make.GTIN, make.SERIAL)) == code
    with pytest.raises(InputError):
        unknown = IssuedCode(make.GTIN, "L9", "1", "", "1", make.NOW)
        registers.issue_codes(database, [unknown], actor="tester", now=make.NOW)


def test_the_command_imports_names_bad_rows_and_says_so_in_its_exit(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "goods.json"
    services = Services(database, Settings(code_secret=make.SECRET), lambda: make.NOW)
    file.write_text(json.dumps(make.document()), encoding="utf-8")
    done = CliRunner().invoke(catalog, ["import", str(file), "--json"], obj=services)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == {"changed": 10, "unchanged": 0, "errors": []}
    file.write_text(json.dumps(make.document(batches=[{}])), encoding="utf-8")
    refused = CliRunner().invoke(catalog, ["import", str(file)], obj=services)
    assert refused.exit_code == 1
    assert "/batches/0/gtin" in refused.stderr


def test_every_category_profile_names_known_fields_dates_and_its_basis() -> None:
    profiles = load_profiles()
    assert set(profiles) >= {"food", "drug", "agricultural", "special_equipment"}
    for profile in profiles.values():
        assert profile.title
        assert profile.title_en
        assert profile.expiry.basis
        assert profile.certificates
        for certificate in profile.certificates:
            assert certificate.kind.startswith(f"{profile.name}.")
            assert certificate.basis
            assert certificate.title_en
        assert all(len(detector) == 3 and detector[0] == "D" for detector in profile.detectors)


@pytest.mark.parametrize(
    "old", ['name = "food"', "near_days = 30", 'public_fields = ["ingredients"', "from = 2026-01-01"]
)
def test_a_broken_profile_stops_the_start_with_its_name(tmp_path: Path, old: str) -> None:
    new = {"n": 'name = "fud"', "p": 'public_fields = ["price"', "f": 'from = "soon"'}.get(old[0], "")
    text = (CATEGORIES / "food.toml").read_text(encoding="utf-8")
    changed = text.replace(old, "" if old.startswith("near") else new, 1)
    (tmp_path / "food.toml").write_text(changed, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"food\.toml"):
        load_profiles(tmp_path)


@pytest.mark.parametrize("text", ["A/1%2", "1%2F2", "0001"])
def test_items_and_lots_have_the_keys_of_their_digital_links(text: str) -> None:
    for qualifier, key in (("21", operations.item_key), ("10", operations.lot_key)):
        link = DigitalLink(("01", make.GTIN), ((qualifier, text),))
        assert key(make.GTIN, text) == object_key(link.canonical())


@pytest.mark.parametrize(
    ("position", "pointer"),
    [
        ({"latitude": 33.35, "longitude": 120.16}, None),
        ({"latitude": 33}, "/places/0/latitude"),
        ({"latitude": 91, "longitude": 0}, "/places/0/latitude"),
        ({"latitude": 0, "longitude": "120"}, "/places/0/longitude"),
        ({"latitude": float("nan"), "longitude": 0}, "/places/0/latitude"),
    ],
    ids=["both", "one alone", "beyond the pole", "text", "no number"],
)
def test_a_place_may_say_where_it_is(database: Database, position: dict[str, Any], pointer: str | None) -> None:
    uri = "https://id.gs1.org/414/0614141007776"
    row = {"uri": uri, "name": "n", "city": "c", "operator_uscc": "91320900MA1T000210"} | position
    result = operations.import_document(database, {"places": [row]}, actor="test", now=make.NOW)
    assert [error.pointer for error in result.errors] == [pointer] * bool(pointer)
    with database.read() as conn:
        found = store.places(conn, database.dialect, [uri])
    assert [(one.latitude, one.longitude) for one in found.values()] == [(33.35, 120.16)] * (pointer is None)
