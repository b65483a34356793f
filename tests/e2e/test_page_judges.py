"""Programs of others judge every page: axe-core (WCAG 2.2 AA) at three widths, the Nu HTML checker; and no page is
wider than its screen. Both languages."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

import pyotp
import pytest
import requests
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

from tests.e2e.conftest import CHROMEDRIVER, LOTS, Site
from tests.server.commitments import make as promises
from tests.server.complaints import make as reports
from tests.server.credit.make import SUBJECT, published, recorded
from tests.server.desk import make as farms
from tests.server.detect import make as trade
from tests.server.fleet import make as gateways
from tests.server.imports import make as tables
from tests.server.policies import make as lab
from tests.server.portal import make
from tests.server.publicity import make as publicity
from tests.server.shops import make as online
from tests.server.supervision.make import in_every_state
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Role
from trace_server.cases import operations as cases
from trace_server.cases.model import Actor
from trace_server.cases.operations import NewCase
from trace_server.commitments.model import CommitmentEvent
from trace_server.complaints import operations as complaints
from trace_server.complaints.model import Event as ComplaintEvent
from trace_server.config import Settings
from trace_server.credit.model import Filter
from trace_server.credit.operations import repair
from trace_server.credit.steps import Paper
from trace_server.credit.store import head_seq
from trace_server.db import Database, open_database
from trace_server.desk import operations
from trace_server.exchange import pulling
from trace_server.jobs import runner
from trace_server.lists import operations as lists
from trace_server.lists.operations import Proposal
from trace_server.objections import operations as objections
from trace_server.objections.model import TargetKind
from trace_server.objections.operations import Claim
from trace_server.policies.operations import starting_text
from trace_server.publicity import opendata
from trace_server.recall import operations as recalls
from trace_server.recall.model import Answer, Notice
from trace_server.recall.model import Scope as Goods
from trace_server.repairs import operations as repairs
from trace_server.reports import operations as credit_reports
from trace_server.reports.jobs import kinds as report_kinds
from trace_server.reports.model import Asker
from trace_server.reports.model import Wish as ReportWish
from trace_server.sealed import operations as sealed
from trace_server.sealed.model import Purpose
from trace_server.services import Services
from trace_server.shops import operations as shops
from trace_server.supervision import telling
from trace_server.supervision.model import Plan
from trace_server.users import operations as users
from trace_server.users import rules
from trace_server.users.model import Scope

NODE = Path(__file__).parent / "judges" / "node_modules"
AXE = NODE / "axe-core" / "axe.min.js"
VNU = NODE / "vnu-jar" / "build" / "dist" / "vnu.jar"
WIDTHS = (320, 768, 1280)
LANGUAGES = ("zh-CN", "en")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
BUREAU = "示例市市场监督管理局"


@dataclass(frozen=True)
class Desk:
    """A logged-in regulator: where the console is, the cookie, and what there is to look at."""

    cookie: tuple[str, str]
    paths: tuple[str, ...]


def shop_paths(site: Site) -> list[str]:
    """The page of an online seller's mark, and of one that nobody gave out."""
    database = open_database(site.database_url)
    known = shops.list_shops(database) or [online.shop(database, uscc=make.PRODUCER)]
    database.dispose()
    return [f"/shop/{known[0].mark}", "/shop/NOBODYHAS2"]


def inspection_plans(site: Site) -> list[Plan]:
    """Plans that the public knows of, and one in draft among them for the desk; made when there are none."""
    database = open_database(site.database_url)
    outside = Services(database, Settings(code_secret=make.SECRET), lambda: make.NOW)
    found = telling.told_plans(outside)
    if not found:
        in_every_state(outside, "user:drawn")
        found = telling.told_plans(outside)
    database.dispose()
    return found


