"""Rows of an import document → values, and what may refer to what. Values in, values or a refusal out.

The document is one JSON object with the lists `subjects, licences, products, batches, places`; unknown members are
refused, because a misspelt field that is silently dropped comes back as a missing certificate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from trace_core.errors import InputError, TooLarge, TraceError
from trace_core.ids import canonical, gs1, uscc
from trace_server.catalog.model import (
    Batch,
    CatalogDocument,
    Certificate,
    Inspection,
    Licence,
    LicenceState,
    Origin,
    Place,
    Product,
    Recall,
    RowError,
    Subject,
    SubjectKind,
    SubjectStatus,
)

MAX_ROWS = 100_000
"""Rows of one list in one document: about 60 MB of JSON, a few seconds of one transaction."""
MAX_CELSIUS = 200
"""Degrees that goods are stored at: from liquid nitrogen to hot bitumen."""
MAX_CERTIFICATES = 50
"""Certificates of one batch; the longest real list (imported chilled food) has nine."""

_Row = TypeVar("_Row")


class Fields:
    """Reads one JSON object member by member and remembers which were asked for."""

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, Mapping):
            raise InputError("an object is expected", where=where)
        self._value = value
        self._where = where
        self._seen: set[str] = set()

    def _get(self, name: str) -> object:
        self._seen.add(name)
        return self._value.get(name)

    def at(self, name: str) -> str:
        return f"{self._where}/{name}"

    def text(self, name: str, limit: int, *, required: bool = True) -> str:
        value = self._get(name)
        if value is None and not required:
            return ""
        if not isinstance(value, str) or (required and not value.strip()):
            raise InputError("a text that is not empty is expected", where=self.at(name))
        if len(value) > limit:
            raise TooLarge(f"{len(value)} characters", where=self.at(name), remedy=f"at most {limit}")
        if not value.isprintable():
            raise InputError("control and formatting characters are not allowed", where=self.at(name))
        return value.strip()

    def day(self, name: str) -> date:
        value = self._get(name)
        if not isinstance(value, str):
            raise InputError("a date is expected", where=self.at(name), remedy="write 2026-11-24")
        try:
            return date.fromisoformat(value)
        except ValueError as error:
            raise InputError(f"{value[:32]!r} is no date", where=self.at(name), remedy="write 2026-11-24") from error

    def optional_day(self, name: str) -> date | None:
        return None if self._get(name) is None else self.day(name)

    def whole(self, name: str, low: int, high: int) -> int:
        value = self._get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise InputError(f"a whole number from {low} to {high} is expected", where=self.at(name))
        return value

    def optional_degrees(self, name: str, limit: int) -> float | None:
        """Of an angle or of temperature."""
        value = self._get(name)
        if value is None:
            return None
        if not isinstance(value, int | float) or isinstance(value, bool) or not -limit <= value <= limit:
            raise InputError(f"degrees from -{limit} to {limit} are expected", where=self.at(name))
        return float(value)

    def flag(self, name: str) -> bool:
        value = self._get(name)
        if not isinstance(value, bool):
            raise InputError("true or false is expected", where=self.at(name))
        return value

    def quantity(self, name: str) -> str:
        text = self.text(name, 32)
        try:
            amount = Decimal(text)
        except InvalidOperation as error:
            raise InputError(f"{text!r} is no decimal number", where=self.at(name)) from error
        if not amount.is_finite() or amount <= 0:
            raise InputError("the quantity must be above 0", where=self.at(name))
        return text

    def code(self, name: str, check: Callable[[str], str]) -> str:
        text = self.text(name, 64)
        try:
            return check(text)
        except TraceError as error:
            raise InputError(error.what, where=self.at(name), remedy=error.remedy) from error

    def items(self, name: str, limit: int) -> Sequence[object]:
        value = self._get(name)
        if value is None:
            return ()
        if not isinstance(value, list):
            raise InputError("a list is expected", where=self.at(name))
        if len(value) > limit:
            raise TooLarge(f"{len(value)} entries", where=self.at(name), remedy=f"at most {limit}")
        return value

    def child(self, name: str) -> Fields | None:
        value = self._get(name)
        return None if value is None else Fields(value, self.at(name))

    def end(self) -> None:
        """Refuse members that nobody asked for."""
        for name in self._value:
            if name not in self._seen:
                raise InputError(f"unknown member {str(name)[:64]!r}", where=self.at(str(name)[:64]))


def subject_code(text: str) -> str:
    """A checked 统一社会信用代码."""
    return uscc.parse(text).code


def subject(fields: Fields) -> Subject:
    """One row of `subjects`."""
    return Subject(
        uscc=fields.code("uscc", subject_code),
        name=fields.text("name", 200),
        name_en=fields.text("name_en", 200, required=False),
        kind=_choice(fields, "kind", SubjectKind),
        region=fields.text("region", 12),
        status=_choice(fields, "status", SubjectStatus),
        source=fields.text("source", 200),
        as_of=fields.day("as_of"),
    )


def licence(fields: Fields) -> Licence:
    """One row of `licences`."""
    row = Licence(
        uscc=fields.code("uscc", subject_code),
        number=fields.text("number", 64),
        title=fields.text("title", 64),
        title_en=fields.text("title_en", 128, required=False),
        authority=fields.text("authority", 200),
        valid_from=fields.day("valid_from"),
        valid_to=fields.day("valid_to"),
        state=_choice(fields, "state", LicenceState),
        source=fields.text("source", 200),
        as_of=fields.day("as_of"),
    )
    if row.valid_to < row.valid_from:
        raise InputError("the licence ends before it begins", where=fields.at("valid_to"))
    return row


def product(fields: Fields, categories: frozenset[str]) -> Product:
    """One row of `products`; `categories` are the names of the known profiles."""
    category = fields.text("category", 32)
    if category not in categories:
        raise InputError(
            f"unknown category {category!r}",
            where=fields.at("category"),
            remedy=f"one of {', '.join(sorted(categories))}",
        )
    coldest, warmest = (fields.optional_degrees(f"storage_{end}_c", MAX_CELSIUS) for end in ("min", "max"))
    if coldest is not None and warmest is not None and warmest < coldest:
        raise InputError("the range of temperature ends before it begins", where=fields.at("storage_max_c"))
    return Product(
        gtin=fields.code("gtin", gs1.gtin),
        name=fields.text("name", 200),
        name_en=fields.text("name_en", 200, required=False),
        category=category,
        spec=fields.text("spec", 200),
        spec_en=fields.text("spec_en", 200, required=False),
        producer_uscc=fields.code("producer_uscc", subject_code),
        ingredients=fields.text("ingredients", 1000, required=False),
        ingredients_en=fields.text("ingredients_en", 1000, required=False),
        standard=fields.text("standard", 200, required=False),
        storage=fields.text("storage", 200, required=False),
        storage_en=fields.text("storage_en", 200, required=False),
        origin=fields.text("origin", 200, required=False),
        origin_en=fields.text("origin_en", 200, required=False),
        approval_no=fields.text("approval_no", 64, required=False),
        source=fields.text("source", 200),
        as_of=fields.day("as_of"),
        storage_min_c=coldest,
        storage_max_c=warmest,
    )


def batch(fields: Fields) -> Batch:
    """One row of `batches`, also the body of `POST /api/v1/batches`."""
    row = Batch(
        gtin=fields.code("gtin", gs1.gtin),
        lot=fields.code("lot", gs1.lot),
        producer_uscc=fields.code("producer_uscc", subject_code),
        production_date=fields.day("production_date"),
        expiry_date=fields.optional_day("expiry_date"),
        quantity=fields.quantity("quantity"),
        uom=fields.text("uom", 8),
        certificates=tuple(
            _certificate(Fields(entry, f"{fields.at('certificates')}/{index}"))
            for index, entry in enumerate(fields.items("certificates", MAX_CERTIFICATES))
        ),
        inspection=_inspection(fields.child("inspection")),
        recall=_recall(fields.child("recall")),
        source=fields.text("source", 200),
        as_of=fields.day("as_of"),
    )
    if row.expiry_date is not None and row.expiry_date < row.production_date:
        raise InputError("the batch expires before it was made", where=fields.at("expiry_date"))
    return row


SELF_DECLARED = "生产者自行填报"


def declared_batch(value: Mapping[str, object], today: date) -> Batch:
    """A batch that its producer posts: its own statement of today. Raises `InputError` with a JSON pointer."""
    inspection = value.get("inspection")
    whole = {**value, "source": SELF_DECLARED, "as_of": today.isoformat()}
    if isinstance(inspection, Mapping):
        whole["inspection"] = {**inspection, "origin": Origin.DECLARED.value}
    return batch(Fields(whole, ""))


def merged(before: Batch | None, after: Batch) -> Batch:
    """What a producer posts over what is stored: recalls and official inspections are not the producer's to change.

    A repeat keeps the date of the first statement, so that it is a repeat.
    """
    if before is None:
        return after
    inspection = after.inspection
    if before.inspection is not None and before.inspection.origin is Origin.OFFICIAL:
        inspection = before.inspection
    row = replace(after, recall=before.recall, inspection=inspection)
    same = replace(row, source=before.source, as_of=before.as_of)
    return same if same == before else row


def place(fields: Fields) -> Place:
    """One row of `places`."""
    latitude, longitude = fields.optional_degrees("latitude", 90), fields.optional_degrees("longitude", 180)
    if (latitude is None) != (longitude is None):
        raise InputError("one of latitude and longitude is missing", where=fields.at("latitude"))
    return Place(
        uri=canonical.canonical_uri(fields.text("uri", 256)),
        name=fields.text("name", 200),
        name_en=fields.text("name_en", 200, required=False),
        city=fields.text("city", 64),
        city_en=fields.text("city_en", 64, required=False),
        operator_uscc=fields.code("operator_uscc", subject_code),
        latitude=latitude,
        longitude=longitude,
    )


def document(value: object, categories: frozenset[str]) -> CatalogDocument:
    """Parse a whole import document. Bad rows become errors with their pointer; the others are kept.

    Raises `InputError` only when the document as a whole is no such document.
    """
    fields = Fields(value, "")
    errors: list[RowError] = []
    parsed = CatalogDocument(
        subjects=tuple(_rows(fields, "subjects", subject, errors)),
        licences=tuple(_rows(fields, "licences", licence, errors)),
        products=tuple(_rows(fields, "products", lambda row: product(row, categories), errors)),
        batches=tuple(_rows(fields, "batches", batch, errors)),
        places=tuple(_rows(fields, "places", place, errors)),
        errors=tuple(errors),
    )
    fields.end()
    return CatalogDocument(
        parsed.subjects, parsed.licences, parsed.products, parsed.batches, parsed.places, tuple(errors)
    )


def _rows(
    fields: Fields, name: str, parse: Callable[[Fields], _Row], errors: list[RowError]
) -> Iterator[tuple[str, _Row]]:
    for index, entry in enumerate(fields.items(name, MAX_ROWS)):
        pointer = f"/{name}/{index}"
        try:
            row = Fields(entry, pointer)
            value = parse(row)
            row.end()
        except InputError as error:
            sentence = f"{error.what} ({error.remedy})" if error.remedy else error.what
            errors.append(RowError(error.where or pointer, error.code, sentence))
            continue
        yield pointer, value


_Enum = TypeVar("_Enum", SubjectKind, SubjectStatus, LicenceState, Origin)


def _choice(fields: Fields, name: str, kind: type[_Enum]) -> _Enum:
    text = fields.text(name, 32)
    try:
        return kind(text)
    except ValueError as error:
        known = ", ".join(member.value for member in kind)
        raise InputError(f"unknown value {text!r}", where=fields.at(name), remedy=f"one of {known}") from error


def _certificate(fields: Fields) -> Certificate:
    row = Certificate(
        kind=fields.text("kind", 64),
        number=fields.text("number", 64),
        issuer=fields.text("issuer", 200),
        issued_on=fields.day("issued_on"),
    )
    fields.end()
    return row


def _inspection(fields: Fields | None) -> Inspection | None:
    if fields is None:
        return None
    row = Inspection(
        passed=fields.flag("passed"),
        report_no=fields.text("report_no", 64),
        body=fields.text("body", 200),
        inspected_on=fields.day("inspected_on"),
        origin=_choice(fields, "origin", Origin),
    )
    fields.end()
    return row


def _recall(fields: Fields | None) -> Recall | None:
    if fields is None:
        return None
    row = Recall(
        level=fields.whole("level", 1, 3),
        notice_no=fields.text("notice_no", 64),
        authority=fields.text("authority", 200),
        announced_on=fields.day("announced_on"),
        reason=fields.text("reason", 1000),
        reason_en=fields.text("reason_en", 1000, required=False),
        action=fields.text("action", 1000),
        action_en=fields.text("action_en", 1000, required=False),
        return_to=fields.text("return_to", 500),
        return_to_en=fields.text("return_to_en", 500, required=False),
        phone=fields.text("phone", 32),
    )
    fields.end()
    return row
