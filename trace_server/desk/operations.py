"""Use cases of the desk. `uscc` is the company of the person who asks: it stands in every question and every change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import urlencode

from trace_core.errors import Conflict, InputError, NotFound
from trace_server import audit
from trace_server.catalog import operations as catalog
from trace_server.catalog.model import IssuedCode, Product
from trace_server.catalog.operations import SHANGHAI, PostedBatch
from trace_server.catalog.profiles import load_profiles
from trace_server.catalog.store import licences
from trace_server.credit.model import ViolationRecord
from trace_server.credit.operations import records_of
from trace_server.desk import rules, store
from trace_server.desk.model import (
    BatchFile,
    FileRow,
    Filter,
    Home,
    Imported,
    Mistake,
    Need,
    NeedKind,
    OwnBatch,
    Release,
)
from trace_server.portal.labels import link, svg
from trace_server.portal.model import Code
from trace_server.portal.signature import CodeKeys
from trace_server.recall import operations as recalls
from trace_server.recall.model import HolderNotice, Recall
from trace_server.registers import operations as registers
from trace_server.registers.model import TagRange
from trace_server.repairs import operations as repairs
from trace_server.repairs.model import Application, RepairState
from trace_server.services import Services

MAX_NEEDS = 50
"""Lines of one kind on the home page; the lists behind it hold all."""
MAX_EXPORT = 100_000
MAX_RANGES = 500


@dataclass(frozen=True, slots=True)
class Company:
    """The company of somebody logged in, and who that is in the audit log."""

    uscc: str
    actor: str


@dataclass(frozen=True, slots=True)
class RecallNotice:
    """A notice to the company as holder of goods, and the recall behind it."""

    notice: HolderNotice
    recall: Recall


def home(services: Services, company: Company) -> Home:
    """What waits for the company, by its day."""
    today = today_of(services)
    with services.db.read() as conn:
        held = tuple(licences(conn, company.uscc))
        counts = store.count_batches(conn, company.uscc, today)
        bare = store.batches_of(conn, company.uscc, Filter.UNINSPECTED, today, after=None, limit=MAX_NEEDS)
    needs = rules.licence_needs(held, today)
    needs += [
        Need(
            NeedKind.UNINSPECTED,
            f"{one.product_name} {one.batch.lot}",
            f"{one.product_name_en or one.product_name} {one.batch.lot}",
            None,
            f"/desk/batches/one?{urlencode({'gtin': one.batch.gtin, 'lot': one.batch.lot})}",
        )
        for one in bare
    ]
    needs += [
        Need(
            NeedKind.RECALL,
            one.recall.notice.notice_no,
            one.recall.notice.notice_no,
            one.notice.sent_at.astimezone(SHANGHAI).date(),
            "/desk/recalls",
        )
        for one in notices(services, company)
        if one.notice.answer is None
    ]
    needs += [
        Need(NeedKind.REPAIR, one.record_id, one.record_id, None, "/desk/archive")
        for one in applications(services, company)
        if one.state is RepairState.RETURNED
    ]
    return Home(rules.sorted_needs(needs), held, counts[Filter.ALL], counts[Filter.UNINSPECTED])


def today_of(services: Services) -> date:
    """The day in Shanghai."""
    return services.clock().astimezone(SHANGHAI).date()


def list_batches(
    services: Services, company: Company, wanted: Filter, *, after: store.Place | None, limit: int
) -> list[OwnBatch]:
    """Own batches, newest production first."""
    with services.db.read() as conn:
        return store.batches_of(conn, company.uscc, wanted, today_of(services), after=after, limit=limit)


def count_batches(services: Services, company: Company) -> dict[Filter, int]:
    """How many each filter holds."""
    with services.db.read() as conn:
        return store.count_batches(conn, company.uscc, today_of(services))


def products(services: Services, company: Company) -> list[Product]:
    """Own products, by name."""
    with services.db.read() as conn:
        return store.products_of(conn, company.uscc)


def product(services: Services, company: Company, gtin: str) -> Product:
    """Raises `NotFound`; another company's product is as unknown as none."""
    with services.db.read() as conn:
        found = store.product_of(conn, company.uscc, gtin)
    if found is None:
        raise NotFound("the product is not one of yours", where="gtin")
    return found


