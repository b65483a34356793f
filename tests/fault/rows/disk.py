"""What a disk does: loses its power, becomes full, reports errors."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from gateway_agent.outbox import open_existing
from tests.fault.rows._base import Bench, Outcome, Row, judge, total
from tests.fault.rows._gate import Gate, gate
from tests.fault.rows._machine import make_ext4, mounted
from tests.fault.writer import QUOTA
from tests.gateway.process import until
from tests.gateway.uplink_rig import Premises
from trace_core.uplink import ZERO_DIGEST, chain
from trace_server.ingest import backups

IMAGE_BYTES = 24 * 1_048_576
SMALL = 4 * 1_048_576
RESUME_LIMIT_S = 10.0
PIECE = 4_096
GATE = "gate-1"


def power_cuts(bench: Bench) -> Outcome:
    """The state folder is on an ext4 image behind a loop device. The writer is stopped between two system calls, and
    the image is copied: what the kernel had not yet written is not in the copy. The copy becomes the disk.
    """
    cuts = bench.repeats(4, 200)
    image, copy, disk = bench.folder / "disk.img", bench.folder / "copy.img", bench.folder / "disk"
    said: list[int] = []
    complaints: list[str] = []
    unsaid = 0
    make_ext4(image, IMAGE_BYTES)
    with bench.premises() as place:
        place.start("http")
        own = place.open_gate(GATE, "http")
        for number in range(cuts):
            with (
                mounted(disk, "-o", "loop", str(image)),
                _writer(disk, place, bench.dice.randrange(2**32), 10**9, bench.folder) as writer,
            ):
                until(lambda: len(_numbers(bench.folder)) > 3, "the writer commits", limit_s=30)
                time.sleep(bench.dice.uniform(0.0, 0.5))
                _stop(writer)
                shutil.copyfile(image, copy)
                told = _numbers(bench.folder)
                said += told
            copy.replace(image)
            with mounted(disk, "-o", "loop", str(image)):
                wrong, last = _inspect(disk / "outbox.sqlite")
                if wrong or last < max(told):
                    complaints.append(f"cut {number}: {wrong or f'said {max(told)}, kept {last}'}")
                unsaid += max(0, last - max(told))
            # Sent rows may go from the box only when they are in a backup: without one a long run fills it.
            backups.confirm(place.db, datetime.now(UTC), "test", None)
        with mounted(disk, "-o", "loop", str(image)):
            return _deliver(place, own.id, disk, said, cuts, complaints, f"{unsaid} kept though not yet said")


def io_errors(bench: Bench) -> Outcome:
    """libfiu refuses or shortens writes and syncs at random; the writer tries again."""
    outcomes = []
    errors: Counter[str] = Counter()
    chances = ("0.01", "0.02", "0.05") if bench.is_long else ("0.02",)
    with bench.premises() as place:
        place.start("http")
        for chance in chances:
            gateway_id, folder = f"gate-{chance[2:]}", bench.folder / f"disk-{chance}"
            folder.mkdir()
            own = place.open_gate(gateway_id, "http")
            seed = bench.dice.randrange(2**32)
            commits = bench.repeats(300, 100_000 // len(chances) + 1)
            names = ("posix/io/rw/pwrite", "posix/io/sync/fsync", "posix/io/sync/fdatasync", "posix/io/oc/truncate")
            words = [w for name in names for w in ("-c", f"enable_random name={name},probability={chance}")]
            with _writer(
                folder, place, seed, commits, bench.folder, ["fiu-run", "-x", *words], gateway_id=gateway_id
            ) as writer:
                code = writer.wait(3600)
            lines = _told(bench.folder)
            errors.update(line.split()[1] for line in lines if line.startswith("error"))
            said = [int(line) for line in lines if line.isdigit()]
            complaints = [] if code == 0 else [f"p = {chance}: the writer ended with {code}"]
            wrong, last = _inspect(folder / "outbox.sqlite")
            if wrong or last < max(said):
                complaints.append(f"p = {chance}: {wrong or f'said {max(said)}, kept {last}'}")
            outcomes.append(_deliver(place, own.id, folder, said, commits, complaints, ""))
    if not errors:
        outcomes.append(Outcome(1, complaints=("libfiu made no error at all",)))
    return total(outcomes, "refused: " + ", ".join(f"{times} {name}" for name, times in sorted(errors.items())))


def _deliver(
    place: Premises, gateway_id: str, folder: Path, said: Sequence[int], runs: int, complaints: list[str], remark: str
) -> Outcome:
    """What the disk still holds goes to the server; then the server's tables are counted."""
    outbox = open_existing(folder / "outbox.sqlite", QUOTA)
    signer = next(one for one in place.gates if one.id == gateway_id).signer
    one = place.gate(gateway_id, "http", folder, outbox, signer)
    one.drain(120)
    emitted = range(1, outbox.last_seq + 1)
    held: Counter[object] = Counter(place.held(gateway_id))
    outbox.close()
    one.link.close()
    return judge(runs, emitted, said, held, complaints=complaints, remark=remark)


