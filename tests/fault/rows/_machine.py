"""Disks and networks of a test's own: loop-mounted images, small memory disks, a network namespace with a filter."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CLONE_NEWNET = 0x4000_0000
"""unshare(2), setns(2)."""


def run(*words: str) -> None:
    """A command that must succeed. Raises `RuntimeError` with its words."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    program = shutil.which(words[0], path=path)
    if program is None:
        raise RuntimeError(f"no {words[0]}: run `make deps`")
    done = subprocess.run([program, *words[1:]], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"`{' '.join(words)}` failed, this row needs it: {done.stderr.strip()}")


def make_ext4(image: Path, size_bytes: int) -> None:
    """An empty file system in a file, with a journal, as an SD card has."""
    with image.open("wb") as file:
        file.truncate(size_bytes)
    run("mkfs.ext4", "-q", "-m", "0", str(image))


@contextmanager
def mounted(folder: Path, *words: str) -> Iterator[Path]:
    """`mount words folder`, unmounted at the end whatever happened."""
    folder.mkdir(parents=True, exist_ok=True)
    run("mount", *words, str(folder))
    try:
        yield folder
    finally:
        run("umount", str(folder))


@contextmanager
def network_namespace() -> Iterator[None]:
    """This thread, and whatever it starts, has a loopback of its own until the block ends."""
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        if libc.unshare(CLONE_NEWNET) != 0:
            raise RuntimeError(f"no network namespace, this row needs it: {os.strerror(ctypes.get_errno())}")
        try:
            run("ip", "link", "set", "lo", "up")
            yield
        finally:
            if libc.setns(home, CLONE_NEWNET) != 0:
                raise RuntimeError(f"cannot leave the namespace: {os.strerror(ctypes.get_errno())}")
    finally:
        os.close(home)


def filter_rules(*rules: str) -> None:
    """Replace what the packet filter of this namespace does to what arrives; no rules: everything passes."""
    lines = "\n".join(rules)
    text = f"flush ruleset\ntable inet line {{ chain arriving {{ type filter hook input priority 0;\n{lines}\n}}\n}}\n"
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    nft = shutil.which("nft", path=path)
    if nft is None:
        raise RuntimeError("no nft: run `make deps`")
    done = subprocess.run([nft, "-f", "-"], input=text, capture_output=True, text=True, timeout=30, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"nft failed, this row needs it: {done.stderr.strip()}")
