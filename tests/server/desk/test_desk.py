"""What a company's people do at their desk, through the pages, on both databases; and what they never see."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable

import pytest
from pypdf import PdfReader
from werkzeug.test import TestResponse

from tests.server.portal import make
from tests.server.users.conftest import Browser
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Role
from trace_server.db import Database
from trace_server.desk import sheets
from trace_server.problems import NotAuthenticated

LogIn = Callable[..., Browser]
BATCH = f"gtin={make.GTIN}&lot={make.LOT}"
PATHS = (
    "/desk", "/desk/batches", f"/desk/batches/one?{BATCH}", "/desk/batches/form", f"/desk/batches/form?{BATCH}",
    "/desk/batches/import", "/desk/labels", f"/desk/labels?{BATCH}", "/desk/recalls", "/desk/archive",
    "/desk/clients", "/desk/ranges",
)  # fmt: skip
ENTERED = {
    "gtin": make.GTIN, "lot": "L2701", "production_date": "2026-11-23", "expiry_date": "2026-12-07",
    "quantity": "120", "uom": "EA", "certificate-0-number": "CJ-1", "certificate-0-issuer": "示例乳业有限公司",
    "certificate-0-issued_on": "2026-11-23",
}  # fmt: skip


def register(farm: Browser, **changes: str) -> TestResponse:
    return farm.submit("/desk/batches/form", "/desk/batches/form", **(ENTERED | changes))


def issue(farm: Browser, count: str = "3", lot: str = make.LOT) -> TestResponse:
    return farm.submit("/desk/clients", "/desk/labels", gtin=make.GTIN, lot=lot, count=count)


def upload(farm: Browser, content: bytes) -> TestResponse:
    found = re.search(r'name="csrf_token" value="([^"]+)"', farm.get("/desk/batches/import").text)
    assert found is not None
    values = {"csrf_token": found[1], "file": (io.BytesIO(content), "batches.csv")}
    return farm.http.post("/desk/batches/import", data=values, headers={"Accept-Language": "en"})


def rows(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


def test_after_the_log_in_a_producer_is_at_the_desk(farm: Browser) -> None:
    assert farm.get("/console").headers["Location"] == "/desk"
    home = farm.get("/desk").text
    assert "Batch without an inspection result" in home
    assert make.LOT in home


def test_the_desk_is_for_companies_only(log_in: LogIn) -> None:
    for role in (Role.REGULATOR, Role.ADMINISTRATOR):
        other = log_in(f"other-{role}", role)
        assert {other.get(path).status_code for path in PATHS} == {403}


def test_nothing_of_another_company_is_seen_or_changed(farm: Browser, neighbour: Browser) -> None:
    run = issue(farm).headers["Location"]
    farm.submit("/desk/clients", "/desk/clients", name="ERP")
    assert make.LOT not in neighbour.get("/desk/batches").text
    for path in (f"/desk/batches/one?{BATCH}", f"/desk/batches/form?{BATCH}", f"/desk/labels?{BATCH}", run):
        assert neighbour.get(path).status_code == 404, path
    for file in ("a4.pdf", "roll.pdf", "codes.csv"):
        assert neighbour.get(run.replace("/run?", f"/run/{file}?")).status_code == 404
    assert issue(neighbour).status_code == 404
    assert neighbour.submit("/desk/clients", "/desk/batches/form", **ENTERED).status_code == 404
    assert "ERP" not in neighbour.get("/desk/clients").text
    client = re.search(r"/desk/clients/(c-[0-9a-f]+)/revoke", farm.get("/desk/clients").text)
    assert client is not None
    for step in ("rotate", "revoke"):
        assert neighbour.submit("/desk/clients", f"/desk/clients/{client[1]}/{step}").status_code == 409
    assert f"/desk/clients/{client[1]}/revoke" in farm.get("/desk/clients").text


def test_a_batch_is_registered_and_later_gets_its_inspection(farm: Browser) -> None:
    answer = register(farm)
    assert answer.status_code == 303
    page = farm.get(answer.headers["Location"]).text
    assert "CJ-1" in page
    assert "no inspection result yet; the code page" in page
    later = {"inspection-passed": "yes", "inspection-report_no": "JY-9", "inspection-body": "自检"}
    answer = register(farm, known="1", **later, **{"inspection-inspected_on": "2026-11-24"})
    page = farm.get(answer.headers["Location"]).text
    assert "JY-9" in page
    assert "CJ-1" in page


WRONG = (
    ("lot", ""), ("production_date", "soon"), ("production_date", "0006-02-02"), ("production_date", "2026-11-25"),
    ("expiry_date", "2026-11-01"), ("quantity", "none"), ("certificate-0-issuer", ""), ("inspection-report_no", "J9"),
)  # fmt: skip


def test_a_mistake_is_told_at_its_field_and_nothing_typed_is_lost(farm: Browser) -> None:
    for field, value in WRONG:
        answer = register(farm, **{field: value})
        assert answer.status_code == 400, (field, value)
        wrong = "inspection-passed" if field.startswith("inspection") else field
        assert f'<a href="#{wrong}">' in answer.text
        assert f'id="{wrong}"' in answer.text
        assert 'value="CJ-1"' in answer.text


def test_what_an_authority_said_of_a_batch_stays(farm: Browser) -> None:
    register(farm, lot="L2612", known="1", **{"inspection-passed": "no", "inspection-report_no": "X"},
             **{"inspection-body": "X", "inspection-inspected_on": "2026-11-24"})  # fmt: skip
    page = farm.get(f"/desk/batches/one?gtin={make.GTIN}&lot=L2612").text
    assert "JY-2026-11-0031" in page
    assert make.recall()["notice_no"] in page


def test_labels_come_as_sheets_rolls_and_single_files(farm: Browser) -> None:
    run = issue(farm, "25").headers["Location"]
    preview = farm.get(run).text
    assert preview.count("data:image/svg+xml;base64,") == 24
    for paper, pages, width in (("a4", 2, 595), ("roll", 25, 170)):
        made = farm.get(run.replace("/run?", f"/run/{paper}.pdf?"))
        read = PdfReader(io.BytesIO(made.data))
        assert (made.mimetype, len(read.pages)) == ("application/pdf", pages)
        assert round(read.pages[0].mediabox.width) == width
    codes = rows(farm.get(run.replace("/run?", "/run/codes.csv?")).data)
    assert len(codes) == 26
    gtin, lot, serial, readable, url = codes[1]
    assert readable == f"(01){gtin}(10){lot}(21){serial}"
    one = farm.get(run.replace("/run?", "/run/label.svg?") + f"&serial={serial}")
    assert serial in one.text
    assert "Official site" in one.text
    assert farm.get(run.replace("/run?", "/run/label.png?") + f"&serial={serial}").data[:4] == b"\x89PNG"
    page = farm.http.get(url.partition("://")[2].partition("/")[2].join(("/", "")))
    assert page.status_code == 200


def test_the_labels_of_a_sheet_stand_in_three_columns_of_eight_on_the_paper() -> None:
    made = sheets.pdf([f'<svg width="60mm" height="30mm"><text y="9">N{n:02}</text></svg>' for n in range(25)],
                      sheets.Paper.A4, "sheet")  # fmt: skip
    first, second = PdfReader(io.BytesIO(made)).pages
    found: dict[str, tuple[int, int]] = {}

    def see(text: str, matrix: list[float], place: list[float], *_: object) -> None:
        if text.strip():
            x, y = (place[4], place[5]) if len(text) else (0, 0)
            a, b, c, d, e, f = matrix
            found[text.strip()] = round(a * x + c * y + e), round(b * x + d * y + f)

    first.extract_text(visitor_text=see)
    assert len(found) == 24
    columns = {x for x, _ in found.values()}
    assert (len(columns), len({y for _, y in found.values()})) == (3, 8)
    assert max(columns) - min(columns) == round(140 * 72 / 25.4)
    assert all(0 < x < 595 and 0 < y < 842 for x, y in found.values())
    assert second.extract_text().strip() == "N24"


def test_every_label_has_a_serial_of_its_own_that_fits_a_tag(farm: Browser) -> None:
    serials = []
    for count in ("40", "40"):
        farm.clock.advance(1)
        run = issue(farm, count).headers["Location"]
        serials += [row[2] for row in rows(farm.get(run.replace("/run?", "/run/codes.csv?")).data)[1:]]
    assert len(set(serials)) == 80
    assert all(serial[0] != "0" and int(serial) < 2**38 for serial in serials)


def test_no_labels_for_recalled_goods_nor_too_many_at_once(farm: Browser) -> None:
    for count, lot in (("0", make.LOT), ("241", make.LOT), ("x", make.LOT), ("1", "L2612")):
        answer = issue(farm, count, lot)
        assert answer.status_code == 400
        assert '<a href="#count">' in answer.text


def test_a_file_is_taken_row_by_row_and_the_rest_comes_back_to_mend(farm: Browser) -> None:
    head = "商品条码,批号,生产日期,到期日期,数量,单位,检验合格,检验报告编号,检验单位,检验日期\r\n"
    good = f"{make.GTIN},L2801,2026/11/2,2026年11月30日,１２０,EA,合格,JY-1,自检,2026-11-03\r\n"
    bad = f"{make.GTIN},L2802,昨天,,10,EA,,,,\r\n{make.RAW_GTIN},L1,2026-11-01,,1,KGM,,,,\r\n{good}"
    answer = upload(farm, (head + good + bad).encode("gb18030"))
    assert answer.status_code == 200
    assert "Saved 1 rows; 0 were already so; 3 were not taken." in answer.text
    assert "L2801" in farm.get("/desk/batches").text
    values = re.findall(r'name="(row|said|csrf_token)" value="([^"]*)"', answer.text)
    told: dict[str, list[str]] = {}
    for name, value in values:
        told.setdefault(name, []).append(value.replace("&#9;", "\t"))
    posted = {"row": told["row"], "said": told["said"], "csrf_token": told["csrf_token"][0]}
    file = farm.http.post("/desk/batches/import/refused.csv", data=posted)
    mend = rows(file.data)
    assert [row[1] for row in mend[1:]] == ["L2802", "L1", "L2801"]
    assert len({len(row) for row in mend}) == 1
    again = upload(farm, file.data.replace("昨天".encode(), b"2026-11-01").replace(b"L2801", b"L2803"))
    assert "Saved 2 rows" in again.text


def test_what_was_downloaded_can_be_imported_again_and_changes_nothing(farm: Browser) -> None:
    file = farm.get("/desk/batches/file.csv")
    assert "Saved 0 rows; 2 were already so" in upload(farm, file.data).text
    assert farm.get("/desk/batches/file.xlsx").data[:2] == b"PK"
    listed = farm.get("/desk/batches/file.json?state=recalled").get_json()
    assert [row["lot"] for row in listed["items"]] == ["L2612"]


def test_a_file_that_is_none_of_ours_is_explained(farm: Browser) -> None:
    for content in (b"", b"a,b\r\n1,2\r\n", "商品条码,批号,生产日期\r\n".encode(), b"\xff\xfe\x00\xff"):
        answer = upload(farm, content)
        assert answer.status_code == 400
        assert '<a href="#file">' in answer.text


def test_a_client_is_made_shown_once_rotated_and_revoked(farm: Browser, database: Database) -> None:
    first = farm.submit("/desk/clients", "/desk/clients", name="仓库系统")
    [token] = re.findall(r"suyuan_[\w-]{40,}", first.text)
    assert token not in farm.get("/desk/clients").text
    made = accounts.authenticate(database, token, farm.clock.now)
    assert (made.role, made.subject) == (Role.PRODUCER, make.PRODUCER)
    assert "never" not in farm.get("/desk/clients").text.lower()
    turned = farm.submit("/desk/clients", f"/desk/clients/{made.client_id}/rotate")
    [newer] = re.findall(r"suyuan_[\w-]{40,}", turned.text)
    with pytest.raises(NotAuthenticated):
        accounts.authenticate(database, token)
    accounts.authenticate(database, newer)
    assert farm.submit("/desk/clients", "/desk/clients", name="仓库系统").status_code == 400
    farm.submit("/desk/clients", f"/desk/clients/{made.client_id}/revoke")
    with pytest.raises(NotAuthenticated):
        accounts.authenticate(database, newer)


def test_two_companies_may_call_a_client_the_same(farm: Browser, neighbour: Browser) -> None:
    for desk in (farm, neighbour):
        assert desk.submit("/desk/clients", "/desk/clients", name="ERP").status_code == 200


def test_a_range_is_asked_for_and_then_numbers_the_labels(farm: Browser, database: Database) -> None:
    wanted = {"gtin": make.GTIN, "first": "A0001", "last": "A0100", "quota": "100", "purpose": "印刷厂预印"}
    assert farm.submit("/desk/ranges", "/desk/ranges", **wanted).status_code == 303
    assert "A0001" in farm.get("/desk/ranges").text
    again = farm.submit("/desk/ranges", "/desk/ranges", **wanted)
    assert again.status_code == 400
    assert '<a href="#first">' in again.text


def test_the_archive_leads_to_the_page_that_everybody_sees(farm: Browser) -> None:
    page = farm.get("/desk/archive").text
    assert f'href="/credit/{make.PRODUCER}"' in page
    assert farm.get(f"/credit/{make.PRODUCER}").status_code == 200


def test_every_page_of_the_desk_opens(farm: Browser) -> None:
    assert {path: farm.get(path).status_code for path in PATHS} == dict.fromkeys(PATHS, 200)
