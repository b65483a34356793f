"""Labels to print: the QR of the signed Digital Link, the same code for people to read, and the official domain."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from html import escape
from typing import cast

import qrcode
from qrcode.constants import ERROR_CORRECT_M

from trace_server.portal.model import Code
from trace_server.portal.signature import CodeKeys, grouped

QUIET_MODULES = 4
"""White margin that ISO/IEC 18004 asks for."""
WIDTH_MM = 60
HEIGHT_MM = 30


def link(public_url: str, code: Code, keys: CodeKeys) -> str:
    """What the QR says: our address of the code with its signature. Raises `ConfigError` without a key."""
    return f"{public_url}{code.path}?s={keys.sign(code.uri)}"


def modules(text: str) -> list[list[bool]]:
    """QR modules with the quiet zone, level M: 15 % of the label may be damaged. True is dark."""
    symbol = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=QUIET_MODULES)
    symbol.add_data(text)
    symbol.make(fit=True)
    return cast("list[list[bool]]", symbol.get_matrix())


def png(text: str, *, scale: int = 8) -> bytes:
    """The QR as a PNG of one bit a pixel (PNG specification, third edition), `scale` pixels a module."""
    rows = []
    for row in modules(text):
        pixels = [not dark for dark in row for _ in range(scale)]
        pixels += [True] * (-len(pixels) % 8)
        packed = int("".join("1" if light else "0" for light in pixels), 2).to_bytes(len(pixels) // 8, "big")
        rows += [b"\x00" + packed] * scale
    size = len(modules(text)) * scale
    head = struct.pack(">IIBBBBB", size, size, 1, 0, 0, 0, 0)
    chunks = (b"IHDR", head), (b"IDAT", zlib.compress(b"".join(rows), 9)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def svg(code: Code, public_url: str, keys: CodeKeys) -> str:
    """One label of 60 × 30 mm: QR left, readable code, check code and official domain right."""
    signed = link(public_url, code, keys)
    signature = signed.rsplit("=", 1)[-1]
    domain = public_url.split("://", 1)[-1]
    lines = (
        ("扫码查询 Scan me", 2.6, "700"),
        (f"(01){code.gtin}", 2.2, "400"),
        (f"(10){code.lot}", 2.2, "400"),
        (f"(21){code.serial}", 2.2, "400"),
        ("校验码 Check code", 1.9, "400"),
        (grouped(signature), 2.4, "700"),
        ("官方网址 Official site", 1.9, "400"),
        (domain, 2.2, "700"),
    )
    drawn = modules(signed)
    texts, y = [], 4.6
    for line, size, weight in lines:
        # Long lots and domains are squeezed into the label rather than cut.
        squeeze = ' textLength="30" lengthAdjust="spacingAndGlyphs"' if _width(line) * size > 30 else ""
        texts.append(
            f'<text x="29" y="{y:.1f}" font-size="{size}" font-weight="{weight}"{squeeze}>{escape(line)}</text>'
        )
        y += size + 0.95
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH_MM}mm" height="{HEIGHT_MM}mm" '
        f'viewBox="0 0 {WIDTH_MM} {HEIGHT_MM}" role="img" aria-label="{escape(code.readable)}">'
        '<rect width="100%" height="100%" fill="#fff"/>'
        f'<path transform="translate(1 1) scale({28 / len(drawn):.5f})" d="{_outline(drawn)}"/>'
        f'<g font-family="system-ui, Noto Sans CJK SC, Microsoft YaHei, sans-serif">{"".join(texts)}</g></svg>'
    )


def sheet(labels: Sequence[str]) -> str:
    """An A4 page of labels, three in a row, to print from any browser."""
    style = (
        "@page{size:A4;margin:10mm}body{margin:0;display:grid;grid-template-columns:repeat(3,61mm);gap:2mm}"
        "svg{border:.2mm dashed #bbb;break-inside:avoid}"
    )
    return (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>标签 Labels</title>'
        f"<style>{style}</style></head><body>{''.join(labels)}</body></html>"
    )


def _width(line: str) -> float:
    """About how many ems a line takes: Chinese signs are square, the rest a little over half as wide."""
    return sum(1.0 if ord(sign) > 0x2E80 else 0.6 for sign in line)


def _outline(matrix: list[list[bool]]) -> str:
    runs = []
    for y, row in enumerate(matrix):
        x = 0
        while x < len(row):
            start = x
            while x < len(row) and row[x]:
                x += 1
            if x > start:
                runs.append(f"M{start} {y}h{x - start}v1h-{x - start}z")
            x += 1
    return "".join(runs)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