def public_paths(site: Site) -> list[str]:
    states = ("normal", "recall", "expired", "near", "suspect", "gap", "no_journey", "no_batch")
    codes = [urlsplit(site.link(state)) for state in states]
    return [
        *(f"{code.path}?{code.query}" for code in codes),
        f"/01/{make.GTIN}/10/{make.LOT}/21/nobody?s=forged",
        "/01/abc/10/L1/21/S1",
        f"/01/{make.GTIN}",
        f"/01/{make.GTIN}/10/{make.LOT}",
        "/8004/6901234A100",
        "/8003/0690123400001617",
        "/",
        "/how-to-check",
        "/report",
        f"/report?kind=report&code=(01){make.GTIN}(10){make.LOT}(21)S1",
        "/report/follow",
        "/report/nothing/what",
        *report_form(site),
        "/credit",
        f"/credit/{make.PRODUCER}",
        "/credit/91320900MA1T00208Y",
        *shop_paths(site),
        *list_paths(site),
        check_path(site),
        f"/check/{make.PRODUCER}",
        *(f"/supervision/{plan.plan_id}" for plan in inspection_plans(site)),
        "/supervision",
        "/supervision/plan-nobody",
        "/verify",
        "/verify/R20260601-000000000000",
        "/console/login",
        "/console/join",
        "/nothing/here",
    ]


@cache
def check_path(site: Site) -> str:
    """The live page of a restriction check, as a bidding system gets it."""
    database = open_database(site.database_url)
    outside = Services(database, Settings(code_secret=make.SECRET, public_url=site.url), lambda: make.NOW)
    link = lists.open_page(outside, make.PRODUCER, "", "client:bidding", "资格审查")
    database.dispose()
    return f"/check/{link.uscc}?{urlencode({'until': link.until, 's': link.signature})}"


@cache
def list_paths(site: Site) -> list[str]:
    """The public lists with something in each, and the pages that only say something."""
    database = open_database(site.database_url)
    outside = Services(database, Settings(code_secret=make.SECRET, public_url=site.url), lambda: make.NOW)
    made = publicity.fill(outside)
    opendata.keep(outside)
    database.dispose()
    return [
        "/penalties", "/penalties?q=x", "/penalties?q=示例&region=32&category=food", "/penalties/withdrawn",
        "/penalties/timeliness", f"/penalties/{made.late}", f"/penalties/{made.gone}", "/penalties/nobody", "/lists",
        "/lists/serious", "/lists/industry_black", f"/lists/entries/{made.entry}",
        f"/lists/entries/{made.industry_entry}", "/recalls", "/recalls?state=closed", f"/recalls/{made.open_recall}",
        f"/recalls/{made.closed_recall}", "/data", "/glossary", "/accessibility", "/privacy",
    ]  # fmt: skip


def report_form(site: Site) -> list[str]:
    """The questions of a report that somebody has begun."""
    with requests.Session() as browser:
        browser.trust_env = False
        begun = browser.post(site.url + "/report", data={"kind": "report"}, allow_redirects=False, timeout=30)
    form = begun.headers["Location"].rpartition("/")[0]
    return [f"{form}/{step}" for step in ("what", "where", "who", "check")]


@pytest.fixture(scope="module")
def desk(site: Site) -> Desk:
    """A regulator's session, an alert and a case in the site's own database."""
    database = open_database(site.database_url)
    settings = Settings(code_secret=make.SECRET)
    token = log_in(database, "inspector-1", Role.REGULATOR, Scope())
    sold = {"bizStep": "retail_selling", "disposition": "retail_sold"}
    for number in (41, 42, 43):
        trade.post(database, trade.at(number, number, **sold), trade.at(trade.HOUR + number, number, **sold))
    trade.follow(database, "D04")
    alert, *_ = trade.open_alerts(database)
    actor = Actor("user:inspector", BUREAU)
    outside = Services(database, settings, lambda: make.NOW + timedelta(seconds=1))
    new = NewCase("涉嫌重复销售", "food", "320902", SUBJECT, (alert.alert_key,), "现场核实")
    case = cases.open_case(outside, actor, new)
    broken, doubted, objection = credit_desk(outside)
    wish = ReportWish("credit", (make.PRODUCER,), "申请技术改造补贴")
    report = credit_reports.request(outside, Asker("user:inspector", name="检查员甲"), wish)
    runner.run_due(outside, runner.named(report_kinds))
    desks = recall_and_fleet(outside)
    me = next(user for user in users.list_users(database) if user.name == "inspector-1")
    plans = in_every_state(outside, me.actor)
    inspections = [f"/console/inspections/{path}" for path in (*plans, f"{plans[2]}/1", f"{plans[3]}/1")]
    database.dispose()
    paths = (
        *desks, *inspections, "/console/inspections",
        "/console", "/console/account", "/console/confirm", "/console/alerts", "/console/alerts?state=open",
        f"/console/alerts/{alert.alert_key.hex()}", "/console/cases", f"/console/cases/{case.case_id}",
        "/console/chains", f"/console/chains?uri={make.ITEM}",
        "/console/commitments", "/console/commitments?state=unfulfilled", f"/console/commitments/{broken}",
        f"/console/commitments/{doubted}", "/console/objections", f"/console/objections/{objection}",
        f"/credit/{SUBJECT}", "/console/reports", f"/console/reports/{report.report_no}",
        f"/verify/{report.report_no}",
    )  # fmt: skip
    return Desk(("suyuan-local", token), paths)


