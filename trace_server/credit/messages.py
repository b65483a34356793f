"""What a wrong field is told, in Chinese and English, by stable code; used by the API, the commands and the docs."""

from __future__ import annotations

from trace_server.credit.fields import BY_NAME

MESSAGES: dict[str, tuple[str, str]] = {
    # code: (Chinese, English); {name} is the field in that language
    "missing": ("请填写“{name}”。", "Give “{name}”."),
    "unknown-field": ("没有名为“{field}”的字段。", "There is no field called “{field}”."),
    "given-twice": ("“{name}”给了两次，请只保留一个。", "“{name}” is given twice; keep one."),
    "not-text": ("“{name}”应为文本。", "“{name}” has to be text."),
    "control-character": ("“{name}”含有控制字符，请删除。", "“{name}” holds control characters; remove them."),
    "too-long": ("“{name}”最多 {length} 个字符。", "“{name}” may have at most {length} characters."),
    "not-a-choice": ("“{name}”应为以下之一：{choices}。", "“{name}” has to be one of: {choices}."),
    "bad-date": (
        "“{name}”的日期应写作 YYYY/MM/DD，例如 2026/04/01。",
        "Write the date of “{name}” as YYYY/MM/DD, like 2026/04/01.",
    ),
    "in-the-future": ("“{name}”不能晚于今天。", "“{name}” cannot be later than today."),
    "before-decision": ("“{name}”不能早于处罚决定日期。", "“{name}” cannot be earlier than the date of the decision."),
    "bad-amount": (
        "“{name}”以万元计，最多 12 位整数和 6 位小数，例如 0.2 表示 2000 元。",
        "Give “{name}” in 10,000 yuan with at most 12 digits and 6 decimals: 0.2 is 2,000 yuan.",
    ),
    "bad-code": (
        "“{name}”不是统一社会信用代码：应为 18 位且校验码正确。",
        "“{name}” is not a unified social credit code: 18 characters with a right check character.",
    ),
    "code-unknown": (
        "“{name}”不能用“未赋码”代替；只有登记了工商注册号的个体工商户可以。",
        "“{name}” cannot be the “not assigned” code; only individual traders with a registration number may use it.",
    ),
    "unknown-penalty": (
        "处罚类别“{kind}”不在 2018 年双公示或行政处罚法第九条的列表中；其他类别写作“其他-说明”。",
        "The penalty “{kind}” is in neither list; write other kinds as “其他-” and a text.",
    ),
    "identity-in-text": (
        "“{name}”中含有证件号码，公示文本不能出现，请删除。",
        "“{name}” holds the number of an identity document, which no open text may show; remove it.",
    ),
    "not-an-object": ("“{name}”应为 JSON 对象。", "“{name}” has to be a JSON object."),
    "not-a-list": ("“{name}”应为文本列表。", "“{name}” has to be a list of texts."),
    "bad-batch": (
        "“{value}”不是批次的 GS1 Digital Link（含 01 和 10）。",
        "“{value}” is not the GS1 Digital Link of a lot (with 01 and 10).",
    ),
    "too-many": ("“{name}”最多 {length} 项。", "“{name}” may have at most {length} entries."),
}


def message(code: str, params: dict[str, str], language: str) -> str:
    """The sentence for a code; `language` is `zh` or `en` (anything else is read as Chinese)."""
    chinese, english = MESSAGES[code]
    template = english if language.startswith("en") else chinese
    field = BY_NAME.get(params.get("field", ""))
    name = params.get("field", "")
    if field is not None:
        name = field.english if language.startswith("en") else field.chinese
    return template.format(**{**params, "name": name})
