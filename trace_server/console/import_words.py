"""Words of the desk of imports."""

from __future__ import annotations

from collections.abc import Mapping


def _(text: str) -> str:
    """Marks a text for the catalog; the pages translate it."""
    return text


RUN_STATES: Mapping[str, str] = {
    "queued": _("处理中"),
    "done": _("已完成"),
    "discarded": _("已放弃错误行"),
}
FEED_STATES: Mapping[str, str] = {
    "on_time": _("按时"),
    "late": _("逾期"),
    "never": _("从未报送"),
    "own": _("本系统产生"),
}
PUBLICITY: Mapping[str, str] = {
    "public": _("社会公开"),
    "authorised": _("授权查询"),
    "internal": _("内部共享"),
    "sealed": _("封存"),
}
CATEGORY_NAMES: Mapping[str, str] = {
    "food": _("食品"),
    "drug": _("药品"),
    "special_equipment": _("特种设备"),
    "agricultural": _("农产品"),
    "consumer": _("日用消费品"),
    "gi": _("地理标志"),
}
SENTENCES: Mapping[str, str] = {
    "the version of the template has to be said": _("请选择模板版本：2016 版和 2018 版同名的代码列含义不同。"),
    "there is no such version": _("没有这个模板版本。"),
    "there is no such kind of table": _("请选择数据种类。"),
    "say which unit the table comes from": _("请填写数据来源单位。"),
    "this category does not fit": _("请选择产品类别；只有行政处罚需要。"),
    "the template has no such headings": _("模板中没有这些表头："),
    "columns are there twice": _("这些列重复："),
    "columns of the template are missing": _("缺少这些列："),
    "the table has no rows": _("表格没有数据行。"),
    "the first row has to hold a heading for every column": _("第一行应为表头，每列都要有。"),
    "the text is neither UTF-8 nor GB 18030": _("文件编码既不是 UTF-8 也不是 GB18030。"),
    "this is no workbook that can be read": _("不是可读取的工作簿，请另存为 XLSX 或 CSV。"),
    "the workbook would be too large once unpacked": _("工作簿解压后过大，请拆分，或改用 CSV。"),
    "the workbook defines entities": _("工作簿含有不允许的内容，请另存为 XLSX 或 CSV。"),
    "choose a file": _("请选择文件。"),
}
CANNOT_READ = _("文件不能读取：")
