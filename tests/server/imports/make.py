"""Builders of official tables: everything that a test is not about has a default. Parties are invented placeholders."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

import openpyxl

from tests.server.credit.make import AUTHORITY, OTHER_SUBJECT, SUBJECT, Clock, codes, person_codes
from trace_server.config import Settings
from trace_server.credit.fields import BY_NAME
from trace_server.db import Database
from trace_server.imports import operations
from trace_server.imports.model import Order, Run
from trace_server.imports.operations import File
from trace_server.services import Services

IDENTITY = "110101199001011237"
COURT = "示例市人民法院"
ACTOR = "client:importer"


def services_on(database: Database, clock: Clock | None = None, *, key: str = "k" * 40) -> Services:
    return Services(database, Settings(code_secret="t" * 32, sealed_key=key), clock or Clock())


def penalty(**changes: object) -> dict[str, str]:
    """A row by the Chinese headings of 2018."""
    return {BY_NAME[code].chinese: str(text) for code, text in codes(**changes).items()}


def person_penalty(**changes: object) -> dict[str, str]:
    """A row against a natural person, with an identity number."""
    given = person_codes(**{"CF_XDR_ZJLX": "身份证", "CF_XDR_ZJHM": IDENTITY, **changes})
    return {BY_NAME[code].chinese: str(text) for code, text in given.items()}


def licence(**changes: str) -> dict[str, str]:
    row = {
        "行政相对人名称": "示例食品有限公司",
        "行政相对人类别": "法人及非法人组织",
        "统一社会信用代码": SUBJECT,
        "行政许可决定文书名称": "准予行政许可决定书",
        "行政许可决定文书号": "示许准〔2026〕1号",
        "许可类别": "普通",
        "许可证书名称": "食品生产许可证",
        "许可编号": "SC10132090000001",
        "许可内容": "食品生产",
        "许可决定日期": "2026/01/05",
        "有效期自": "2026/01/05",
        "有效期至": "2031/01/04",
        "许可机关": "示例市市场监督管理局",
        "许可机关统一社会信用代码": AUTHORITY,
        "当前状态": "1",
        "数据来源单位": "示例市市场监督管理局",
        "数据来源单位统一社会信用代码": AUTHORITY,
    }
    return row | changes


def subject(**changes: str) -> dict[str, str]:
    row = {
        "统一社会信用代码": SUBJECT,
        "名称": "示例食品有限公司",
        "主体类型": "法人及非法人组织",
        "登记状态": "存续",
        "工商注册号": "320900000012345",
        "住所": "示例市示例路1号",
    }
    return row | changes


def commitment(**changes: str) -> dict[str, str]:
    row = {
        "承诺编码": "32090020260501000001",
        "承诺人名称": "示例食品有限公司",
        "承诺人类别": "法人及非法人组织",
        "承诺人代码": SUBJECT,
        "承诺类型": "主动型",
        "承诺事由": "公开承诺产品质量",
        "承诺内容": "每批产品出厂前检验。",
        "违诺责任": "接受公开和约束。",
        "承诺作出日期": "2026/05/01",
        "承诺受理单位": "示例市市场监督管理局",
        "承诺受理单位代码": AUTHORITY,
        "公开类型": "可向社会公开",
    }
    return row | changes


def listed(**changes: str) -> dict[str, str]:
    row = {
        "名单名称": "经营异常名录",
        "统一社会信用代码": SUBJECT,
        "列入事由": "未在规定期限公示年度报告",
        "文书文号": "示异〔2026〕9号",
        "认定单位": "示例市市场监督管理局",
        "列入日期": "2026/05/10",
    }
    return row | changes


def judgment(**changes: str) -> dict[str, str]:
    row = {
        "信息类别": "失信被执行人",
        "当事人名称": "示例食品有限公司",
        "当事人类别": "法人及非法人组织",
        "当事人代码": SUBJECT,
        "法院": COURT,
        "案号": "（2026）示0901执1号",
        "失信行为情形": "有履行能力而拒不履行",
        "发布日期": "2026/05/20",
    }
    return row | changes


ROWS = {
    "penalties": penalty,
    "licences": licence,
    "subjects": subject,
    "commitments": commitment,
    "lists": listed,
    "judgments": judgment,
}
OFFICIAL = ("penalties", "licences")
SOURCED = ("subjects", "judgments")


def order(kind: str, **changes: str) -> Order:
    given = {"template": "2018" if kind in OFFICIAL else "", "file_name": f"{kind}.csv"}
    given |= {"category": "food"} if kind == "penalties" else {}
    given |= {"source": "示例市信用办"} if kind in SOURCED else {}
    return Order(kind, **{**given, **changes})


def csv_of(rows: Sequence[Mapping[str, str]], encoding: str = "utf-8-sig") -> bytes:
    headings = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(headings)
    writer.writerows([row.get(name, "") for name in headings] for row in rows)
    return text.getvalue().encode(encoding)


def xlsx_of(rows: Sequence[Mapping[str, object]]) -> bytes:
    headings = list(dict.fromkeys(name for row in rows for name in row))
    book, out = openpyxl.Workbook(), io.BytesIO()
    page = book.worksheets[0]
    page.append(headings)
    for row in rows:
        page.append([row.get(name) for name in headings])
    book.save(out)
    return out.getvalue()


def submit(services: Services, kind: str, rows: Sequence[Mapping[str, str]], **changes: str) -> Run:
    return operations.submit(services, ACTOR, order(kind, **changes), File(csv_of(rows)))


def faults(services: Services, run: Run) -> list[tuple[int, str, str]]:
    """(row, column, code) of everything refused."""
    rows = operations.refused_rows(services, run.import_id, limit=500)
    return [(row.number, fault.column, fault.code) for row in rows for fault in row.faults]


__all__ = ["AUTHORITY", "OTHER_SUBJECT", "SUBJECT", "Clock"]