def batch_file(services: Services, company: Company, gtin: str, lot: str) -> BatchFile:
    """A batch with what it lacks and the codes printed for it. Raises `NotFound`."""
    with services.db.read() as conn:
        batch = store.batch_of(conn, company.uscc, gtin, lot)
        goods = catalog.goods(conn, gtin, lot) if batch is not None else None
        if batch is None or goods is None:
            raise NotFound("the batch is not one of yours", where="lot")
        runs = store.runs_of(conn, batch.gtin, batch.lot)
        released = store.release_of(conn, batch.gtin, batch.lot)
    missing = rules.missing_certificates(batch, load_profiles().get(goods.product.category))
    stops = rules.obstacles(batch, missing, today_of(services))
    return BatchFile(batch, goods.product, missing, tuple(runs), released, stops)


def release(services: Services, company: Company, gtin: str, lot: str) -> None:
    """Let a batch leave the factory, once. Raises `NotFound`, `Conflict` while something stands against it."""
    file, now = batch_file(services, company, gtin, lot), services.clock()
    if file.obstacles:
        raise Conflict("something stands against the release", where="release")
    batch = file.batch
    with services.db.begin() as conn:
        done = Release(company.actor, now)
        if not store.add_release(conn, services.db.dialect, batch.gtin, batch.lot, done):
            raise Conflict("the batch is released already", where="release")
        about = f"{batch.gtin}/{batch.lot}"
        audit.record(conn, now, company.actor, "batch.release", about, {"producer": company.uscc})


def register(services: Services, company: Company, document: dict[str, object]) -> None:
    """Register or change a batch of one of the own products. Raises `NotFound`, `InputError` with a JSON pointer."""
    product(services, company, str(document.get("gtin", "")))
    rules.require_possible_day(document.get("production_date"), today_of(services))
    posted = PostedBatch({**document, "producer_uscc": company.uscc}, company.uscc, company.actor)
    catalog.post_batch(services.db, posted, services.clock())


def import_file(services: Services, company: Company, content: bytes) -> Imported:
    """Take the good rows of a file; the others come back with their mistakes. Raises `InputError` for no such file."""
    own = {one.gtin for one in products(services, company)}
    mistakes: list[Mistake] = []
    refused: list[FileRow] = []
    seen: set[tuple[str, str]] = set()
    changed = unchanged = 0
    for row in rules.read_file(content):
        try:
            if _take_row(services, company, row, own, seen):
                changed += 1
            else:
                unchanged += 1
        except (InputError, Conflict) as error:
            mistakes.append(Mistake(row.line, rules.column_of(error.where), error.code, error.what))
            refused.append(row)
    return Imported(changed, unchanged, tuple(mistakes), tuple(refused))


def issue(services: Services, company: Company, gtin: str, lot: str, count: int) -> datetime:
    """Issue codes for labels of a batch; returns the moment that names the run.

    Raises `NotFound`, `InputError`, `Conflict` for goods that may not be sold any more or a range that
    is used up, `NotAllowed` for serials of another company's range, `ConfigError` without a key.
    """
    rules.require_count(count)
    file, now = batch_file(services, company, gtin, lot), services.clock()
    batch = file.batch
    if batch.recall is not None:
        raise Conflict("the batch is recalled", where="count")
    if batch.expiry_date is not None and batch.expiry_date < today_of(services):
        raise Conflict("the batch is past its date", where="count")
    keys = CodeKeys.parse(services.settings.code_secret)
    keys.sign(f"/01/{batch.gtin}")  # says what is missing before a code is issued that nobody could sign

    def is_taken(serials: Sequence[str]) -> frozenset[str]:
        named = {catalog.item_key(batch.gtin, serial): serial for serial in serials}
        with services.db.read() as conn:
            return frozenset(named[key] for key in store.taken(conn, services.db.dialect, list(named)))

    granted = [one for one in ranges_of(services, company, batch.gtin) if one.in_force(today_of(services))]
    serials = rules.ranged_serials(count, granted, is_taken) if granted else rules.drawn_serials(count, is_taken)
    rows = [IssuedCode(batch.gtin, batch.lot, serial, "", keys.signing, now) for serial in serials]
    registers.issue_codes(services.db, rows, actor=company.actor, now=now)
    return now


