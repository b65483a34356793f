"""A gateway without a reader, as a process that a fault may hit: commits events, sends them, says what is durable.

`python -m tests.fault.writer STATE_FOLDER SERVER_URL GATEWAY_ID SEED COMMITS`: the number of an event is its place in
the outbox, so whatever was not committed comes again. Prints the last number after each commit, and `error NAME` for
each refusal. Ends after COMMITS commits, or when it is killed.
"""

from __future__ import annotations

import random
import sqlite3
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from gateway_agent.blocklist import BlockListFile
from gateway_agent.clock import ClockJudge
from gateway_agent.config import ServerConfig
from gateway_agent.identity import make_or_load_key
from gateway_agent.links.opening import open_link
from gateway_agent.outbox import Commit, Outbox, OutboxFull, open_outbox
from gateway_agent.outbox_schema import Level, Quota
from gateway_agent.uplink import Sender
from tests.fault.event_body import body

T = TypeVar("T")
BOOT = "boot-a"
QUOTA = Quota(50_000, 500)


def main(words: list[str]) -> int:
    folder, url, gateway_id, seed, commits = Path(words[0]), words[1], words[2], int(words[3]), int(words[4])
    dice = random.Random(seed)
    outbox = _insisting(lambda: open_outbox(folder / "outbox.sqlite", QUOTA))
    sender = _sender(folder, url, gateway_id, outbox) if url != "-" else None
    done = 0
    while done < commits:
        try:
            if outbox.level() is Level.FULL and sender is not None:
                sender.step()
                continue
        except (sqlite3.Error, OutboxFull) as error:
            _refused(error)
        count = dice.randint(1, 12)
        first = outbox.last_seq + 1
        bodies = [body(gateway_id, number, outbox.epoch, number) for number in range(first, first + count)]
        try:
            outbox.commit(Commit(wall=datetime.now(UTC), boot_id=BOOT, bodies=bodies))
        except (sqlite3.Error, OutboxFull) as error:
            _refused(error)
            continue
        done += 1
        _say(str(outbox.last_seq))
        if sender is not None and dice.random() < 0.3:
            try:
                sender.step()
            except (sqlite3.Error, OutboxFull) as error:
                _refused(error)
    return 0


def _say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def _refused(error: Exception) -> None:
    _say(f"error {getattr(error, 'sqlite_errorname', type(error).__name__)}")


def _insisting(attempt: Callable[[], T]) -> T:
    """As a supervisor would: the disk may refuse now and then."""
    while True:
        try:
            return attempt()
        except (sqlite3.Error, OutboxFull) as error:
            _refused(error)
            time.sleep(0.05)


def _sender(folder: Path, url: str, gateway_id: str, outbox: Outbox) -> Sender:
    config = ServerConfig(url, "", timeout_s=4.0, first_connect_spread_s=0.0, slow_retry_s=0.05)

    def call(run: Callable[[Outbox], T]) -> T:
        return run(outbox)

    return Sender(
        folder / "outbox.sqlite",
        call,
        link=open_link(config, gateway_id),
        signer=make_or_load_key(folder.parent / gateway_id),
        config=config,
        judge=ClockJudge(lambda: True),
        block_list=BlockListFile(folder / "block_list.json"),
        boot_id=BOOT,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
