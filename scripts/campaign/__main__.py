"""`python scripts/torture.py`: rounds of clients and faults, each followed by a check.

Imports the other parts of the campaign.
"""

import argparse
import asyncio
import random
import secrets
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from campaign import fleet, history
from campaign.checker import TERMINAL, violations
from campaign.clients import Clients
from campaign.faults import FAULTS
from campaign.network import Unusable
from campaign.plan import write_plan
from campaign.record import Record
from campaign.rounds import Rounds
from campaign.server import DATABASE, Server
from campaign.settling import settle

DISK_MIB = 256
KILLS = ("kill_server", "kill_worker")
"""Each round has one of these."""


def main() -> None:
    """Run the campaign; exit code 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="scripts/torture.py", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="rounds (20)")
    parser.add_argument("--first", type=int, default=1, help="number of the first round (1)")
    parser.add_argument("--seconds", type=float, default=1.5, help="of clients per round (1.5)")
    parser.add_argument("--clients", type=int, default=8, help="at the same time (8)")
    parser.add_argument("--workers", type=int, default=2, help="worker processes (2)")
    parser.add_argument("--seed", type=int, help="does the same again, as far as it decides")
    parser.add_argument(
        "--fault", action="append", choices=[*FAULTS, *fleet.FAULTS], help="only this"
    )
    parser.add_argument("--fleet", action="store_true", help="several servers, on PostgreSQL")
    parser.add_argument("--servers", type=int, default=3, help="of a fleet (3)")
    parser.add_argument("--hosts", type=int, default=6, help="of a fleet, with workers only (6)")
    dispatchers = ("local", "procrastinate")
    parser.add_argument("--dispatcher", choices=dispatchers, default="local", help="of a fleet")
    parser.add_argument("--keep", action="store_true", help="leave the folder for a look at it")
    options = parser.parse_args()
    # Whoever ends it early gets the disk and the folder back, after a minute and a half at most.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    options.seed = secrets.randbelow(2**32) if options.seed is None else options.seed
    if options.fleet:
        sys.exit(_fleet(options))
    with _folder(keep=options.keep) as folder, _disk(folder / "disk") as has_end:
        faults = options.fault or [name for name in FAULTS if has_end or name != "fill_disk"]
        if not has_end:
            print("The disk is not filled: that needs root and a tmpfs.")
        print(f"seed {options.seed}, {options.rounds} rounds, folder {folder}", flush=True)
        campaign = Campaign(folder, options, faults)
        sys.exit(asyncio.run(campaign.run()))


def _fleet(options: argparse.Namespace) -> int:
    with _folder(keep=options.keep) as folder:
        print(f"seed {options.seed}, {options.rounds} rounds, folder {folder}", flush=True)
        try:
            return fleet.run_fleet(folder, options)
        except Unusable as error:
            print(f"There is no fleet: {error}")
            return 0


class Campaign:
    """One server with its clients and faults, for several rounds."""

    def __init__(self, folder: Path, options: argparse.Namespace, faults: list[str]) -> None:
        self._options = options
        self._faults = faults
        self._kills = [name for name in KILLS if name in faults] or faults
        self._ledger = folder / "ledger"
        self._record = Record()
        self._rounds = Rounds(options, self._record)
        write_plan(folder / "plans", self._ledger)
        flags = ["--workers", str(options.workers), "--shutdown-grace-sec", "0.5"]
        self._server = Server(folder, folder / "disk" / "data", flags)

    async def run(self) -> int:
        """All rounds, and the table; the exit code."""
        try:
            await asyncio.to_thread(self._server.start)
            with closing(sqlite3.connect(self._server.data / DATABASE, timeout=30)) as database:
                history.install(database)
            return await self._rounds.run(self._round)
        finally:
            self._server.kill()
            self._rounds.summarise(f"{self._server.starts} starts of the server")

    async def _round(self, number: int) -> list[str]:
        chance = random.Random(f"{self._options.seed}/{number}")  # noqa: S311 - not a secret
        clients = Clients(self._server.url, self._record, chance)
        names = [chance.choice(self._kills), *chance.choices(self._faults, k=chance.randint(0, 2))]
        chance.shuffle(names)
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            group.create_task(clients.act(self._options.clients, self._options.seconds))
            group.create_task(self._break(names, chance))
        await asyncio.to_thread(settle, self._server.url, self._left)
        database = self._server.data / DATABASE
        found = await asyncio.to_thread(violations, database, self._ledger, self._record)
        took = time.monotonic() - began
        print(f"{number:4} {took:5.1f} s {len(self._record.runs):6} runs  {', '.join(names)}")
        return found

    async def _break(self, names: list[str], chance: random.Random) -> None:
        for name in names:
            await asyncio.sleep(chance.uniform(0, self._options.seconds / len(names)))
            await FAULTS[name](self._server, chance)
            self._rounds.done[name] += 1
            if not self._server.runs:
                await asyncio.to_thread(self._server.start)

    def _left(self) -> int:
        marks = ", ".join("?" * len(TERMINAL))
        with closing(sqlite3.connect(self._server.data / DATABASE, timeout=30)) as database:
            (left,) = database.execute(
                f"SELECT count(*) FROM runs WHERE state NOT IN ({marks})",  # noqa: S608
                tuple(TERMINAL),
            ).fetchone()
        return int(left)


@contextmanager
def _folder(*, keep: bool) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="aura-torture-"))
    try:
        yield folder
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _disk(place: Path) -> Iterator[bool]:
    """A small file system at `place`, if we may make one; answers whether it is one."""
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", str(place)]
    try:
        is_mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        is_mounted = False
    try:
        yield is_mounted
    finally:
        if is_mounted:
            subprocess.run(["umount", "--lazy", str(place)], check=True)


if __name__ == "__main__":
    main()
