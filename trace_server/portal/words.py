"""Words for stable names. Marked here for translation, looked up by the templates in the language of the page."""

from __future__ import annotations

from collections.abc import Mapping

from trace_server.catalog.model import LicenceState, SubjectStatus
from trace_server.portal.model import Reason, Verdict


def _(text: str) -> str:
    """Marks a text for the catalog; `rendering` translates it."""
    return text


VERDICTS: Mapping[str, str] = {
    Verdict.NORMAL: _("正常"),
    Verdict.NOTICE: _("提示"),
    Verdict.RECALL: _("停售·召回"),
    Verdict.SUSPECT: _("疑似假冒"),
    Verdict.UNKNOWN: _("无此码"),
    Verdict.UNAVAILABLE: _("暂无法查询"),
}
SUBJECT_STATUS: Mapping[str, str] = {
    SubjectStatus.ACTIVE: _("存续"),
    SubjectStatus.ABNORMAL: _("经营异常"),
    SubjectStatus.REVOKED: _("已吊销"),
    SubjectStatus.CLOSED: _("已注销"),
}
LICENCE_STATE: Mapping[str, str] = {
    LicenceState.VALID: _("有效"),
    LicenceState.SUSPENDED: _("暂扣"),
    LicenceState.REVOKED: _("已吊销"),
    LicenceState.CANCELLED: _("已注销"),
}
PRODUCT_FIELDS: Mapping[str, str] = {
    "ingredients": _("原料"),
    "standard": _("执行标准"),
    "storage": _("贮存条件"),
    "origin": _("产地"),
    "approval_no": _("批准文号"),
}
RECALL_LEVELS: Mapping[int, str] = {
    1: _("一级（严重）"),
    2: _("二级（一般）"),
    3: _("三级（轻微）"),
}
EQUIPMENT: Mapping[str, str] = {
    Reason.SCRAPPED: _("这台设备已报废：不得使用、不得充装，发现仍在使用请拨打 12315。"),
    Reason.OVERDUE: _("检验已超期：不得使用、不得充装，请使用单位送检。"),
    Reason.OUT_OF_SERVICE: _("这台设备已停用：不得使用。"),
    Reason.DUE_SOON: _("检验即将到期，使用单位应当在到期前一个月申报检验。"),
    Reason.UNREGISTERED: _("没有查到这台设备的使用登记。使用前请向使用单位核实。"),
    Reason.EQUIPMENT_FINE: _("设备已登记，检验在有效期内。请核对铭牌与下列信息是否一致。"),
}
STEPS: Mapping[str, str] = {
    "commissioning": _("赋码"),
    "creating_class_instance": _("生产"),
    "transforming": _("加工"),
    "packing": _("装箱"),
    "unpacking": _("拆箱"),
    "shipping": _("发货"),
    "departing": _("发运"),
    "arriving": _("到达"),
    "receiving": _("收货"),
    "accepting": _("验收"),
    "loading": _("装车"),
    "unloading": _("卸货"),
    "storing": _("入库"),
    "stocking": _("上架"),
    "picking": _("拣货"),
    "inspecting": _("检查"),
    "sampling": _("抽样"),
    "retail_selling": _("售出"),
    "dispensing": _("发药"),
    "repackaging": _("分装"),
    "returning": _("退回"),
    "holding": _("暂存待查"),
    "destroying": _("销毁"),
    "decommissioning": _("注销编码"),
    "entering_exiting": _("进出"),
    "transporting": _("运输"),
}
OTHER_STEP = _("过点记录")
MADE = _("加工")
MESSAGES: Mapping[str, str] = {
    "unknown": _("没有查到这个编码。先核对一遍；若核对无误，暂勿使用，向销售者核实。"),
    "malformed": _("这不是完整的商品编码。完整的编码有 (01)、(10)、(21) 三段和一个校验码。"),
    "unavailable": _("查询服务暂时中断，请几分钟后再试。这不表示商品是假的。"),
    "busy": _("查询过于频繁，请一分钟后再试。这不表示商品是假的。"),
}
MALFORMED_TITLE = _("编码不完整")
PROBLEMS: Mapping[int, tuple[str, str]] = {
    400: (_("请求读不懂"), _("地址或表单内容不完整。回到首页重新输入。")),
    403: (_("没有权限"), _("这一页不对外公开。")),
    404: (_("没有这一页"), _("地址可能写错了。要查商品，请回到首页输入编码。")),
    405: (_("不支持这种操作"), _("请从首页重新开始。")),
    413: (_("内容太大"), _("提交的内容超过上限，没有保存。")),
    429: (_("请求过于频繁"), _("请一分钟后再试。")),
    500: (_("服务器出错"), _("错误已记录，没有保存任何内容。请稍后再试。")),
    503: (_("暂时无法提供服务"), _("请几分钟后再试。")),
}
