"""A report takes five questions and leaves no trace of who came."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import pytest
import structlog
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from prometheus_client import REGISTRY
from sqlalchemy import text
from structlog.testing import capture_logs

from tests.server.complaints import make
from tests.server.portal import make as goods
from tests.server.users.conftest import Clock
from trace_core.errors import Conflict, InputError, TooLarge
from trace_server import app
from trace_server.app import create_app
from trace_server.audit.store import entries
from trace_server.complaints import operations, paying, photos, rules, store
from trace_server.complaints.model import Draft, Kind, State
from trace_server.config import Settings
from trace_server.db import Database, DatabaseAway
from trace_server.services import Services

COUNTED = {"endpoint": "reporting.begin", "method": "POST", "status": "303"}
LABEL = f"(01){goods.GTIN}(10){goods.LOT}(21)S1"


def test_five_questions_end_with_a_token_that_opens_the_report(http: FlaskClient) -> None:
    token = make.through(http, make.begun(http))
    page = http.post("/report/follow", data={"token": token.lower().replace("-", " ")})
    assert page.status_code == 200
    assert "已收到" in page.text
    assert "亭湖区市场监督管理局" in page.text
    assert http.post("/report/follow", data={"token": make.NAME}).status_code == 404
    assert http.post("/report/follow", data={"token": "0000-" * 7}).status_code == 404


def test_the_steps_are_said_and_the_code_of_the_label_is_kept(http: FlaskClient, services: Services) -> None:
    start = http.get(f"/report?kind=report&code={LABEL}").text
    assert 'value="report" id="kind-report" checked' in start
    assert LABEL in start
    form = make.begun(http, code=LABEL)
    for number, step in enumerate(("what", "where", "who"), start=2):
        assert f"第 {number} 步，共 5 步" in http.get(f"{form}/{step}").text
    token = make.through(http, form)
    with services.db.begin() as conn:
        row = store.by_token(conn, rules.token_hash(token))
    assert row is not None
    assert (row.code, row.code_known) == (LABEL, False)


def test_what_was_typed_survives_mistakes_going_back_and_the_other_language(http: FlaskClient) -> None:
    form = make.begun(http)
    short = http.post(f"{form}/what?lang=en", data={"what": "过期奶"})
    assert short.status_code == 303  # "back" must not lead to an answer to a form
    page = http.get(short.headers["Location"]).text
    assert "过期奶</textarea>" in page
    assert page.count("Write a little more: at least ten characters.") == 2
    assert '<a href="#what">' in page
    http.post(f"{form}/what", data={"what": make.WHAT})
    http.post(f"{form}/where", data={"region": "320902", "place": "示例超市"})
    assert f"{make.WHAT}</textarea>" in http.get(f"{form}/what?lang=en").text
    assert 'value="示例超市"' in http.get(f"{form}/where").text
    nameless = http.post(f"{form}/who", data={"is_named": "yes", "name": "", "contact": make.CONTACT})
    page = http.get(nameless.headers["Location"]).text
    assert "错误：" in page
    assert f'value="{make.CONTACT}"' in page
    http.post(f"{form}/who", data={"is_named": "yes", "name": make.NAME, "contact": make.CONTACT})
    assert "错误：" not in http.get(nameless.headers["Location"]).text


def test_what_was_typed_survives_a_database_that_is_away(http: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    form = make.begun(http)

    def away(*_: object) -> None:
        raise DatabaseAway("gone")

    monkeypatch.setattr(operations, "keep_draft", away)
    page = http.post(f"{form}/what", data={"what": make.WHAT})
    assert page.status_code == 503
    assert f"{make.WHAT}</textarea>" in page.text


def test_nothing_of_the_reporter_is_in_a_cookie_a_log_a_counter_or_the_audit_log(
    http: FlaskClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "log", structlog.get_logger())  # not one that an earlier test bound for good
    counted = REGISTRY.get_sample_value("suyuan_http_requests_total", COUNTED) or 0.0
    with capture_logs() as lines:
        form = make.begun(http)
        token = make.through(http, form, name=make.NAME, contact=make.CONTACT)
        http.post("/report/follow", data={"token": token, "message": "后门也有一箱"})
        assert lines == []
        http.post("/how-to-check")  # the same log does hold what others ask
        assert [line["event"] for line in lines] == ["request"]
    assert REGISTRY.get_sample_value("suyuan_http_requests_total", COUNTED) == (counted or None)
    answer = http.get("/report")
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    with services.db.read() as conn:
        assert list(entries(conn)) == []


def test_no_table_has_a_name_a_token_or_a_time_finer_than_the_hour(
    http: FlaskClient, services: Services, clock: Clock
) -> None:
    clock.advance(17 * 60 + 23)
    form = make.begun(http)
    open_form = form.rsplit("/", 1)[1]
    token = make.through(http, form, name=make.NAME, contact=make.CONTACT)
    http.post("/report/follow", data={"token": token, "message": "后门也有一箱"})
    left = make.begun(http)
    http.post(f"{left}/what", data={"what": make.WHAT})
    dump = []
    with services.db.read() as conn:
        for table in ("complaint", "complaint_entry", "complaint_draft", "sealed_value", "complaint_photo"):
            dump += [str(row) for row in conn.execute(text(f"SELECT * FROM {table}"))]
        row = store.complaints(conn, store.Wanted(), after=None, limit=1)[0]
        said = store.entries(conn, row.complaint_id)
    everything = "\n".join(dump)
    for secret in (make.NAME, make.CONTACT, token, token.replace("-", ""), open_form, left.rsplit("/", 1)[1]):
        assert secret not in everything
    for moment in (row.received_hour, said[0].hour):
        assert (moment.minute, moment.second, moment.microsecond) == (0, 0, 0)
    assert row.sealed_id


def test_a_form_is_sent_once_and_may_be_given_up(http: FlaskClient, services: Services) -> None:
    form = make.begun(http)
    make.through(http, form)
    again = http.post(f"{form}/check")
    assert again.status_code == 404
    assert "这份表单已经没有了" in again.text
    left = make.begun(http)
    http.post(f"{left}/what", data={"what": make.WHAT})
    assert http.post(f"{left}/exit").headers["Location"] == "/?lang=zh-CN"
    assert http.get(f"{left}/what").status_code == 404
    with services.db.read() as conn:
        assert conn.execute(text("SELECT count(*) FROM complaint_draft")).scalar() == 0
    with pytest.raises(Conflict):
        operations.send(services, rules.new_draft_token(), make.draft(), None)


def test_a_form_stays_in_the_language_that_was_chosen(http: FlaskClient) -> None:
    http.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    form = make.begun(http)
    asked = http.get(f"{form}/what?lang=zh-CN").text
    assert f'action="{form}/what?lang=zh-CN"' in asked
    answer = http.post(f"{form}/what?lang=zh-CN", data={"what": make.WHAT})
    assert answer.headers["Location"] == f"{form}/where?lang=zh-CN"


def test_a_form_is_forgotten_after_some_hours(http: FlaskClient, clock: Clock) -> None:
    form = make.begun(http)
    clock.advance(3 * 3600 - 60)
    assert http.get(f"{form}/what").status_code == 200
    clock.advance(2 * 3600)
    assert http.get(f"{form}/what").status_code == 404


def test_a_complaint_needs_a_name_and_a_report_does_not(services: Services) -> None:
    with pytest.raises(InputError, match="needs a name"):
        make.sent(services, kind=Kind.COMPLAINT)
    _, row = make.sent(services, kind=Kind.COMPLAINT, is_named=True, name=make.NAME, contact=make.CONTACT)
    assert row.sealed_id
    assert make.sent(services)[1].sealed_id == ""


def test_a_report_of_retaliation_goes_to_the_report_office(services: Services) -> None:
    assert make.sent(services, kind=Kind.RETALIATION)[1].department == "举报办"
    assert make.sent(services, region="")[1].department == "市市场监督管理局"


def test_a_flood_of_messages_waits_for_an_answer(services: Services) -> None:
    token, _ = make.sent(services)
    for _ in range(rules.MAX_MESSAGES):
        operations.add_message(services, token, "又一句")
    with pytest.raises(Conflict, match="answer"):
        operations.add_message(services, token, "又一句")


def test_an_address_that_tries_many_tokens_is_slowed_down(http: FlaskClient) -> None:
    statuses = {http.post("/report/follow", data={"token": "0000-" * 7}).status_code for _ in range(80)}
    assert statuses == {404, 429}


def test_of_a_photo_only_what_it_shows_is_kept(http: FlaskClient, services: Services) -> None:
    form = make.begun(http)
    photo = (io.BytesIO(make.picture((80, 40), place="AT-HOME")), "../../etc/passwd")
    http.post(f"{form}/what", data={"what": make.WHAT, "photo": photo})
    assert "勾选则删去" in http.get(f"{form}/what").text
    token = make.through(http, form)
    with services.db.begin() as conn:
        row = store.by_token(conn, rules.token_hash(token))
        assert row is not None
        kept = store.photo(conn, row.complaint_id)
    assert kept is not None
    for told in (b"PHONE", b"HOME", b"2026:11", b"Exif", b"COMMENT"):
        assert told not in kept
    with Image.open(io.BytesIO(kept)) as shown:
        assert shown.size == (40, 80)  # turned upright before the file's words were thrown away
        assert dict(shown.getexif()) == {}


def test_a_file_that_is_no_photo_is_said_and_the_text_is_kept(http: FlaskClient) -> None:
    form = make.begun(http)
    told = http.post(f"{form}/what", data={"what": make.WHAT, "photo": (io.BytesIO(b"%PDF-1.7"), "a.jpg")})
    page = http.get(told.headers["Location"]).text
    assert page.count("这个文件不是照片。") == 2
    assert f"{make.WHAT}</textarea>" in page


def test_nothing_is_sent_before_every_question_is_answered(http: FlaskClient) -> None:
    assert http.post("/report", data={"kind": "gossip"}).headers["Location"].startswith("/report?lang=zh-CN&wrong=kind")
    assert "错误：" in http.get("/report?wrong=kind").text
    form = make.begun(http, "complaint")
    assert http.post(f"{form}/check").headers["Location"] == f"{form}/what?lang=zh-CN&wrong=text"
    http.post(f"{form}/what", data={"what": make.WHAT})
    assert http.post(f"{form}/check").headers["Location"] == f"{form}/who?lang=zh-CN&wrong=text"


def test_a_photo_may_be_taken_back(http: FlaskClient, services: Services) -> None:
    form = make.begun(http)
    http.post(f"{form}/what", data={"what": make.WHAT, "photo": (io.BytesIO(make.picture()), "a.jpg")})
    http.post(f"{form}/what", data={"what": make.WHAT, "drop_photo": "1"})
    draft = operations.read_draft(services, form.rsplit("/", 1)[1])
    assert draft is not None
    assert draft.photo == b""


@pytest.mark.parametrize(
    "data", [b"%PDF-1.7", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"GIF89a", b"\xff\xd8\xff"]
)
def test_what_is_no_photo_by_its_content_is_refused(data: bytes) -> None:
    with pytest.raises(InputError, match="no photo"):
        photos.clean(data)


def test_a_photo_that_unpacks_to_too_much_is_refused_before_it_is_unpacked() -> None:
    with pytest.raises(TooLarge):
        photos.clean(b"\0" * (rules.MAX_PHOTO_BYTES + 1))
    out = io.BytesIO()
    Image.new("1", (20_000, 3_000)).save(out, "PNG")
    with pytest.raises(TooLarge):
        photos.clean(out.getvalue())


def test_without_a_key_a_name_is_not_asked_for(database: Database) -> None:
    app: Flask = create_app(Settings(code_secret="t" * 32), database)
    http = app.test_client()
    form = make.begun(http)
    assert 'name="name"' not in http.get(f"{form}/who").text
    refused = http.post(f"{form}/who", data={"is_named": "yes", "name": make.NAME, "contact": make.CONTACT})
    assert "12315" in http.get(refused.headers["Location"]).text
    assert "wrong=text" in refused.headers["Location"]
    assert make.through(http, form)


@pytest.mark.parametrize("path", ["/report", "/report/follow"])
def test_the_pages_are_light_and_complete_in_both_languages(http: FlaskClient, path: str) -> None:
    for language in ("zh-CN", "en"):
        page = http.get(f"{path}?lang={language}")
        assert len(page.data) < 30_000
        assert page.text.count("<h1>") == 1
        assert "<script" not in page.text


@given(st.text(max_size=60))
def test_no_text_is_taken_for_a_token_that_was_not_made_here(typed: str) -> None:
    read = rules.read_token(typed)
    assert read == "" or re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{28}", read)


def test_a_token_is_found_however_it_is_copied() -> None:
    token = rules.new_token()
    assert len(token.replace("-", "")) * 5 >= 128
    spelt = token.lower().replace("-", "  ").replace("0", "o").replace("1", "l")
    assert rules.token_hash(spelt) == rules.token_hash(token)


@given(
    st.builds(
        Draft,
        kind=st.sampled_from(Kind),
        what=st.text(max_size=100),
        name=st.text(max_size=20),
        photo=st.binary(max_size=50),
    )
)
def test_a_draft_opens_with_its_own_token_only(draft: Draft) -> None:
    token = rules.new_draft_token()
    assert rules.open_draft(token, rules.seal_draft(token, draft)) == draft
    assert rules.draft_key(token) != rules.draft_key(rules.new_draft_token())


def test_old_drafts_are_purged(services: Services, clock: Clock) -> None:
    operations.keep_draft(services, rules.new_draft_token(), make.draft())
    clock.now += timedelta(hours=5)
    paying.forfeit(services)
    with services.db.read() as conn:
        assert conn.execute(text("SELECT count(*) FROM complaint_draft")).scalar() == 0
    assert make.sent(services)[1].state is State.RECEIVED