class _Writer(subprocess.Popen[bytes]):
    """Killed at the end of the block."""

    def __exit__(self, *_: object) -> None:
        if self.poll() is None:
            self.kill()
        self.wait(20)


def _writer(
    disk: Path,
    place: Premises,
    seed: int,
    commits: int,
    folder: Path,
    prefix: Sequence[str] = (),
    gateway_id: str = GATE,
) -> _Writer:
    url = f"http://127.0.0.1:{place.port}"
    words = [*prefix, sys.executable, "-m", "tests.fault.writer", str(disk), url, gateway_id, str(seed), str(commits)]
    with (folder / "said").open("wb") as said, (folder / "writer.log").open("ab") as log:
        return _Writer(words, stdout=said, stderr=log, start_new_session=True)


def _told(folder: Path) -> list[str]:
    return [line.decode() for line in (folder / "said").read_bytes().split(b"\n")[:-1]]


def _numbers(folder: Path) -> list[int]:
    return [int(line) for line in _told(folder) if line.isdigit()]


def _stop(writer: subprocess.Popen[bytes]) -> None:
    """SIGSTOP, and wait until the kernel says that it stands."""
    writer.send_signal(signal.SIGSTOP)
    status = Path(f"/proc/{writer.pid}/stat")
    until(lambda: status.read_text().rpartition(")")[2].split()[0] == "T", "the writer stands")


def _inspect(path: Path) -> tuple[str, int]:
    """(what is wrong, the last number) of an outbox that was cut off."""
    try:
        with closing(open_existing(path, QUOTA)) as outbox:
            last = outbox.last_seq
        with closing(sqlite3.connect(path)) as db:
            verdict = db.execute("PRAGMA integrity_check").fetchone()[0]
            digest, floor = db.execute("SELECT floor_digest, floor_seq FROM meta").fetchone()
            for seq, text, expected in db.execute("SELECT seq, body, digest FROM event ORDER BY seq"):
                digest, floor = chain(digest or ZERO_DIGEST, (text,)), floor + 1
                if (seq, expected) != (floor, digest):
                    return f"the chain breaks at {seq}", last
    except sqlite3.DatabaseError as error:
        return str(error), 0
    return ("" if verdict == "ok" else str(verdict)), last


def disk_full(bench: Bench) -> Outcome:
    """Disks of 4 MiB: filled to the last byte by somebody else's file, again and again."""
    outcomes = []
    slowest = 0.0
    with bench.premises() as place:
        place.start("http")
        for kind in ("tmpfs", "ext4"):
            disk = bench.folder / f"small-{kind}"
            image = bench.folder / "small.img"
            words = ["-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs"] if kind == "tmpfs" else ["-o", "loop", str(image)]
            make_ext4(image, SMALL)
            with mounted(disk, *words), gate(place, f"full-{kind}", bench.dice.randrange(2**32)) as one:
                _move_state(one, disk)
                one.gateway.start_and_wait()
                one.serve(20)
                fills = bench.repeats(2, 20)
                for _ in range(fills):
                    slowest = max(slowest, _fill(one, disk))
                outcomes.append(one.finish(fills))
    return total(outcomes, f"took reads again at most {slowest:.1f} s after there was space")


def _move_state(one: Gate, disk: Path) -> None:
    """The state folder onto the small disk; the answers stay outside, they are the judge's."""
    for file in one.gateway.state.iterdir():
        shutil.copy(file, disk / file.name)
    shutil.rmtree(one.gateway.state)
    one.gateway.state.symlink_to(disk)


def _fill(one: Gate, disk: Path) -> float:
    """Somebody else's file takes all there is. Returns how long reading took to resume after it went, in seconds."""
    full = one.gateway.log().count("outbox: full")
    ballast = disk / "ballast"
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(PIECE))  # until "no space left on device"

    def is_full() -> bool:
        one.work()
        return one.gateway.log().count("outbox: full") > full

    until(is_full, "the gateway says that it is full", limit_s=30)
    one.work_for(0.3)
    if not one.gateway.running():
        one.complaints.append("a full disk ended the gateway")
    ballast.unlink()
    return one.serve(RESUME_LIMIT_S)


ROWS = (
    Row("power-cut", "gateway", "power cut, image of an ext4 copied", power_cuts, needs_root=True),
    Row("disk-full", "gateway", "disk full, 4 MiB tmpfs and ext4", disk_full, needs_root=True),
    Row("io-errors", "gateway", "I/O errors of write and sync (libfiu)", io_errors),
)
