"""Sentences of the operations in the words of the pages: what happened and how to mend it."""

from __future__ import annotations

from collections.abc import Mapping


def _(text: str) -> str:
    """Marks a text for the catalog; the pages translate it."""
    return text


SENTENCES: Mapping[str, str] = {
    "the name or the password is wrong": _("用户名或密码不对。请核对大小写后再试。"),
    "the code is wrong, used or expired": _("邀请码不对、已用过或已过期。请向管理员索取新的邀请码。"),
    "the code does not fit": _("验证码不对。请核对手机时间，等下一个验证码再试，每个验证码只能用一次。"),
    "too many wrong tries": _("错误次数过多，请 15 分钟后再试。"),
    "the password is too short": _("密码太短，至少 12 个字符。"),
    "the password is too long": _("密码太长，最多 128 个字符。"),
    "the password is easy to guess": _("密码容易被猜到。可以用几个互不相关的词连在一起。"),
    "the password is wrong": _("密码不对，请再输入一次。"),
}
"""`TraceError.what` → sentence; a test holds every sentence of `operations` and `rules` to it."""
