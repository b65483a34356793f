"""Words for what a rule declares and computes: parameters, values of an alert, grounds. Key → (Chinese, English)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from trace_server.detect.detector import Detector

RULE_WORDS: Mapping[str, tuple[str, str]] = {
    "affected": ("涉及数量", "Items affected"),
    "apart_km": ("相距（千米）", "Distance apart (km)"),
    "as_of": ("登记信息截至", "Register as of"),
    "asked": ("查询者数", "Callers that asked"),
    "basis": ("期限依据", "Basis of the period"),
    "callers": ("每日查询者上限", "Limit of callers a day"),
    "cause": ("通知原因", "Cause of the notice"),
    "coldest_c": ("可信最低温度（℃）", "Coldest credible value (°C)"),
    "day": ("日期", "Day"),
    "days": ("期限（天）", "Period (days)"),
    "delivery_s": ("传输时间宽限（秒）", "Allowance for delivery (s)"),
    "device_code": ("设备代码", "Equipment code"),
    "done_at": ("完成时间", "Done at"),
    "door_max_min": ("开门扣除上限（分钟）", "Open door deducted at most (min)"),
    "due_at": ("期限届满", "Due at"),
    "ended_at": ("下架时间", "Listing ended at"),
    "expiry_date": ("保质期最后一日", "Last day of shelf life"),
    "fault": ("问题类型", "Kind of fault"),
    "first": ("首个对象", "First object"),
    "food_min": ("食品和其他货物超温时限（分钟）", "Time out of range, food and other goods (min)"),
    "grace_days": ("宽限（天）", "Grace (days)"),
    "grace_h": ("宽限（小时）", "Grace (h)"),
    "grace_min": ("宽限（分钟）", "Grace (min)"),
    "grace_s": ("宽限（秒）", "Grace (s)"),
    "gtin": ("商品条码（GTIN）", "Product code (GTIN)"),
    "heartbeat_s": ("心跳间隔（秒）", "Heartbeat interval (s)"),
    "in_use_on": ("首次使用日期", "First day of use"),
    "indication": ("地理标志编号", "Number of the indication"),
    "inspection_due": ("检验到期日", "Inspection due on"),
    "intervals": ("允许的记录间隔数", "Recording intervals allowed"),
    "kinetic_readings": ("计算动力学平均温度的最少读数", "Fewest readings for a mean kinetic temperature"),
    "last_cargoes": ("最近装载的货物", "Last cargoes"),
    "last_heartbeat": ("最后一次心跳", "Last heartbeat"),
    "last_maintenance": ("上次维保日期", "Last maintenance"),
    "limit": ("数量上限", "Limit"),
    "limit_kg": ("充装量上限（千克）", "Filling limit (kg)"),
    "limit_s": ("失联时限（秒）", "Limit of silence (s)"),
    "listing": ("商品链接编号", "Listing number"),
    "listings": ("商品链接数", "Listings"),
    "lot": ("批号", "Lot"),
    "made": ("产出数量", "Quantity made"),
    "made_kg": ("产出（千克）", "Made (kg)"),
    "mark": ("标识", "Mark"),
    "max_km": ("最大距离（千米）", "Greatest distance (km)"),
    "max_kmh": ("最高车速（千米/小时）", "Highest speed (km/h)"),
    "max_percent": ("允许差额（%）", "Shortfall allowed (%)"),
    "max_skew_s": ("允许时钟偏差（秒）", "Clock error allowed (s)"),
    "medicine_min": ("药品和疫苗超温时限（分钟）", "Time out of range, medicines and vaccines (min)"),
    "medium": ("充装介质", "Medium"),
    "milestone": ("召回环节", "Milestone of the recall"),
    "min_bits": ("TID 最短长度（比特）", "Shortest TID (bits)"),
    "min_km": ("最短距离（千米）", "Shortest distance (km)"),
    "min_reads": ("缺失读取的最少次数", "Fewest lost reads"),
    "missed": ("允许缺失的心跳次数", "Heartbeats that may be missed"),
    "missing": ("缺少的证明", "Missing documents"),
    "name": ("名称", "Name"),
    "notice_ends": ("通知宽限截止", "Grace of the notice ends"),
    "notice_no": ("通知文号", "Number of the notice"),
    "owner": ("产权或使用单位", "Owner or user"),
    "platform": ("平台", "Platform"),
    "post_h": ("充装后检查时限（小时）", "Time for the check after filling (h)"),
    "pre_h": ("充装前检查有效时间（小时）", "Check before filling holds for (h)"),
    "recall": ("召回编号", "Recall"),
    "register": ("登记来源", "Source of the register's entry"),
    "registered": ("登记的日期", "Date in the register"),
    "renewal_days": ("许可证延续宽限（天）", "Grace for renewal of a licence (days)"),
    "sales_after": ("期限后售出数量", "Sold after the deadline"),
    "same_act_s": ("同一行为的时间间隔（秒）", "One act within (s)"),
    "same_cargo_cleaning": ("连续装同种货物须清洗（1 是，0 否）", "Cleaning between loads of one cargo (1 yes, 0 no)"),
    "scrap_on": ("报废日期", "Scrapped on"),
    "seller": ("卖家", "Seller"),
    "shortfall_percent": ("差额（%）", "Shortfall (%)"),
    "site": ("网关所在场所", "Site of the gateway"),
    "slack_s": ("时间宽限（秒）", "Slack (s)"),
    "store_min": ("储存中记录间隔（分钟）", "Recording interval in store (min)"),
    "tank": ("罐车", "Tank"),
    "together_min": ("同一次充装的时间间隔（分钟）", "One filling within (min)"),
    "tolerance_days": ("允许天数", "Tolerance (days)"),
    "tolerance_km": ("距离允差（千米）", "Tolerance (km)"),
    "tolerance_pct": ("允差（%）", "Tolerance (%)"),
    "tolerance_percent": ("允差（%）", "Tolerance (%)"),
    "transit_min": ("运输中记录间隔（分钟）", "Recording interval in transit (min)"),
    "unanswered": ("未答复单位数", "Holders without an answer"),
    "uom": ("计量单位", "Unit"),
    "url": ("网址", "Address"),
    "used": ("使用数量", "Quantity used"),
    "used_kg": ("投料（千克）", "Used (kg)"),
    "wait_h": ("等待补报（小时）", "Wait for late uploads (h)"),
    "warmest_c": ("可信最高温度（℃）", "Warmest credible value (°C)"),
    "window_days": ("上市前时段（天）", "Window before the season (days)"),
    "year": ("年度", "Year"),
    "yield": ("出品率规则", "Yield rule"),
}
_DEFAULT = "default, the office may change it"
_DEFAULT_ZH = "系统默认值，主管部门可以调整"
_OTHER_ZH = "按技术或运行要求取值"
_GROUNDS = {
    "operations": "运行管理要求",
    "a code may be sold once": "一个码只能售出一次",
    "the legal basis of each measure": "各项措施自身的法律依据",
    "seasons in the register of indications, dated": "地理标志登记中按年度公布的上市期",
}
_ITEM = re.compile(r"art\. (\d+) \((\d+)\)")
_ARTICLES = re.compile(r"art\. (\d+(?:, \d+)*)")
_HAN = re.compile(r"[\u4e00-\u9fff]")


def rule_word(key: str, language: str) -> str:
    """What a parameter or a value is called; the key itself of one that a retired rule left behind."""
    zh, en = RULE_WORDS.get(key, (key, key))
    return en if language == "en" else zh


def guard(rule: Detector, language: str) -> str:
    """What keeps the rule from false alarms."""
    return rule.guard if language == "en" else rule.guard_zh


def ground(basis: str, language: str) -> str:
    """The basis of a rule. In Chinese: its citations, and what else of it has words."""
    if language == "en":
        return basis
    parts = (_GROUNDS.get(part) or _citation(part) for part in basis.split("; "))
    return "；".join(part for part in parts if part)


def param_ground(rule: Detector | None, key: str, language: str) -> str:
    """The basis of a threshold; "" of a value that is none."""
    found = next((one.basis for one in rule.params if one.name == key), "") if rule is not None else ""
    if language == "en" or not found:
        return found
    cited = _citation(found.partition(": ")[0])
    return _DEFAULT_ZH if _DEFAULT in found else cited or _OTHER_ZH


def _citation(text: str) -> str:
    """A law's name with its articles as Chinese writes them; "" of a text that names no law."""
    if not _HAN.search(text):
        return ""
    text = _ITEM.sub(r"第\1条第\2项", text.partition(" (2025")[0])
    text = _ARTICLES.sub(lambda found: f"第{found[1].replace(', ', '、')}条", text)
    return text.replace(" 第", "第").replace(", 第", "、第").replace(",第", "、第")