@pytest.fixture(scope="module")
def credit_office(site: Site) -> Desk:
    """A session of the credit office: a decision to publish, an application for repair, receivers of the feed."""
    database = open_database(site.database_url)
    token = log_in(database, "credit-1", Role.CREDIT_OFFICE, Scope())
    outside = Services(database, Settings(code_secret=make.SECRET), lambda: make.NOW + timedelta(seconds=2))
    waiting = recorded(outside, CF_WSH="示市监罚〔2026〕91号")
    stopped, other = (published(outside, CF_WSH=f"示市监罚〔2026〕{number}号") for number in (92, 93))
    client, _ = accounts.add_client(database, make.NOW, "test", name="信用平台", role=Role.CREDIT_OFFICE)
    with database.read() as conn:
        seq = head_seq(conn) + 1
    pulling.note_pull(database, make.NOW, client.client_id, Filter(), after=0, upto=seq - 1)
    repair(outside, stopped.record_id, Paper("user:one", "已整改", "示信修〔2026〕1号"))
    wish = repairs.apply(
        outside, "user:one", other.record_id, owner=None, correction="已整改", promise="材料真实", papers=("缴款书",)
    )
    proposal = Proposal("serious", SUBJECT, "情节严重", "示列〔2026〕1号", BUREAU)
    listed = lists.propose(outside, "user:one", proposal)
    policies = [lab.drafted(outside, text(outside)).number for text in (lab.stricter, starting_text)]
    lab.reviewed(outside, lab.drafted(outside))
    table = tables.submit(outside, "lists", [tables.listed(), tables.listed(列入日期="2026-05-10", 文书文号="")])
    yesterday = make.NOW.date() - timedelta(days=1)
    pulling.compare(database, make.NOW, client.client_id, yesterday, 1, "0" * 64)
    database.dispose()
    paths = (
        "/console/publications", f"/console/publications/{waiting.record_id}", "/console/repairs",
        f"/console/repairs/{wish.application_id}", "/console/exchange", f"/console/exchange/changes/{seq}",
        "/console/exchange/comparisons", "/console/lists", "/console/lists?list=red&state=listed",
        f"/console/lists/{listed.membership_id}", "/console/policies", "/console/policies/new",
        *(f"/console/policies/{number}" for number in (*policies, policies[-1] + 1)),
        "/console/imports", f"/console/imports/{table.import_id}",
    )  # fmt: skip
    return Desk(("suyuan-local", token), paths)


def recall_and_fleet(outside: Services) -> list[str]:
    """A draft and a recall whose holders were told, a gateway that has spoken; pages to find them, and a subject."""
    database, now = outside.db, outside.clock()
    notice = Notice("示市监召〔2026〕7号", BUREAU, "菌落总数超过标准限量", "停止饮用", "任意门店", "000-00000")
    made = [
        recalls.create(database, now, "user:one", category="food", level=1, scope=scope, notice=notice)
        for scope in (Goods(((make.RAW_GTIN, make.RAW_LOT),)), Goods(((make.GTIN, LOTS["recall"]),)))
    ]
    told = made[1].recall_id
    recalls.announce(database, now, "user:two", told, "检验报告 7 号")
    recalls.notify(database, now, "user:two", told)
    holder = recalls.notices(database, recall_id=told)[0].holder
    recalls.answer(database, now, "user:shop", told, holder, Answer(0, 0, 1, 0, "已全部下架"))
    gateways.waiting(database, "gate-7", now)
    draft = f"/console/recalls/{made[0].recall_id}"
    return [
        "/console/recalls", f"/console/recalls?batches={make.GTIN}+{make.LOT}", draft, f"{draft}/affected",
        f"{draft}/proof?gtin={make.GTIN}&lot={make.LOT}", f"/console/recalls/{told}", "/console/search",
        f"/console/search?q={make.LOT}", "/console/search?q=nothing", f"/console/subjects/{SUBJECT}",
        f"/console/subjects/{make.PRODUCER}?view=public", "/console/fleet", "/console/fleet?health=silent",
        "/console/fleet/gate-7", *(f"/console/chains?uri={make.ITEM}&view={one}" for one in ("svg", "timeline", "map")),
    ]  # fmt: skip


