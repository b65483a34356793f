"""Words for stable names, on the public's pages and at the desk; looked up in the language of the page."""

from __future__ import annotations

from collections.abc import Mapping


def _(text: str) -> str:
    """Marks a text for the catalog; the pages translate it."""
    return text


KINDS: Mapping[str, str] = {
    "report": _("举报"),
    "complaint": _("投诉"),
    "retaliation": _("打击报复"),
}
STATES: Mapping[str, str] = {
    "received": _("已收到"),
    "accepted": _("已受理"),
    "refused": _("不予受理"),
    "investigating": _("核查中"),
    "verified": _("查证属实"),
    "unfounded": _("未发现违法"),
    "mediated": _("调解结束"),
    "closed": _("已办结"),
}
EVENTS: Mapping[str, str] = {
    "accept": _("受理"),
    "refuse": _("不予受理"),
    "investigate": _("开始核查"),
    "verify": _("查证属实"),
    "unfound": _("未发现违法"),
    "mediate": _("结束调解"),
    "close": _("办结"),
    "extend": _("延长期限"),
    "answer": _("答复"),
    "note": _("内部记录"),
    "assign": _("转办"),
    "case": _("转为案件"),
    "message": _("补充说明"),
}
REWARD_STATES: Mapping[str, str] = {
    "assessed": _("待复核"),
    "approved": _("可以领取"),
    "refused": _("不予奖励"),
    "claimed": _("已领取"),
    "forfeited": _("逾期未领"),
}
EXCLUSIONS: Mapping[str, str] = {
    "duty": _("负有监管职责的工作人员"),
    "infringed_party": _("被侵权方"),
    "agent": _("被侵权方的代理人"),
    "offender": _("违法行为人（内部知情人除外）"),
    "not_a_natural_person": _("不是自然人"),
}
SENTENCES: Mapping[str, str] = {
    "choose what it is": _("请先选择要反映的是哪一类事情。"),
    "this is needed": _("这一项还没有填写。"),
    "write a little more": _("再写详细一些：至少十个字。"),
    "this is too long": _("内容太长，删去一部分再提交。"),
    "choose one of the places in the list": _("从列表中选择一个地区。"),
    "a complaint needs a name and a way to reach you": _("投诉需要姓名和联系方式，否则无法调解。"),
    "the photo is too large": _("照片太大：不超过 6 MB、5000 万像素。"),
    "this file is no photo": _("这个文件不是照片。可以上传 JPEG、PNG 或 WebP。"),
    "no report has this token": _("没有找到这个查询码。核对每一组字符，0 与 O、1 与 I 不区分。"),
    "wait for an answer before you write more": _("补充已经很多了，等收到答复后再写。"),
    "personal data cannot be sealed without its key": _("目前不能安全保存姓名，请改为匿名，或拨打 12315。"),
    "nothing was saved": _("刚才没有保存成功，文字还在下面，请再按一次。"),
    "somebody else changed it meanwhile": _("其他同事刚刚更新了这一件，请核对最新内容后再操作。"),
    "it is another department's": _("这一件由其他部门办理。"),
    "a second person decides": _("须由另一位同事决定。"),
    "it has a case already": _("已经转为案件。"),
    "nothing is left to extend": _("期限已经延长过，或没有可延长的期限。"),
    "this period cannot be extended": _("这个期限不能延长。"),
    "choose a class": _("请选择奖励等级。"),
    "no reward is given in this field": _("这一领域不在奖励范围内。"),
    "the rule excludes this reporter": _("按规定，这类举报人不予奖励。"),
    "the amount is not between 0 and 10^12 yuan": _("金额须为零或正整数（元）。"),
    "only an insider's reward may be raised": _("只有内部知情人的奖励可以提高。"),
    "a reward is for a verified report": _("查证属实的举报才有奖励。"),
    "the finance department's paper is needed": _("达到这一金额，须填写财政部门文号。"),
    "this is not the token of this report": _("这不是这一件的查询码。"),
    "the time to claim it is over": _("领取期限已过。"),
    "your request is open already": _("您的申请还在处理中。"),
    "only the person who asked may look": _("只有申请人本人可以查看。"),
    "the time to look is over": _("查看时间已过，需要时请重新申请。"),
}
"""`TraceError.what` → sentence."""
