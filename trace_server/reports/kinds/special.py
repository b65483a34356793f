"""专用信用报告（无违法违规证明）: stands in for certificates of compliance; at least penalties, compulsory measures,
serious lists and crimes. What this server does not collect it says, instead of calling it "none"."""

from __future__ import annotations

from trace_server.reports import parts
from trace_server.reports.model import Content, Kind, Part, Source

_NOT_COLLECTED = "本平台未归集此类信息，不作有无的说明；请向作出机关查询。"


def _build(source: Source) -> Content:
    (facts,) = source.subjects
    clean = not facts.penalties and not any(one.list_id == "serious" for one in facts.memberships)
    said = (
        "截至出具时，本平台归集的公示期内行政处罚和严重违法失信名单中，没有该主体的记录。"
        if clean
        else "截至出具时，本平台归集的信息中有该主体的下列记录。"
    )
    made = (
        parts.basic(facts),
        Part("结论", ("项目", "内容"), (("有无记录", said),)),
        parts.penalties(facts),
        Part("行政强制", ("说明",), (), empty=_NOT_COLLECTED),
        parts.listed(facts, only=("serious",)),
        Part("刑事犯罪", ("说明",), (), empty=_NOT_COLLECTED),
        parts.objections(facts),
        parts.sources(facts),
    )
    return Content(made, parts.held(facts, "penalties", "lists"), "")


KIND = Kind("special", "专用信用报告（无违法违规证明）", _build)
