"""The block list on the box: read at start, replaced as a whole, never by an older one."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from gateway_agent.answering import BlockList, parse_block_list
from trace_core.errors import EventError, Refused

log = logging.getLogger(__name__)


class BlockListFile:
    """`block_list.json` in the state folder. `current` is swapped in one assignment, so readers need no lock."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.current: BlockList | None = None
        if path.is_file():
            try:
                self.current = parse_block_list(path.read_bytes())
            except EventError as error:
                # Answers say that there is no list; the next acknowledgement fetches a good one.
                log.error("%s is unusable: %s", path, error)  # noqa: TRY400 - said in one line

    @property
    def version(self) -> int:
        return self.current.version if self.current else 0

    def replace(self, data: bytes) -> None:
        """Check, store durably, then use. Raises `EventError` or `Refused` (an older version: a rollback)."""
        new = parse_block_list(data)
        if self.current is not None and new.version < self.current.version:
            raise Refused(f"block list {new.version} is older than ours ({self.current.version})", where="block_list")
        write_durably(self._path, data)
        self.current = new


def write_durably(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Replace the file so that after a power cut either the old or the new content is there, complete."""
    draft = path.with_name(path.name + ".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
