"""Words of the desk."""

from __future__ import annotations

from collections.abc import Mapping


def _(text: str) -> str:
    """Marks a text for the catalog; the frame translates it."""
    return text


FILTERS: Mapping[str, str] = {
    "all": _("全部"),
    "uninspected": _("没有检验结论"),
    "failed": _("检验不合格"),
    "recalled": _("已召回"),
    "expired": _("已过期"),
}
NEEDS: Mapping[str, str] = {
    "recall": _("召回通知，等待答复"),
    "repair": _("信用修复申请被退回，等待补正"),
    "licence_over": _("许可已到期"),
    "licence_soon": _("许可即将到期"),
    "uninspected": _("批次没有检验结论"),
}
OBSTACLES: Mapping[str, str] = {
    "certificate": _("缺少必须随货的证明。"),
    "uninspected": _("还没有检验结论。"),
    "failed": _("检验不合格。"),
    "recalled": _("已被召回。"),
    "expired": _("已过到期日期。"),
}
UNITS: Mapping[str, str] = {
    "EA": _("件"),
    "KGM": _("千克"),
    "GRM": _("克"),
    "TNE": _("吨"),
    "LTR": _("升"),
    "MLT": _("毫升"),
}
"""UN/CEFACT Rec. 20 codes that the form offers."""
RECORD_STATES: Mapping[str, str] = {
    "confirmed": _("已作出决定，尚未公示"),
    "published": _("公示中"),
    "unpublished": _("不予公示"),
    "suspended": _("暂停公示"),
    "repaired": _("已修复"),
    "expired": _("公示期满"),
    "withdrawn": _("已撤销"),
}
REPAIR_STATES: Mapping[str, str] = {
    "submitted": _("已提交"),
    "returned": _("退回补正"),
    "accepted": _("已受理"),
    "granted": _("准予修复"),
    "refused": _("不予修复"),
}
LICENCE_STATES: Mapping[str, str] = {
    "valid": _("有效许可"),
    "suspended": _("暂停"),
    "revoked": _("吊销"),
    "cancelled": _("注销"),
}
RANGE_STATES: Mapping[str, str] = {
    "requested": _("等待核准"),
    "granted": _("已核准"),
    "refused": _("未核准"),
    "revoked": _("已收回"),
}
WRONG_RANGES: Mapping[str, str] = {
    "first": _("序列号由相同的字母开头、末尾是数字，例如 A0001。"),
    "last": _("最后一个序列号与第一个的开头相同，且不小于它，例如 A9999。"),
    "quota": _("填写 1 至号段总数之间的整数。"),
    "purpose": _("写明用途，最多 1000 个字。"),
    "overlap": _("其中有些序列号已在别的号段里，请换一段。"),
}
"""Field of the request → what to write there."""
FIELDS: Mapping[str, str] = {
    "gtin": _("商品条码"),
    "lot": _("批号"),
    "production_date": _("生产日期"),
    "expiry_date": _("到期日期"),
    "quantity": _("数量"),
    "uom": _("单位"),
    "certificate_kind": _("证明种类"),
    "certificate_no": _("证明编号"),
    "certificate_issuer": _("证明出具单位"),
    "certificate_date": _("证明日期"),
    "inspection_passed": _("检验结论"),
    "inspection_report_no": _("检验报告编号"),
    "inspection_body": _("检验单位"),
    "inspection_date": _("检验日期"),
}
"""Columns of an import file; the form has the same fields."""
WRONG_FIELDS: Mapping[str, str] = {
    "gtin": _("商品条码为 8 至 14 位数字，最后一位是校验位；只能登记本企业的产品。"),
    "lot": _("批号为 1 至 20 个字母、数字或常用符号，不含空格和汉字。"),
    "production_date": _("生产日期写成 2026-11-24。"),
    "expiry_date": _("到期日期写成 2026-11-24，不早于生产日期；没有保质期的留空。"),
    "quantity": _("数量为大于 0 的数，例如 4800 或 12.5。"),
    "uom": _("单位为 1 至 8 个字符的代码，例如 EA（件）、KGM（千克）。"),
    "certificate_kind": _("填写证明种类的代码，例如 food.factory_inspection。"),
    "certificate_no": _("填写证明编号，最多 64 个字。"),
    "certificate_issuer": _("填写证明的出具单位，最多 200 个字。"),
    "certificate_date": _("证明日期写成 2026-11-24。"),
    "inspection_passed": _("检验结论写“合格”或“不合格”。"),
    "inspection_report_no": _("填写检验报告编号，最多 64 个字。"),
    "inspection_body": _("填写检验单位，最多 200 个字；本企业自检的写本企业名称。"),
    "inspection_date": _("检验日期写成 2026-11-24。"),
}
"""Column → what to write there, whatever was wrong."""
SENTENCES: Mapping[str, str] = {
    "the product is not one of yours": _("本企业没有登记这个商品条码。新产品请先报市场监管部门登记。"),
    "the batch is not one of yours": _("本企业没有登记这个批次。"),
    "another producer registered this batch": _("这个批号已由其他企业登记，请换一个批号。"),
    "the lot is in the file twice": _("同一批次在文件中出现了两次，只保留一行。"),
    "the batch expires before it was made": _("到期日期早于生产日期，请核对。"),
    "goods cannot be made on that day": _("生产日期不能晚于今天，也不能早于一百年前，请核对年份。"),
    "something stands against the release": _("还不能放行，原因见“出厂放行”一栏。"),
    "the batch is released already": _("这个批次已经放行。"),
    "the batch is recalled": _("这个批次已召回，不能再签发标签。"),
    "the batch is past its date": _("这个批次已过期，不能再签发标签。"),
    "1 to 240 labels at once": _("一次可签发 1 至 240 张；更多的请分几次签发。"),
    "the ranges do not hold so many": _("核准的号段余数不够，请减少张数，或者申请新的号段。"),
    "the headings are missing": _("文件第一行应为列名，至少有商品条码、批号、生产日期。请从模板开始填写。"),
    "the file is no CSV": _("这不是 CSV 文件。请在表格软件中另存为 CSV 后再上传。"),
    "the file has no rows": _("文件里没有批次。请选择已填写的文件。"),
    "the file is too large": _("文件超过 1 MB。请分成几个文件上传。"),
    "too many rows": _("文件超过 500 行。请分成几个文件上传。"),
    "the file is neither UTF-8 nor GB 18030": _("无法识别文件的文字编码。请另存为“CSV UTF-8”后再上传。"),
    "a client needs a name": _("请给接口账号起一个名称，例如“仓库系统”。"),
    "the name is taken": _("本企业已有同名的接口账号，请换一个名称。"),
    "there is no such client": _("本企业没有这个接口账号。"),
    "the client is revoked": _("这个接口账号已停用。"),
    "1 to 4,096 characters are needed": _("请填写 1 至 4096 个字。"),
    "1 to 50 papers with their numbers are needed": _("请列出整改证明材料的文号，每行一份，1 至 50 份。"),
    "an application about this record is open": _("这条记录已有一份正在办理的申请。"),
    "whole numbers from 0 are needed": _("请填写 0 或更大的整数。"),
}
"""`TraceError.what` → sentence."""
