"""What the screens say, in both languages: verdicts, reasons with what to do, states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

Text: TypeAlias = tuple[str, str]
"""Chinese, English."""
LANGUAGES = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why, and what the operator does now."""

    why: Text
    do: Text


VERDICTS: Mapping[str, Text] = {
    "allow": ("放行", "ALLOW"),
    "warn": ("注意", "WARN"),
    "refuse": ("禁止", "REFUSE"),
    "": ("等待", "WAITING"),
}
ICONS: Mapping[str, str] = {"allow": "✓", "warn": "!", "refuse": "✕", "": ""}

_HOLD: Text = ("扣下货物，通知监管人员。", "Hold the goods and call the supervisor.")
_NO_FILL: Text = ("不得充装，单独存放。", "Do not fill. Set it apart.")
_RECORD: Text = ("可以通过，请记录并报告。", "It may pass. Note it and report it.")

REASONS: Mapping[str, Reason] = {
    "not-listed": Reason(("名单中没有此货物", "Not on the list"), ("可以通过。", "It may pass.")),
    "recalled": Reason(("已召回", "Recalled"), _HOLD),
    "expired": Reason(("已过期", "Expired"), _HOLD),
    "no-list": Reason(
        ("本机没有名单", "This box has no list"), ("检查网络和名单密钥。", "Check network and list key.")
    ),
    "list-stale": Reason(
        ("名单过旧", "The list is old"), ("人工核对后通过，检查网络。", "Check by hand; check the network.")
    ),
    "unknown-tag": Reason(("标签无法识别", "Unknown tag"), _RECORD),
    "tid-mismatch": Reason(("编码与芯片不符，疑似克隆", "Code and chip do not match: a copy?"), _HOLD),
    "scrapped": Reason(("已报废", "Scrapped"), ("不得使用，移交处理。", "Do not use it. Hand it over.")),
    "overdue": Reason(
        ("超期未检", "Inspection overdue"), ("不得使用，送检。", "Do not use it. Send it to inspection.")
    ),
    "out-of-service": Reason(("已停用", "Out of service"), ("不得使用。", "Do not use it.")),
    "unknown-cylinder": Reason(("未登记气瓶", "Cylinder not registered"), _NO_FILL),
    "foreign": Reason(("非本站气瓶", "Not this station's cylinder"), _NO_FILL),
    "wrong-medium": Reason(("介质不符", "Wrong medium"), _NO_FILL),
    "overfilled": Reason(
        ("充装过量", "Overfilled"),
        ("立即停止，按规程泄放，不得出站。", "Stop. Bleed it off by the rules; it must not leave."),
    ),
    "no-pre-check": Reason(("未做充装前检查", "No check before filling"), ("先检查，再充装。", "Check it first.")),
    "pre-check-failed": Reason(("充装前检查不合格", "Check before filling failed"), _NO_FILL),
    "post-check-failed": Reason(
        ("充装后检查不合格", "Check after filling failed"), ("不得出站。", "It must not leave.")
    ),
    "refused-act": Reason(
        ("禁止后仍然操作", "Done in spite of a refusal"), ("立即停止，通知监管人员。", "Stop now. Call the supervisor.")
    ),
}

LABELS: Mapping[str, Text] = {
    "title": ("网关状态", "Gateway status"),
    "waiting": ("等待读取标签", "Waiting for a tag"),
    "ago": ("{n} 秒前", "{n} s ago"),
    "reads": ("最近 20 次读取", "Last 20 reads"),
    "time": ("时间", "Time"),
    "answer": ("答复", "Answer"),
    "reason": ("原因", "Reason"),
    "code": ("编码", "Code"),
    "place": ("读取点", "Read point"),
    "state": ("运行情况", "State"),
    "unsent": ("待发送事件", "Unsent events"),
    "oldest": ("最早一条", "Oldest of them"),
    "hours": ("存储还可用", "Storage lasts"),
    "list": ("名单", "Block list"),
    "clock": ("时钟", "Clock"),
    "server": ("服务器", "Server"),
    "settings": ("设置", "Settings"),
    "settings_version": ("服务器下发，第 {n} 版", "version {n} from the server"),
    "settings_file": ("本机文件", "this box's file"),
    "settings_tried": ("第 {n} 版{result}：{why}", "version {n} {result}: {why}"),
    "rolled_back": ("已回退", "rolled back"),
    "reader": ("读写器 {reader}", "Reader {reader}"),
    "counts": ("读取 / 事件 / 抑制 / 过弱 / 偶发", "Reads / events / repeated / weak / stray"),
    "error": ("最近的问题", "Last problem"),
    "none": ("无", "none"),
    "running": ("运行中", "running"),
    "stopped": ("已停止", "stopped"),
    "synchronised": ("已同步", "synchronised"),
    "unsure": ("不可靠，自 {since}", "unsure since {since}"),
    "no_list": ("没有", "none"),
    "version": ("第 {version} 版，{age}前", "version {version}, {age} old"),
    "hours_left": ("约 {n} 小时", "about {n} h"),
    "unknown": ("尚不知道", "not known yet"),
    "online": ("正常", "online"),
    "retrying": ("重试中", "retrying"),
    "refused": ("被拒绝", "refused"),
    "starting": ("启动中", "starting"),
    "silent": ("无应答", "silent"),
    "fault": ("故障", "fault"),
    "data_loss": ("有丢失", "lost reads"),
    "other": ("English", "中文"),
}


def say(name: str, language: str, **words: object) -> str:
    """The label in `language`. An unknown name is shown as it is: better than nothing at a gate."""
    text = LABELS.get(name)
    return text[LANGUAGES.index(language)].format(**words) if text else name


def pick(text: Text, language: str) -> str:
    return text[LANGUAGES.index(language)]


def reason(name: str) -> Reason:
    """A reason that this version does not know comes from a newer list: shown as it is, with the general advice."""
    return REASONS.get(
        name, Reason((name, name), ("按规定处理，通知监管人员。", "Follow the rules; call the supervisor."))
    )


def duration(seconds: float, language: str) -> str:
    """One unit, rounded down: what a person reads at a glance."""
    for size, zh, en in ((86_400, "天", "d"), (3_600, "小时", "h"), (60, "分钟", "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {zh if language == 'zh' else en}"
    return f"{int(max(0.0, seconds))} {'秒' if language == 'zh' else 's'}"
