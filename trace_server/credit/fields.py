"""The fields of an administrative penalty (行政处罚, "双公示" data standard of 2018), once, as data.

Validation, the API schema, the exchange feed and the documentation are all driven by `FIELDS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FieldKind(StrEnum):
    """How the text of a field is read and written."""

    TEXT = "text"
    CHOICE = "choice"
    USCC = "uscc"
    PENALTIES = "penalties"
    """Several penalty kinds joined by `;`."""
    AMOUNT = "amount"
    """万元 (10,000 yuan) with up to six decimals: 2,000 yuan is `0.2`."""
    DATE = "date"
    """`YYYY/MM/DD`; `2099/12/31` means long-term."""


class Need(StrEnum):
    """When a field has to be given; the predicates are in `rules.py`."""

    ALWAYS = "always"
    NEVER = "never"
    UNLESS_PERSON = "unless-person"
    PERSON = "person"
    LEGAL_PERSON = "legal-person"
    TRADER_WITHOUT_CODE = "trader-without-code"
    FINE = "fine"
    CONFISCATION = "confiscation"
    LICENCE = "licence"


SUBJECT_KINDS = ("法人及非法人组织", "自然人", "个体工商户")
LEGAL_PERSON, PERSON, TRADER = SUBJECT_KINDS
DOCUMENT_KINDS = (
    "身份证",
    "护照",
    "港澳居民来往内地通行证",
    "台湾居民来往大陆通行证",
    "外国人永久居留身份证",
)
CODE_UNKNOWN = "00000000000000000X"
"""Stands in 双公示 files for "no unified social credit code assigned"; never a key."""
AMOUNT_DECIMALS = 6
AMOUNT_DIGITS = 18
LONG_TERM = "2099/12/31"


@dataclass(frozen=True, slots=True)
class Field:
    """One column: official code, Chinese and English name, attribute of `PenaltyDecision`, and its rules."""

    code: str
    chinese: str
    english: str
    attribute: str
    kind: FieldKind
    length: int
    """Most characters the text may have; for an amount the most digits."""
    need: Need
    choices: tuple[str, ...] = ()
    sealed: bool = False
    """An identity document: kept apart, in no feed and on no page."""
    aliases: tuple[str, ...] = ()
    """Older codes for the same column that a sender may still use."""


_T, _C, _D = FieldKind.TEXT, FieldKind.CHOICE, FieldKind.DATE
_ALWAYS, _NEVER = Need.ALWAYS, Need.NEVER

FIELDS: tuple[Field, ...] = (
    Field("CF_XDR_MC", "行政相对人名称", "Name of the party", "subject_name", _T, 200, _ALWAYS),
    Field("CF_XDR_LB", "行政相对人类别", "Kind of party", "subject_kind", _C, 16, _ALWAYS, SUBJECT_KINDS),
    Field(
        "CF_XDR_SHXYM", "统一社会信用代码", "Unified social credit code", "uscc", FieldKind.USCC, 18, Need.UNLESS_PERSON
    ),
    Field(
        "CF_XDR_GSZC",
        "工商注册号",
        "Business registration number",
        "business_registration_no",
        _T,
        50,
        Need.TRADER_WITHOUT_CODE,
    ),
    Field("CF_XDR_ZZJG", "组织机构代码", "Organisation code", "organisation_code", _T, 9, _NEVER),
    Field("CF_XDR_SWDJ", "税务登记号", "Tax registration number", "tax_registration_no", _T, 15, _NEVER),
    Field("CF_XDR_SYDW", "事业单位证书号", "Public institution certificate number", "institution_no", _T, 12, _NEVER),
    Field("CF_XDR_SHZZ", "社会组织登记证号", "Social organisation number", "social_organisation_no", _T, 50, _NEVER),
    Field("CF_FRDB", "法定代表人", "Legal representative", "legal_representative", _T, 50, Need.LEGAL_PERSON),
    Field(
        "CF_FR_ZJLX",
        "法定代表人证件类型",
        "Representative's document kind",
        "representative_document_kind",
        _C,
        64,
        _NEVER,
        DOCUMENT_KINDS,
        sealed=True,
    ),
    Field(
        "CF_FR_ZJHM",
        "法定代表人证件号码",
        "Representative's document number",
        "representative_document_no",
        _T,
        64,
        _NEVER,
        sealed=True,
        aliases=("CF_FR_SFZH",),
    ),
    Field(
        "CF_XDR_ZJLX",
        "自然人证件类型",
        "Person's document kind",
        "person_document_kind",
        _C,
        64,
        Need.PERSON,
        DOCUMENT_KINDS,
        sealed=True,
    ),
    Field(
        "CF_XDR_ZJHM",
        "自然人证件号码",
        "Person's document number",
        "person_document_no",
        _T,
        64,
        Need.PERSON,
        sealed=True,
    ),
    Field("CF_WSH", "行政处罚决定书文号", "Decision number", "decision_no", _T, 128, _ALWAYS),
    Field("CF_WFXW", "违法行为类型", "Kind of violation", "violation_kind", _T, 2000, _ALWAYS),
    Field("CF_SY", "违法事实", "Facts of the violation", "facts", _T, 5000, _ALWAYS),
    Field("CF_YJ", "处罚依据", "Legal basis", "legal_basis", _T, 2048, _ALWAYS),
    Field("CF_CFLB", "处罚类别", "Kinds of penalty", "penalty_kinds", FieldKind.PENALTIES, 255, _ALWAYS),
    Field("CF_NR", "处罚内容", "Content of the penalty", "penalty_content", _T, 4000, _ALWAYS),
    Field("CF_NR_FK", "罚款金额(万元)", "Fine (10,000 yuan)", "fine_wan", FieldKind.AMOUNT, AMOUNT_DIGITS, Need.FINE),
    Field(
        "CF_NR_WFFF",
        "没收违法所得、没收非法财物的金额(万元)",
        "Confiscated amount (10,000 yuan)",
        "confiscated_wan",
        FieldKind.AMOUNT,
        AMOUNT_DIGITS,
        Need.CONFISCATION,
    ),
    Field(
        "CF_NR_ZKDX",
        "暂扣或吊销证照名称及编号",
        "Licence suspended or revoked",
        "licence_affected",
        _T,
        200,
        Need.LICENCE,
    ),
    Field("CF_JDRQ", "处罚决定日期", "Date of the decision", "decided_on", _D, 10, _ALWAYS),
    Field("CF_YXQ", "处罚有效期", "Penalty valid until", "valid_until", _D, 10, _ALWAYS),
    Field("CF_GSJZQ", "公示截止期", "Shown to the public until", "public_until", _D, 10, _NEVER),
    Field("CF_CFJG", "处罚机关", "Penalising authority", "authority_name", _T, 200, _ALWAYS),
    Field("CF_CFJGDM", "处罚机关统一社会信用代码", "Authority code", "authority_code", FieldKind.USCC, 18, _ALWAYS),
    Field("CF_SJLY", "数据来源单位", "Source unit", "source_name", _T, 200, _ALWAYS),
    Field("CF_SJLYDM", "数据来源单位统一社会信用代码", "Source unit code", "source_code", FieldKind.USCC, 18, _ALWAYS),
    Field("BZ", "备注", "Remarks", "remarks", _T, 4000, _NEVER),
)

BY_NAME: dict[str, Field] = {name: field for field in FIELDS for name in (field.code, field.attribute, *field.aliases)}
"""Every spelling a sender may use: official code, attribute, older code."""
SEALED: tuple[Field, ...] = tuple(field for field in FIELDS if field.sealed)
OPEN: tuple[Field, ...] = tuple(field for field in FIELDS if not field.sealed)