def credit_desk(outside: Services) -> tuple[str, str, str]:
    """A commitment found broken, one that is objected to, and an objection to a record: (code, code, id)."""
    broken = promises.act(outside, promises.in_force(outside), CommitmentEvent.FIND_UNFULFILLED).code
    doubted = promises.breached(outside, cause="申请设备使用登记").code
    record = published(outside, CF_WSH="示市监罚〔2026〕88号").record_id
    for kind, target in ((TargetKind.COMMITMENT, doubted), (TargetKind.RECORD, record)):
        claim = Claim(kind, target, "罚款金额与决定书不符", ("示决〔2026〕1号",))
        objection = objections.raise_objection(outside, "client:firm", claim, owner=SUBJECT)
    return broken, doubted, objection.objection_id


@pytest.fixture(scope="module")
def office(site: Site) -> Desk:
    """A session of the report office, and a named report that was found true."""
    database = open_database(site.database_url)
    settings = Settings(code_secret=make.SECRET, sealed_key="s" * 32)
    token = log_in(database, "office-1", Role.REPORT_DESK, Scope())
    outside = Services(database, settings, lambda: make.NOW)
    _, row = reports.sent(outside, is_named=True, name=reports.NAME, contact=reports.CONTACT)
    actor = Actor("user:inspector", row.department)
    for event in (ComplaintEvent.ACCEPT, ComplaintEvent.INVESTIGATE, ComplaintEvent.VERIFY):
        row = complaints.take_step(outside, actor, row.complaint_id, event, text="记录在案", version=row.version)
    sealed.request_opening(outside, actor.name, row.sealed_id, Purpose.REPORTER, "发放奖励须核实")
    database.dispose()
    paths = ("/console/complaints", "/console/complaints?kind=report", f"/console/complaints/{row.complaint_id}")
    return Desk(("suyuan-local", token), paths)


@pytest.fixture(scope="module")
def farm(site: Site) -> Desk:
    """A producer's session in the site's own database, with something on every page of the desk."""
    database = open_database(site.database_url)
    run = f"gtin={farms.GTIN}&lot={farms.LOT}&run={quote(farms.stock(database).isoformat())}"
    token = log_in(database, "farmer-1", Role.PRODUCER, Scope(subject=farms.FARM))
    outside = Services(database, Settings(code_secret=make.SECRET), lambda: make.NOW)
    record, *_ = operations.own_records(outside, farms.COMPANY)
    database.dispose()
    batch = f"gtin={farms.GTIN}&lot={farms.LOT}"
    paths = (
        "/desk", "/desk/batches", "/desk/batches?state=recalled", f"/desk/batches/one?{batch}",
        f"/desk/batches/form?{batch}", "/desk/batches/form", "/desk/batches/import", "/desk/labels",
        f"/desk/labels?{batch}", f"/desk/labels/run?{run}", "/desk/recalls", "/desk/archive",
        f"/desk/archive/repair/{record.record_id}", "/desk/clients", "/desk/ranges",
    )  # fmt: skip
    return Desk(("suyuan-local", token), paths)


@pytest.fixture(scope="module")
def overseers(site: Site) -> dict[str, Desk]:
    """An administrator, an auditor, and somebody who may open neither's page."""
    database = open_database(site.database_url)
    token = {role: log_in(database, f"over-{role}".replace("_", "-"), role, Scope()) for role in
             (Role.ADMINISTRATOR, Role.AUDITOR, Role.CREDIT_OFFICE)}  # fmt: skip
    database.dispose()
    paths = {
        Role.ADMINISTRATOR: ("/console/users", "/console/users/over-auditor", "/console/clients", "/console/running"),
        Role.AUDITOR: ("/console/audit", "/console/audit?action=user.&since=x"),
        Role.CREDIT_OFFICE: ("/console/users",),
    }
    return {role.value: Desk(("suyuan-local", token[role]), found) for role, found in paths.items()}


