"""Decisions of the desk; values in, values out: what waits, what an import file says, which serials to print."""

from __future__ import annotations

import csv
import io
import re
import secrets
import tomllib
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

from trace_core.errors import ConfigError, Conflict, InputError, TooLarge
from trace_server.catalog.model import Batch, Certificate, Licence, LicenceState
from trace_server.catalog.profiles import CategoryProfile
from trace_server.desk.model import FileRow, Need, NeedKind, Notice, Obstacle
from trace_server.registers.model import TagRange

COLUMNS = (
    "gtin", "lot", "production_date", "expiry_date", "quantity", "uom", "certificate_kind", "certificate_no",
    "certificate_issuer", "certificate_date", "inspection_passed", "inspection_report_no", "inspection_body",
    "inspection_date",
)  # fmt: skip
"""Columns of an import file, one certificate a row."""
HEADINGS: Mapping[str, str] = {
    "商品条码": "gtin", "批号": "lot", "生产日期": "production_date", "到期日期": "expiry_date", "数量": "quantity",
    "单位": "uom", "证明种类": "certificate_kind", "证明编号": "certificate_no", "证明出具单位": "certificate_issuer",
    "证明日期": "certificate_date", "检验合格": "inspection_passed", "检验报告编号": "inspection_report_no",
    "检验单位": "inspection_body", "检验日期": "inspection_date",
}  # fmt: skip
"""Chinese heading → column."""
MAX_FILE_ROWS = 500
MAX_FILE_BYTES = 1_000_000
MAX_RUN = 240
"""Labels issued in one go: ten sheets of A4, made while a person waits."""
SERIAL_DIGITS = 11
"""Digits of a serial: never a leading zero and below 2³⁸, so that an SGTIN-96 tag can carry it too."""
OLDEST = timedelta(days=100 * 365)
"""Wines and spirits are sold at that age; beyond it somebody mistyped the year."""
SCAN = 500
"""Serials of a range asked about in one statement."""
IsTaken = Callable[[Sequence[str]], frozenset[str]]
"""Which of these serials have a code already."""
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?\Z")
_YES = frozenset({"是", "合格", "true", "yes", "y", "1"})
_NO = frozenset({"否", "不合格", "false", "no", "n", "0"})


@lru_cache(maxsize=1)
def _notices() -> tuple[Notice, ...]:
    path = Path(__file__).parent / "notices.toml"
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8"))["notice"]
        found = [Notice(row["name"], row["days"], row["basis"], row["from"], row["confirmed"]) for row in rows]
    except (tomllib.TOMLDecodeError, KeyError) as error:
        raise ConfigError(f"the notices are incomplete: {error}", where=path.name) from error
    return tuple(sorted(found, key=lambda row: row.starts, reverse=True))


def notice(name: str, day: date) -> Notice:
    """The row called `name` in force on `day`. Raises `ConfigError` when there is none."""
    for row in _notices():
        if row.name == name and row.starts <= day:
            return row
    raise ConfigError(f"no notice {name!r} is in force on {day}", where="notices.toml")


def missing_certificates(batch: Batch, profile: CategoryProfile | None) -> tuple[str, ...]:
    """Kinds that goods of this category must carry, by the rules of the production day, and this batch does not."""
    if profile is None:
        return ()
    carried = {one.kind for one in batch.certificates}
    return tuple(
        rule.kind
        for rule in profile.certificates
        if rule.required and rule.starts <= batch.production_date and rule.kind not in carried
    )


def obstacles(batch: Batch, missing: Sequence[str], today: date) -> tuple[Obstacle, ...]:
    """Why the batch may not leave the factory; empty: it may (食品安全法 art. 51, 52 and their like)."""
    seen = batch.inspection
    found = {
        Obstacle.CERTIFICATE: bool(missing),
        Obstacle.UNINSPECTED: seen is None,
        Obstacle.FAILED: seen is not None and not seen.passed,
        Obstacle.RECALLED: batch.recall is not None,
        Obstacle.EXPIRED: batch.expiry_date is not None and batch.expiry_date < today,
    }
    return tuple(one for one, stands in found.items() if stands)


