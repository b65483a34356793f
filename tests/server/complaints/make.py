"""Builders: a report as somebody sends it. Persons and places are invented placeholders."""

from __future__ import annotations

import io
import re
from dataclasses import replace

from flask.testing import FlaskClient
from PIL import Image

from trace_server.complaints import operations, rules, store
from trace_server.complaints.model import Complaint, Draft, Kind
from trace_server.services import Services

WHAT = "店里出售过期奶粉，罐底的日期被涂改过。"
NAME, CONTACT = "示例甲乙", "000-0000-0417"
_SHOWN = re.compile(r'class="token">([0-9A-Z-]+)<')


def draft(**changes: object) -> Draft:
    return replace(Draft(kind=Kind.REPORT, what=WHAT, region="320902", place="示例超市"), **changes)  # type: ignore[arg-type]


def sent(services: Services, **changes: object) -> tuple[str, Complaint]:
    """Token and row of a report that was sent."""
    form = rules.new_draft_token()
    content = draft(**changes)
    operations.keep_draft(services, form, content)
    token = operations.send(services, form, content, None)
    with services.db.begin() as conn:
        found = store.by_token(conn, rules.token_hash(token))
    assert found is not None
    return token, found


def begun(http: FlaskClient, kind: str = "report", code: str = "") -> str:
    """Address of a new form, without its last part."""
    answer = http.post("/report", data={"kind": kind, "code": code})
    assert answer.status_code == 303
    return answer.headers["Location"].rsplit("/", 1)[0]


def through(http: FlaskClient, form: str, *, name: str = "", contact: str = "") -> str:
    """Answer every question of a form; returns the token."""
    assert http.post(f"{form}/what", data={"what": WHAT}).status_code == 303
    assert http.post(f"{form}/where", data={"region": "320902", "place": "示例超市"}).status_code == 303
    who = {"is_named": "yes", "name": name, "contact": contact} if name else {"is_named": "no"}
    assert http.post(f"{form}/who", data=who).status_code == 303
    page = http.post(f"{form}/check").text
    found = _SHOWN.search(page)
    assert found is not None, page
    return found[1]


def picture(size: tuple[int, int] = (40, 30), *, place: str = "") -> bytes:
    """A JPEG whose EXIF says who made it and, in `place`, where."""
    exif = Image.Exif()
    exif[0x010F] = "MAKER-OF-THE-PHONE"
    exif[0x9003] = "2026:11:24 09:41:07"
    exif[0x010E] = place or "SOMEWHERE"
    exif[0x0112] = 6  # turned by 90°
    out = io.BytesIO()
    Image.new("RGB", size, "red").save(out, "JPEG", exif=exif, comment=b"COMMENT-OF-THE-PHONE")
    return out.getvalue()
