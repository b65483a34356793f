"""Builders for the policy lab: a register with graded subjects, and a draft with a law behind every rule."""

from __future__ import annotations

from datetime import date

from tests.server.credit.make import OTHER_SUBJECT, SUBJECT, published
from trace_server.catalog.tables import subject
from trace_server.credit.grading.reading import parse_policy
from trace_server.db import Database
from trace_server.policies import operations
from trace_server.policies.model import PolicyVersion, Risk
from trace_server.policies.operations import POLICY_ID
from trace_server.services import Services

AUTHOR, ONE, TWO = "user:author", "user:one", "user:two"
RISKS = (Risk("检查量增加", "从两个区局各借调一人"), Risk("企业集中咨询", "开设热线，发布问答"))


def registered(database: Database, count: int = 8) -> list[str]:
    """Subjects of two districts, by code; the first two are those of the credit builders."""
    codes = [SUBJECT, OTHER_SUBJECT, *(code for code in VALID if code not in (SUBJECT, OTHER_SUBJECT))][:count]
    rows = [
        {
            "uscc": code, "name": f"示例企业{number}", "name_en": f"Example firm {number}", "kind": "legal",
            "region": "320902" if number % 2 else "320925", "status": "active", "source": "test",
            "as_of": date(2026, 1, 1), "revision": 1,
        }
        for number, code in enumerate(codes)
    ]  # fmt: skip
    with database.begin() as conn:
        conn.execute(subject.insert(), rows)
    return codes


def _valid() -> list[str]:
    """Codes of made-up subjects with a right check digit."""
    from trace_core.errors import IdentifierError
    from trace_core.ids import uscc

    found = []
    for number in range(40, 200):
        for digit in "0123456789ABCDEFGHJKLMNPQRTUWXY":
            try:
                found.append(uscc.parse(f"91320900MA1T{number:05}{digit}").code)
            except IdentifierError:
                continue
    return found


VALID = _valid()


def draft_text(services: Services, **changes: str) -> str:
    """The policy in force as a draft, with one law behind everything; `changes`: line → line."""
    text = operations.starting_text(services)
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new, 1)
    number = int(text.partition("version = ")[2].partition("\n")[0])
    rules = parse_policy("draft", text.encode()).rules
    assert f"version = {number}" in text
    named = ", ".join(f'"{rule}"' for rule in rules)
    return (
        text + f"\n[[legal_basis]]\nrules = [{named}]\n"
        'law = "示例市信用分级分类监管办法"\narticle = "第八条"\nvalid_from = 2026-01-01\n'
    )


def drafted(services: Services, text: str | None = None) -> PolicyVersion:
    return operations.draft(services, AUTHOR, text or stricter(services), "提高一般失信扣分")


def stricter(services: Services) -> str:
    """General decisions weigh 30 points in place of 12."""
    return draft_text(services, **{'general = "12"': 'general = "30"'})


def simulated(services: Services, row: PolicyVersion) -> PolicyVersion:
    return operations.run_simulation(services, AUTHOR, POLICY_ID, row.number, row.version, seed="s1")[0]


def reviewed(services: Services, row: PolicyVersion) -> PolicyVersion:
    made = simulated(services, row)
    return operations.review(services, AUTHOR, POLICY_ID, made.number, made.version, RISKS, (30, 90))


def approved(services: Services, row: PolicyVersion) -> PolicyVersion:
    made = reviewed(services, row)
    for actor in (ONE, TWO):
        made = operations.approve(services, actor, POLICY_ID, made.number, made.version, "同意")
    return made


def active(services: Services, row: PolicyVersion, from_day: date) -> PolicyVersion:
    made = approved(services, row)
    return operations.activate(services, ONE, POLICY_ID, made.number, made.version, from_day)


def stocked(services: Services, count: int = 8) -> list[str]:
    """Registered subjects, one of them with a published decision that is general."""
    codes = registered(services.db, count)
    published(services)
    return codes