def licence_needs(licences: Iterable[Licence], today: date) -> list[Need]:
    """Valid licences that are over or will be soon; one that another of the same title outlives asks for nothing."""
    valid = [row for row in licences if row.state is LicenceState.VALID]
    newest: dict[str, Licence] = {}
    for row in valid:
        if row.title not in newest or newest[row.title].valid_to < row.valid_to:
            newest[row.title] = row
    soon = today + timedelta(days=notice("licence", today).days)
    return [
        Need(
            NeedKind.LICENCE_OVER if row.valid_to < today else NeedKind.LICENCE_SOON,
            f"{row.title} {row.number}",
            f"{row.title_en or row.title} {row.number}",
            row.valid_to,
            "/desk/archive",
        )
        for row in newest.values()
        if row.valid_to <= soon
    ]


def sorted_needs(needs: Iterable[Need]) -> tuple[Need, ...]:
    """By day, those without one last; then gravest first."""
    order = list(NeedKind)
    return tuple(sorted(needs, key=lambda need: (need.due or date.max, order.index(need.kind), need.about)))


def require_count(count: int) -> None:
    """Raises `InputError` for a number of labels that is not printed in one go."""
    if not 1 <= count <= MAX_RUN:
        raise InputError(f"1 to {MAX_RUN} labels at once", where="count", remedy="print the rest after this")


def drawn_serials(count: int, is_taken: IsTaken) -> tuple[str, ...]:
    """`count` different serials that no code of the product has; drawn, so that one tells nothing of the next."""
    low = 10 ** (SERIAL_DIGITS - 1)
    found: list[str] = []
    while len(found) < count:
        drawn = {str(low + secrets.randbelow(9 * low)) for _ in range(count - len(found))}
        found.extend(sorted(drawn - is_taken(sorted(drawn)) - set(found)))
    return tuple(sorted(found))


def ranged_serials(count: int, ranges: Sequence[TagRange], is_taken: IsTaken) -> tuple[str, ...]:
    """The next free serials of the granted ranges, in order, within each quota. Raises `Conflict` when they are few."""
    found: list[str] = []
    for row in ranges:
        wanted = min(count - len(found), row.left)
        found.extend(_free(row, wanted, is_taken))
    if len(found) < count:
        raise Conflict("the ranges do not hold so many", where="count", remedy="ask for another range")
    return tuple(found)


def _free(row: TagRange, wanted: int, is_taken: IsTaken) -> list[str]:
    # Codes are mostly issued in order: the free ones begin behind those issued, else before them.
    span, found = row.span, list[str]()
    for offset in range(0, span.size, SCAN):
        if len(found) >= wanted:
            break
        steps = range(offset, min(offset + SCAN, span.size))
        numbers = [span.low + (row.issued + step) % span.size for step in steps]
        serials = [
            f"{span.prefix}{number:0{span.width}}" if span.width else f"{span.prefix}{number}" for number in numbers
        ]
        taken = is_taken(serials)
        found.extend(serial for serial in serials if serial not in taken)
    return found[:wanted]


def read_file(content: bytes) -> tuple[FileRow, ...]:
    """The rows of an import file (CSV in UTF-8 or GB 18030), cells tidied; columns that we do not know are left out.

    Raises `InputError` for a file without our headings, `TooLarge`.
    """
    if len(content) > MAX_FILE_BYTES:
        raise TooLarge("the file is too large", where="file", remedy=f"at most {MAX_FILE_BYTES} bytes")
    rows = csv.reader(io.StringIO(_decoded(content), newline=""))
    try:
        heading = [HEADINGS.get(name, name) for name in (tidied(cell) for cell in next(rows, []))]
        lacking = [name for name in COLUMNS[:3] if name not in heading]
        if lacking:
            raise InputError("the headings are missing", where="file", remedy=", ".join(COLUMNS))
        places = [heading.index(name) if name in heading else -1 for name in COLUMNS]
        found = []
        for line, row in enumerate(rows, 2):
            cells = tuple(tidied(row[place]) if 0 <= place < len(row) else "" for place in places)
            if any(cells):
                found.append(FileRow(line, cells))
            if len(found) > MAX_FILE_ROWS:
                raise TooLarge("too many rows", where="file", remedy=f"at most {MAX_FILE_ROWS}")
    except csv.Error as error:
        raise InputError("the file is no CSV", where="file") from error
    if not found:
        raise InputError("the file has no rows", where="file")
    return tuple(found)


