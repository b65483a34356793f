"""What a GS1 key leads to, over HTTP, on both databases."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

import jsonschema_rs
import pytest
from flask.testing import FlaskClient

from tests.server.portal import make
from tests.server.resolver.conftest import BASE
from trace_core.errors import Conflict, InputError, NotAllowed
from trace_core.ids import gs1
from trace_core.ids.application_identifiers import QUALIFIERS
from trace_server.db import Database
from trace_server.resolver import operations
from trace_server.resolver.model import Link

GTIN = f"/01/{make.GTIN}"
BATCH = f"{GTIN}/10/{make.LOT}"
ASSET = "/8004/6901234A100"
HOST = "www.example.com"
VOC = "https://ref.gs1.org/voc/"
LINKSET = {"Accept": "application/linkset+json"}


def approve(database: Database, host: str = HOST) -> None:
    operations.propose_host(database, make.NOW, "one", host, "the producer's own site")
    operations.approve_host(database, make.NOW, "two", host)


def link(database: Database, path: str = GTIN, **changes: object) -> Link:
    given: dict[str, object] = {"link_type": "gs1:instructions", "href": f"https://{HOST}/manual", "title": "Manual"}
    new = Link(anchor=f"https://id.gs1.org{path}", **(given | changes))  # type: ignore[arg-type]
    return operations.add_link(database, make.NOW, "one", new, owner=None)


def test_a_product_and_a_batch_have_a_page_without_a_serial(http: FlaskClient) -> None:
    for path in (GTIN, BATCH):
        answer = http.get(path, headers={"Accept": "text/html", "Accept-Language": "en"})
        assert answer.status_code == 200
        assert "Example brand pasteurised fresh milk" in answer.text
    assert "20 November 2026" in answer.text


def test_a_recalled_batch_says_so_first(http: FlaskClient, database: Database) -> None:
    make.load(database, batches=[make.batch(recall=make.recall())])
    page = http.get(BATCH, headers={"Accept-Language": "zh-CN"}).text
    assert page.index("停售·召回") < page.index("示例牌巴氏杀菌鲜牛奶</h1>")
    assert "示市监召〔2026〕3号" in page
    set_ = http.get(BATCH, headers=LINKSET).get_json()["linkset"][0]
    assert set_[VOC + "recallStatus"][0]["href"] == f"{BASE}{BATCH}#recall"


def test_the_printed_code_is_still_the_portals(http: FlaskClient) -> None:
    assert "verdict" in http.get(make.signed_path()).text
    unknown = http.get(f"{make.CODE.path}?s=forged")
    assert unknown.status_code == 404


def test_a_link_type_redirects_with_307_and_passes_the_query_on(http: FlaskClient, database: Database) -> None:
    approve(database)
    link(database, href=f"https://{HOST}/manual?v=2#top")
    answer = http.get(f"{BATCH}?17=261204&linkType=gs1:instructions&lang=en")
    assert answer.status_code == 307
    assert answer.headers["Location"] == f"https://{HOST}/manual?v=2&17=261204#top"
    assert 'rel="linkset"' in answer.headers["Link"]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_the_whole_address_of_a_link_type_works_as_its_short_name_does(http: FlaskClient, database: Database) -> None:
    approve(database)
    link(database)
    full = quote(f"{VOC}instructions", safe="")
    assert http.get(f"{GTIN}?linkType={full}").headers["Location"] == f"https://{HOST}/manual"


def test_a_type_that_is_not_there_is_not_replaced_by_another(http: FlaskClient) -> None:
    answer = http.get(f"{GTIN}?linkType=gs1:recipeInfo")
    assert answer.status_code == 404
    assert answer.mimetype == "application/problem+json"
    assert http.get(f"{GTIN}?linkType=gs1:nonsense").status_code == 400
    assert http.get(f"{GTIN}?linkType=gs1:pip&linkType=gs1:epcis").status_code == 400


def test_the_most_specific_level_answers(http: FlaskClient, database: Database) -> None:
    approve(database)
    link(database, GTIN, title="of all")
    link(database, BATCH, href=f"https://{HOST}/of-this-lot", title="of this lot")
    assert http.get(f"{BATCH}/21/7?linkType=gs1:instructions").headers["Location"].endswith("/of-this-lot")
    assert http.get(f"{GTIN}/10/OTHER?linkType=gs1:instructions").headers["Location"].endswith("/manual")


def test_language_and_media_type_choose_among_links_and_ties_are_300(http: FlaskClient, database: Database) -> None:
    approve(database)
    link(database, href=f"https://{HOST}/zh", language="zh-CN", media_type="text/html")
    link(database, href=f"https://{HOST}/en", language="en", media_type="text/html")
    link(database, href=f"https://{HOST}/en.pdf", language="en", media_type="application/pdf")
    path = f"{GTIN}?linkType=gs1:instructions"
    assert http.get(path, headers={"Accept-Language": "zh"}).headers["Location"].endswith("/zh")
    wish = {"Accept-Language": "en", "Accept": "application/pdf"}
    assert http.get(path, headers=wish).headers["Location"].endswith("/en.pdf")
    both = http.get(path, headers={"Accept-Language": "en", "Accept": "*/*"})
    assert both.status_code == 300
    assert len(both.get_json()["linkset"][0][VOC + "instructions"]) == 2


@pytest.mark.parametrize("ask", ["linkType=linkset", "linkType=all", ""])
def test_the_linkset_follows_the_schema_of_gs1(
    http: FlaskClient, database: Database, conformance: Path, ask: str
) -> None:
    approve(database)
    link(database, language="zh-CN", forward_query=False)
    answer = http.get(f"{BATCH}?{ask}", headers={} if ask else LINKSET)
    assert answer.status_code == 200
    assert answer.content_type == "application/linkset+json"
    schema = json.loads((conformance / "digital-link" / "gs1-linkset-schema.json").read_text())
    jsonschema_rs.validator_for(schema).validate(answer.get_json())
    first = answer.get_json()["linkset"][0]
    assert first["anchor"] == f"https://id.gs1.org{BATCH}"
    assert first[VOC + "defaultLink"][0]["href"] == f"{BASE}{BATCH}"


def test_every_primary_key_is_answered(http: FlaskClient, database: Database) -> None:
    approve(database)
    gsin, gsrn = "9506000134352000", "95060001343520000"
    examples = {
        "00": "106141412345678908", "253": "9506000134352ABC", "255": "9506000134352123", "401": "9506000ABC",
        "402": gsin + gs1.check_digit(gsin), "414": make.gln(1).rsplit("/", 1)[1], "417": "9506000134352",
        "415": "9506000134352/8020/REF1", "8003": "09506000134352S1", "8004": "95060001ABC",
        "8006": "095060001343520102", "8010": "9506000ABC", "8013": "1987654Ad4X4bL5ttr2310c2K",
        "8017": gsrn + gs1.check_digit(gsrn),
 "8018": gsrn + gs1.check_digit(gsrn),
    }  # fmt: skip
    assert set(examples) | {"01"} == set(QUALIFIERS)
    for key, value in examples.items():
        answer = http.get(f"/{key}/{value}")
        assert answer.status_code in (200, 404), (key, answer.text)
        assert value.split("/")[0] in answer.text


def test_a_key_without_a_page_here_goes_to_its_registered_default(http: FlaskClient, database: Database) -> None:
    approve(database)
    link(database, ASSET, link_type="gs1:pip", href=f"https://{HOST}/lift", is_default=True)
    answer = http.get(ASSET)
    assert (answer.status_code, answer.headers["Location"]) == (307, f"https://{HOST}/lift")


def test_a_default_link_of_goods_never_replaces_the_official_page(http: FlaskClient, database: Database) -> None:
    approve(database)
    link(database, link_type="gs1:pip", href=f"https://{HOST}/buy-more", is_default=True)
    assert http.get(GTIN).status_code == 200


def test_a_place_is_shown_at_city_level(http: FlaskClient) -> None:
    path = "/414/" + make.gln(3).rsplit("/", 1)[1]
    page = http.get(path, headers={"Accept-Language": "zh-CN"}).text
    assert "南京" in page
    assert "市场南门" not in page


def test_a_withdrawn_host_is_left_at_once(http: FlaskClient, database: Database) -> None:
    approve(database)
    link(database)
    operations.withdraw_host(database, make.NOW, "one", HOST)
    assert http.get(f"{GTIN}?linkType=gs1:instructions").status_code == 404


def test_nobody_approves_the_host_that_he_proposed(database: Database) -> None:
    operations.propose_host(database, make.NOW, "one", HOST, "a site")
    with pytest.raises(NotAllowed, match="second person"):
        operations.approve_host(database, make.NOW, "one", HOST)
    with pytest.raises(NotAllowed, match="approved hosts"):
        link(database)
    with pytest.raises(Conflict):
        operations.propose_host(database, make.NOW, "two", HOST, "again")


@pytest.mark.parametrize(
    "href",
    [
        "http://www.example.com/", "javascript:alert(1)", "//www.example.com/", "https://www.example.com@evil.example/",
        "https://www.example.com\\@evil.example/", "https://evil.example/", "https://www.example.com:99999/",
        "https://www.example.com/\r\nX: y", "https://www.example.com/\u202e", "https:///x",
    ],
)  # fmt: skip
def test_no_address_outside_the_register_becomes_a_target(database: Database, href: str) -> None:
    approve(database)
    with pytest.raises((InputError, NotAllowed)):
        link(database, href=href)


def test_nothing_in_a_request_chooses_the_host_of_a_redirect(http: FlaskClient, database: Database) -> None:
    approve(database)
    link(database)
    for query in ("url=https://evil.example", "//evil.example", "@evil.example", "%0d%0aLocation:%20https://evil"):
        answer = http.get(f"{GTIN}?linkType=gs1:instructions&{query}")
        assert answer.headers["Location"].startswith(f"https://{HOST}/manual?")
        assert "\n" not in answer.headers["Location"]


@pytest.mark.parametrize("path", ["/01/06901234567893", "/01/1", f"{BATCH}/17/261204", "/8003/1", "/00/12345"])
def test_a_wrong_key_is_400_as_page_and_as_data(http: FlaskClient, path: str) -> None:
    assert http.get(path, headers={"Accept": "text/html"}).status_code == 400
    answer = http.get(path, headers=LINKSET)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "bad-identifier")


def test_serials_are_not_told_apart(http: FlaskClient, database: Database) -> None:
    make.capture(database, make.commissioned())
    known, unknown = (http.get(f"{BATCH}/21/{serial}?linkType=linkset") for serial in (make.SERIAL, "999999"))
    assert known.text.replace(make.SERIAL, "") == unknown.text.replace("999999", "")


def test_the_description_file_says_what_the_resolver_does(http: FlaskClient) -> None:
    found = http.get("/.well-known/gs1resolver").get_json()
    assert found["resolverRoot"] == BASE
    assert found["supportedPrimaryKeys"] == ["all"]
