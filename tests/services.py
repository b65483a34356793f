"""Real services for tests and benches: each on a free loopback port, in a temporary folder, ended by its own pid."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_LIMIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running PostgreSQL; `url(name)` is the SQLAlchemy URL of one of its databases."""

    port: int
    bin: Path
    user: str

    def url(self, database: str = "postgres") -> str:
        return f"postgresql+psycopg2://{self.user}@127.0.0.1:{self.port}/{database}"


@dataclass(frozen=True, slots=True)
class Broker:
    """A running mosquitto without persistence."""

    host: str
    port: int


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def postgres_bin() -> Path:
    """Folder of the newest PostgreSQL server binaries. Raises FileNotFoundError when there are none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    if on_path is None:
        raise FileNotFoundError("no PostgreSQL server: run `make deps`, or install Debian's postgresql")
    return Path(on_path).resolve().parent


@contextmanager
def start_postgres(folder: Path, *, durable: bool = False) -> Iterator[Postgres]:
    """Run a PostgreSQL in `folder`. `durable=False` trades fsync for speed: tests of logic need no disk."""
    binaries = postgres_bin()
    data = folder / "data"
    port = free_port()
    as_user = _unprivileged(folder)
    subprocess.run(
        [*as_user, binaries / "initdb", "-D", data, "-U", "suyuan", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"],
        check=True,
        stdout=subprocess.DEVNULL,
        cwd=folder,
    )
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": "",
        "max_connections": "100",
        "shared_buffers": "256MB",
        "fsync": "on" if durable else "off",
        "full_page_writes": "on" if durable else "off",
        "log_min_messages": "warning",
    }
    lines = [f"{name} = '{value}'" for name, value in settings.items()]
    with (data / "postgresql.conf").open("a") as conf:
        conf.write("\n".join(lines) + "\n")
    log = (folder / "postgres.log").open("wb")
    server = subprocess.Popen(
        [*as_user, binaries / "postgres", "-D", data], stdout=log, stderr=log, cwd=folder, start_new_session=True
    )
    try:
        _wait_for_port(port, server, folder / "postgres.log")
        _wait_for_ready(binaries, port, server)
        yield Postgres(port=port, bin=binaries, user="suyuan")
    finally:
        server.send_signal(signal.SIGINT)  # fast shutdown: drops clients, ends clean
        _stop(server)
        log.close()


@contextmanager
def start_mosquitto(folder: Path) -> Iterator[Broker]:
    """Run a mosquitto in `folder`, anonymous, on loopback only."""
    program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        raise FileNotFoundError("no mosquitto: run `make deps`, or install Debian's mosquitto")
    port = free_port()
    conf = folder / "mosquitto.conf"
    conf.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n"
        f"user {pwd.getpwuid(os.getuid()).pw_name}\nmax_queued_messages 0\n"
    )
    log = (folder / "mosquitto.log").open("wb")
    server = subprocess.Popen([program, "-c", str(conf)], stdout=log, stderr=log, start_new_session=True)
    try:
        _wait_for_port(port, server, folder / "mosquitto.log")
        yield Broker(host="127.0.0.1", port=port)
    finally:
        server.terminate()
        _stop(server)
        log.close()


def _unprivileged(folder: Path) -> list[str]:
    """PostgreSQL refuses to run as root: hand the folder to another account there."""
    if os.getuid() != 0:
        return []
    account = next((name for name in ("postgres", "nobody") if _exists(name)), None)
    if account is None:
        raise RuntimeError("running as root without a `postgres` or `nobody` account")
    shutil.chown(folder, user=account)
    for parent in folder.parents:  # the account must be able to walk down to it
        if parent == Path(tempfile.gettempdir()):
            break
        parent.chmod(parent.stat().st_mode | 0o011)
    return ["setpriv", f"--reuid={account}", f"--regid={pwd.getpwnam(account).pw_gid}", "--clear-groups", "--"]


def _exists(account: str) -> bool:
    try:
        pwd.getpwnam(account)
    except KeyError:
        return False
    return True


def _wait_for_port(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    limit = time.monotonic() + START_LIMIT_S
    while time.monotonic() < limit:
        if server.poll() is not None:
            raise RuntimeError(f"{server.args!r} ended with {server.returncode}:\n{log.read_text()[-2000:]}")
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"{server.args!r} did not listen on {port} within {START_LIMIT_S:.0f} s")


def _wait_for_ready(binaries: Path, port: int, server: subprocess.Popen[bytes]) -> None:
    limit = time.monotonic() + START_LIMIT_S
    while time.monotonic() < limit and server.poll() is None:
        ready = subprocess.run([binaries / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)], check=False)
        if ready.returncode == 0:
            return
        time.sleep(0.05)
    raise TimeoutError("PostgreSQL did not become ready")


def _stop(server: subprocess.Popen[bytes]) -> None:
    try:
        server.wait(timeout=15)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait(timeout=5)