def tidied(cell: str) -> str:
    """A cell as it was meant: full-width signs, stray blanks, a date as spreadsheets and people write it."""
    text = unicodedata.normalize("NFKC", cell).strip().removeprefix("'")
    match = _DATE.match(text)
    return f"{match[1]}-{int(match[2]):02}-{int(match[3]):02}" if match else text


def batch_document(row: FileRow, uscc: str, before: Batch | None) -> dict[str, object]:
    """The body that `catalog.operations.post_batch` takes; what the row does not speak of stays as it was.

    Raises `InputError` for a verdict that is neither yes nor no.
    """
    cells = dict(zip(COLUMNS, row.cells, strict=True))
    certificates = [certificate_entry(one) for one in before.certificates] if before else []
    if cells["certificate_no"]:
        entry = {
            "kind": cells["certificate_kind"], "number": cells["certificate_no"],
            "issuer": cells["certificate_issuer"], "issued_on": cells["certificate_date"],
        }  # fmt: skip
        same = [one for one in certificates if (one["kind"], one["number"]) == (entry["kind"], entry["number"])]
        certificates = [one for one in certificates if one not in same] + [entry]
    inspection = _kept_inspection(before)
    if cells["inspection_report_no"]:
        inspection = {
            "passed": _verdict(cells["inspection_passed"]), "report_no": cells["inspection_report_no"],
            "body": cells["inspection_body"], "inspected_on": cells["inspection_date"],
        }  # fmt: skip
    return {
        "gtin": cells["gtin"], "lot": cells["lot"], "producer_uscc": uscc,
        "production_date": cells["production_date"], "expiry_date": cells["expiry_date"] or None,
        "quantity": cells["quantity"], "uom": cells["uom"] or "EA", "certificates": certificates,
        "inspection": inspection,
    }  # fmt: skip


_POINTERS: Mapping[str, str] = {
    "inspection/passed": "inspection_passed", "inspection/report_no": "inspection_report_no",
    "inspection/body": "inspection_body", "inspection/inspected_on": "inspection_date",
}  # fmt: skip
_CERTIFICATE = {
    "kind": "certificate_kind", "number": "certificate_no", "issuer": "certificate_issuer",
    "issued_on": "certificate_date",
}  # fmt: skip


def require_possible_day(production_date: object, today: date) -> None:
    """Goods are not made tomorrow, nor in a year with a digit missing; other texts are left to the catalog's check.

    Raises `InputError`.
    """
    try:
        made = date.fromisoformat(str(production_date))
    except ValueError:
        return
    if not today - OLDEST <= made <= today:
        raise InputError("goods cannot be made on that day", where="/production_date", remedy="not after today")


def column_of(pointer: str) -> str:
    """The column that a JSON pointer of the body speaks of, e.g. `/inspection/body` → `inspection_body`."""
    path = pointer.strip("/")
    if path.startswith("certificates/"):
        return _CERTIFICATE.get(path.rsplit("/", 1)[-1], "certificate_no")
    return _POINTERS.get(path, path if path in COLUMNS else COLUMNS[0])


def certificate_entry(one: Certificate) -> dict[str, str]:
    """A certificate as the body of a batch has it."""
    return {"kind": one.kind, "number": one.number, "issuer": one.issuer, "issued_on": one.issued_on.isoformat()}


def _kept_inspection(before: Batch | None) -> dict[str, object] | None:
    if before is None or before.inspection is None:
        return None
    kept = before.inspection
    return {
        "passed": kept.passed, "report_no": kept.report_no, "body": kept.body,
        "inspected_on": kept.inspected_on.isoformat(),
    }  # fmt: skip


def _verdict(text: str) -> bool:
    if text.lower() in _YES | _NO:
        return text.lower() in _YES
    raise InputError("the verdict is neither yes nor no", where="/inspection/passed", remedy="合格 / 不合格")


def _decoded(content: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InputError("the file is neither UTF-8 nor GB 18030", where="file", remedy="save it as CSV UTF-8")
