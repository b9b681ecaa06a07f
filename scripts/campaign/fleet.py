"""`python scripts/torture.py --fleet`: three servers and six hosts of workers on one database.

Imports the other parts of the campaign.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path

from campaign.checker import TERMINAL, violations
from campaign.clients import Clients
from campaign.network import HUB, Machine, machines
from campaign.plan import write_plan
from campaign.postgres import Postgres
from campaign.record import Record
from campaign.relays import Relay, to_any, to_socket
from campaign.rounds import Rounds
from campaign.settling import settle

LOST_SEC = 3.0
READY_SEC = 90.0
API_PORT = 18098
DATABASE_PORT = 5432
_SERVE = ("serve", "--port", str(API_PORT), "--host", "0.0.0.0", "--no-hot-reload")  # noqa: S104 - its own network


class Host:
    """`aura serve` or `aura worker` on a machine of its own."""

    def __init__(self, machine: Machine, folder: Path, dispatcher: str, *, serves: bool) -> None:
        self.machine = machine
        self.serves = serves
        self._dispatcher = dispatcher
        self._folder = folder
        self._log = folder / f"{machine.name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def runs(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it; it gets ready by itself."""
        words = [sys.executable, "-m", "aura_aio", *(_SERVE if self.serves else ("worker",))]
        words += ["--data-dir", str(self._folder / "data"), "--plans", str(self._folder / "plans")]
        words += ["--workers", "1", "--slots", "4", "--host-lost-sec", str(LOST_SEC)]
        words += ["--shutdown-grace-sec", "0.5", "--min-free-mib", "0"][: 4 if self.serves else 2]
        if self.serves:
            words += ["--allowed-hosts", HUB]
        kept = {name: text for name, text in os.environ.items() if not name.startswith("AURA_")}
        address = f"postgresql://postgres:@{HUB}:{DATABASE_PORT}/postgres"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self.machine.command(words),
                stdout=log, stderr=log,
                env={**kept, "AURA_DATABASE": address, "AURA_DISPATCHER": self._dispatcher},
            )  # fmt: skip

    def is_ready(self) -> bool:
        """Whether a server answers; of a host of workers nobody knows."""
        if not self.serves:
            return self.runs
        try:
            url = f"http://{self.machine.address}:{API_PORT}/readyz"
            with urllib.request.urlopen(url, timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def words(self) -> str:
        """The last that it has logged."""
        return self._log.read_text("utf-8", "replace")[-2000:]

    def send(self, number: signal.Signals) -> None:
        """A signal for it alone."""
        if self._process is not None and self.runs:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    def end(self, number: signal.Signals) -> None:
        """A signal that ends it, and wait for its end; SIGKILL when that takes too long."""
        if self._process is None:
            return
        self.send(number)
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


Fault = Callable[["FleetCampaign", Host, random.Random], Awaitable[None]]
"""Does it to a host, and undoes it, unless that was killed."""


async def kill_host(_: "FleetCampaign", host: Host, __: random.Random) -> None:
    """SIGKILL: a machine that fails."""
    await asyncio.to_thread(host.end, signal.SIGKILL)


async def terminate_host(_: "FleetCampaign", host: Host, __: random.Random) -> None:
    """SIGTERM: a deployment."""
    await asyncio.to_thread(host.end, signal.SIGTERM)


async def stop_host(_: "FleetCampaign", host: Host, chance: random.Random) -> None:
    """SIGSTOP, for longer or shorter than it takes the others to give it up."""
    host.send(signal.SIGSTOP)
    await asyncio.sleep(chance.choice([0.5, 1.5 * LOST_SEC]))
    host.send(signal.SIGCONT)


async def cut_link(_: "FleetCampaign", host: Host, chance: random.Random) -> None:
    """Nothing gets to the machine or from it, for longer or shorter than that."""
    await asyncio.to_thread(host.machine.cut)
    await asyncio.sleep(chance.choice([0.5, 2 * LOST_SEC]))
    await asyncio.to_thread(host.machine.mend)


async def end_connections(campaign: "FleetCampaign", _: Host, __: random.Random) -> None:
    """The database ends every connection, as one that restarts does."""
    await asyncio.to_thread(campaign.database.end_connections)


FAULTS: Mapping[str, Fault] = {
    fault.__name__: fault
    for fault in (kill_host, terminate_host, stop_host, cut_link, end_connections)
}
KILLS = ("kill_host", "cut_link")
"""Each round has one of these."""


class FleetCampaign:
    """Servers and hosts of workers with their clients and faults, for several rounds."""

    def __init__(self, folder: Path, options: argparse.Namespace, hosts: list[Host]) -> None:
        self.database = Postgres(folder / "postgres")
        self._folder = folder
        self._options = options
        self._hosts = hosts
        self._record = Record()
        self._rounds = Rounds(options, self._record)
        self._has_jobs = options.dispatcher == "procrastinate"
        self._url = self._token = ""
        write_plan(folder / "plans", folder / "ledger")

    async def run(self) -> int:
        """All rounds, and the table; the exit code."""
        way, balancer = Relay(to_socket(self.database.socket)), self._balancer()
        try:
            await way.start(HUB, DATABASE_PORT)
            self._token = await asyncio.to_thread(self._make_token)
            await asyncio.to_thread(self.database.install)
            self._url = f"http://{HUB}:{await balancer.start(HUB, 0)}"
            await self._up()
            if self._has_jobs:
                await asyncio.to_thread(self.database.install_jobs)
            return await self._rounds.run(self._round)
        finally:
            for host in self._hosts:
                host.machine.mend()
                host.end(signal.SIGKILL)
            await balancer.aclose()
            await way.aclose()
            self.database.close()
            self._rounds.summarise(f"on {len(self._hosts)} hosts")

    def _balancer(self) -> Relay:
        servers = [host for host in self._hosts if host.serves]
        chance = random.Random(f"{self._options.seed}/balancer")  # noqa: S311 - not a secret
        return Relay(
            to_any(lambda: [(h.machine.address, API_PORT) for h in servers if h.runs], chance)
        )

    def _make_token(self) -> str:
        """A token for everything; with it the database is made."""
        command = [sys.executable, "-m", "aura_aio", "token", "create", "--scope", "admin"]
        command += ["--data-dir", str(self._folder / "data"), "--json"]
        address = f"postgresql://postgres:@{HUB}:{DATABASE_PORT}/postgres"
        told = subprocess.run(
            command,
            capture_output=True,
            check=True,
            env={**os.environ, "AURA_DATABASE": address},
        )
        return str(json.loads(told.stdout)["secret"])

    async def _up(self) -> None:
        """Start what does not run, and return when each is ready."""
        for host in self._hosts:
            if not host.runs:
                await asyncio.to_thread(host.start)
        deadline = time.monotonic() + READY_SEC
        for host in self._hosts:
            while not await asyncio.to_thread(host.is_ready):
                if time.monotonic() > deadline:
                    raise RuntimeError(
                        f"A host does not get ready. Its last words:\n{host.words()}"
                    )
                if not host.runs:
                    host.start()
                await asyncio.sleep(0.1)

    async def _round(self, number: int) -> list[str]:
        chance = random.Random(f"{self._options.seed}/{number}")  # noqa: S311 - as above
        clients = Clients(self._url, self._record, chance, self._token)
        faults = self._options.fault or list(FAULTS)
        kills = [name for name in KILLS if name in faults] or faults
        names = [chance.choice(kills), *chance.choices(faults, k=chance.randint(0, 2))]
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            group.create_task(clients.act(self._options.clients, self._options.seconds))
            for name in names:
                group.create_task(self._break(name, chance))
        await self._up()
        await asyncio.to_thread(settle, self._url, self._left, self._token)
        copy = self._folder / "copy.db"
        await asyncio.to_thread(self.database.copy, copy)
        found = await asyncio.to_thread(
            violations,
            copy,
            self._folder / "ledger",
            self._record,
            is_fleet=True,
            has_jobs=self._has_jobs,
        )
        took = time.monotonic() - began
        print(
            f"{number:4} {took:5.1f} s {len(self._record.runs):6} runs  {', '.join(names)}",
            flush=True,
        )
        return found

    def _left(self) -> int:
        left = self.database.left(tuple(TERMINAL))
        return left + self.database.jobs_left() if self._has_jobs else left

    async def _break(self, name: str, chance: random.Random) -> None:
        await asyncio.sleep(chance.uniform(0, self._options.seconds))
        await FAULTS[name](self, chance.choice(self._hosts), chance)
        self._rounds.done[name] += 1


def run_fleet(folder: Path, options: argparse.Namespace) -> int:
    """A campaign with `options.servers` servers and `options.hosts` hosts of workers.

    Raises:
        network.Unusable: there can be no machines of our own here.
    """
    with machines(options.servers + options.hosts) as made:
        hosts = [
            Host(machine, folder, options.dispatcher, serves=number < options.servers)
            for number, machine in enumerate(made)
        ]
        return asyncio.run(FleetCampaign(folder, options, hosts).run())