def ranges_of(services: Services, company: Company, gtin: str = "") -> list[TagRange]:
    """The company's ranges of serials, of one product or of all."""
    found = registers.ranges_of(services, company.uscc, limit=MAX_RANGES)
    return [one for one in found if gtin in ("", one.gtin)]


def run_of(
    services: Services, company: Company, gtin: str, lot: str, issued_at: datetime
) -> tuple[BatchFile, list[Code]]:
    """The batch and the codes of one run. Raises `NotFound`."""
    file = batch_file(services, company, gtin, lot)
    with services.db.read() as conn:
        found = store.codes_of_run(conn, file.batch.gtin, file.batch.lot, issued_at)
    if not found:
        raise NotFound("no labels were issued then", where="run")
    return file, [Code(one.gtin, one.lot, one.serial) for one in found]


def label_of(services: Services, code: Code) -> str:
    """The label of a code as SVG. Raises `ConfigError` without a key."""
    return svg(code, services.settings.public_url, CodeKeys.parse(services.settings.code_secret))


def link_of(services: Services, code: Code) -> str:
    """What the QR of a code says."""
    return link(services.settings.public_url, code, CodeKeys.parse(services.settings.code_secret))


def own_records(services: Services, company: Company) -> list[ViolationRecord]:
    """All records of the company, also those that the public does not see."""
    with services.db.read() as conn:
        return records_of(conn, company.uscc)


def applications(services: Services, company: Company) -> list[Application]:
    """The company's applications for repair, as they came."""
    return repairs.list_applications(services, company.uscc, None, after=None, limit=MAX_NEEDS)


def own_record(services: Services, company: Company, record_id: str) -> ViolationRecord:
    """Raises `NotFound` also for another company's record."""
    found = next((one for one in own_records(services, company) if one.record_id == record_id), None)
    if found is None:
        raise NotFound("the record is not one of yours", where="record_id")
    return found


def returned_application(services: Services, company: Company, record_id: str) -> Application | None:
    """The application about a record that came back to be completed, if there is one."""
    for one in applications(services, company):
        if one.record_id == record_id and one.state is RepairState.RETURNED:
            return one
    return None


def notices(services: Services, company: Company) -> list[RecallNotice]:
    """Recall notices that the company got, unanswered ones first."""
    found = recalls.notices(services.db, holder=company.uscc)
    told = [RecallNotice(one, recalls.get(services.db, one.recall_id)) for one in found]
    return sorted(told, key=lambda one: (one.notice.answer is not None, one.notice.sent_at))


def _take_row(services: Services, company: Company, row: FileRow, own: set[str], seen: set[tuple[str, str]]) -> bool:
    gtin, lot = row.cells[0].zfill(14), row.cells[1]
    if gtin not in own:
        raise InputError("the product is not one of yours", where="/gtin")
    if (gtin, lot) in seen:
        raise InputError("the lot is in the file twice", where="/lot")
    seen.add((gtin, lot))
    with services.db.read() as conn:
        before = store.batch_of(conn, company.uscc, gtin, lot)
    document = rules.batch_document(row, company.uscc, before)
    rules.require_possible_day(document["production_date"], today_of(services))
    posted = PostedBatch(document, company.uscc, company.actor)
    try:
        _, changed = catalog.post_batch(services.db, posted, services.clock())
    except NotFound as error:
        raise InputError(error.what, where="/gtin") from error
    return changed