@pytest.fixture(scope="module")
def faces(desk: Desk, farm: Desk, office: Desk, credit_office: Desk, overseers: dict[str, Desk]) -> dict[str, Desk]:
    """Everybody who logs in, by name."""
    return overseers | {"console": desk, "desk": farm, "office": office, "credit": credit_office}


def log_in(database: Database, name: str, role: Role, scope: Scope) -> str:
    """Token of a session of somebody new."""
    caller = users.Caller("127.0.0.1", "Chromium")
    _, code = users.add_user(
        database, make.NOW, "cli:admin", name=name, display_name="检查员甲" if role is Role.REGULATOR else "示例农场",
        role=role, department=BUREAU, scope=scope,
    )  # fmt: skip
    half = users.join(database, make.NOW, code, "violet harbour sixteen lanterns", caller)
    secret = rules.new_totp_secret()
    key = Settings(code_secret=make.SECRET).derived_key(users.FACTOR_PURPOSE)
    return users.set_factor(database, make.NOW, key, half, secret, pyotp.TOTP(secret).at(make.NOW), caller)


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """A browser with JavaScript, for axe alone: the pages have none."""
    options = ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--no-first-run",
        f"--user-data-dir={tmp_path_factory.mktemp('judge')}",
    ):  # fmt: skip
        options.add_argument(argument)
    browser = Chrome(options=options, service=Service(CHROMEDRIVER))
    browser.set_page_load_timeout(60)
    browser.set_script_timeout(60)
    yield browser
    browser.quit()


def in_language(path: str, language: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}lang={language}"


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "face", ["public", "console", "desk", "office", "credit", "administrator", "auditor", "credit_office"]
)
def test_no_page_breaks_a_rule_of_accessibility_at_any_width(
    judge: Chrome, site: Site, faces: dict[str, Desk], face: str, language: str
) -> None:  # fmt: skip
    axe = AXE.read_text(encoding="utf-8")
    judge.get(site.url + "/how-to-check")
    judge.delete_all_cookies()
    if face != "public":
        name, value = faces[face].cookie
        judge.add_cookie({"name": name, "value": value, "path": "/"})
    found: dict[str, list[str]] = {}
    for path in public_paths(site) if face == "public" else faces[face].paths:
        judge.get(site.url + in_language(path, language))
        judge.execute_script(axe)
        for width in WIDTHS:
            size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
            judge.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            result = judge.execute_async_script(
                "const done = arguments[1]; axe.run(document, arguments[0]).then(done, e => done(String(e)));", RULES
            )
            assert isinstance(result, dict), result
            broken = [f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in result["violations"]]
            wide = judge.execute_script("return document.documentElement.scrollWidth - window.innerWidth")
            if wide > 0:
                broken.append(f"{wide} px wider than the screen")
            if broken:
                found[f"{path} at {width}"] = broken
    assert found == {}


def test_every_page_is_html_without_an_error(site: Site, faces: dict[str, Desk]) -> None:
    with tempfile.TemporaryDirectory() as folder, requests.Session() as browser:
        browser.trust_env = False
        names: dict[str, str] = {}
        seen = [({}, public_paths(site)), *((dict([one.cookie]), one.paths) for one in faces.values())]
        for cookies, paths in seen:
            for path in paths:
                for language in LANGUAGES:
                    file = Path(folder) / f"{len(names)}.html"
                    page = browser.get(site.url + in_language(path, language), cookies=cookies, timeout=30)
                    file.write_bytes(page.content)
                    names[str(file)] = in_language(path, language)
        done = subprocess.run(
            ["java", "-jar", str(VNU), "--format", "json", "--stdout", "--exit-zero-always", *names],
            capture_output=True, check=True, timeout=150,
        )  # fmt: skip
        told = [
            f"{names[message['url'].removeprefix('file:')]}: {message['message']}"
            for message in json.loads(done.stdout)["messages"]
            if message["type"] == "error"
        ]
    assert told == []
