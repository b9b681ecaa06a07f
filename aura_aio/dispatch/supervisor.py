"""Keeps as many workers up as there should be, replaces those that end, and ends the silent.

May import `worker` (frames, link), the rest of `dispatch`, `engine.capture`, `processes`,
run_settings and model.
"""

import asyncio
import logging
import secrets
from asyncio import Future, StreamReader, StreamWriter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Final, Protocol

import msgspec

from aura_aio.dispatch.processes import InProcessWorker, WorkerHandle, WorkerProcess
from aura_aio.model.clock import Clock
from aura_aio.model.coroutines import CoroutineTasks
from aura_aio.model.fleet import PlanDigests, worker_name
from aura_aio.model.ports import WorkerStatus
from aura_aio.processes.spawning import SpawnedProcess
from aura_aio.processes.tree import StartProcess
from aura_aio.run_settings import RunSettings
from aura_aio.worker.frames import Launch, PlanActions, ToServer, Welcome
from aura_aio.worker.link import Link

_log = logging.getLogger("aura.dispatch.supervisor")

START_LIMIT_SEC: Final = 30.0
QUIET_SEC: Final = 5.0
LONGEST_PAUSE_SEC: Final = 5.0
WATCH_EVERY_SEC: Final = 1.0
LAST_WORDS_SEC: Final = 1.0
"""How long a link is read after the end of its worker: what was sent before may still be on its
way. It ends by itself, unless something that the worker has started keeps it open.
"""


class WorkerPlan(msgspec.Struct, frozen=True):
    """How many workers, and what each is given; `count` 0 means one inside the server, `api_only`
    that there are none.

    `memory_bytes` limits each process (0: not at all); a worker that is silent for `lost_sec` is
    killed; `plans` is asked anew for each worker that starts; `secrets` are those of templates;
    `allowed` is what a run may use; `start_process` makes its process. `host_id` is what this host
    is called by others on the same database; empty where there are none.
    """

    count: int
    slots: int
    memory_bytes: int
    stall_sec: float
    allow_shell: bool
    lost_sec: float
    data_dir: str
    log_credit: int
    plans: Callable[[], tuple[PlanActions, ...]]
    secrets: dict[str, str]
    allowed: RunSettings = RunSettings()
    start_process: StartProcess = SpawnedProcess
    host_id: str = ""
    api_only: bool = False

    def served(self) -> PlanDigests | None:
        """The plans of which runs are carried out here, if other hosts may have others; None:
        all.
        """
        if not self.host_id:
            return None
        return {} if self.api_only else {plan.plan_name: plan.digest for plan in self.plans()}


class Worker:
    """One worker that is up. `busy` attempts hold its slots; `resting` ones have given theirs away
    until what they wait for is there, and may take them back at any time.
    """

    def __init__(self, name: str, handle: WorkerHandle, link: Link, slots: int, now: float) -> None:
        self.name = name
        self.handle = handle
        self.link = link
        self.slots = slots
        self.busy = 0
        self.kept = False
        self.resting = 0
        self.retiring = False
        self.leaves = asyncio.Event()
        """Set once it takes nothing more."""
        self.heard_at = now
        self._why_ended: str | None = None

    def free(self, now: float) -> int:
        """How many attempts it can take now: none when it retires, or has not been heard of."""
        if self.retiring or now - self.heard_at > QUIET_SEC:
            return 0
        return self.slots - self.busy

    @property
    def state(self) -> str:
        """`ready` or `retiring`."""
        return "retiring" if self.retiring else "ready"

    def shown(self) -> WorkerStatus:
        """What can be seen of it."""
        return WorkerStatus(self.name, self.handle.pid, self.state, self.slots, self.busy)

    def keep(self) -> None:
        """Attempts may come for its free slots: it is not ended meanwhile."""
        self.kept = True

    def let_go(self) -> None:
        """What it was kept for has come, or has not."""
        self.kept = False
        self._end_if_done()

    def occupy(self) -> None:
        """One attempt more."""
        self.busy += 1

    def release(self) -> None:
        """One attempt less."""
        self.busy -= 1
        self._end_if_done()

    def rest(self) -> None:
        """An attempt gives its slot away for now."""
        self.busy -= 1
        self.resting += 1

    def go_on(self) -> None:
        """An attempt takes its slot back, also if none is free."""
        self.resting -= 1
        self.busy += 1

    def retire(self) -> None:
        """Give it nothing more, and end it when it has nothing left."""
        self.retiring = True
        self.leaves.set()
        self._end_if_done()

    def kill(self, why: str) -> None:
        """End it now; `why` is a sentence for the runs that it takes along."""
        self._why_ended = self._why_ended or why
        self.handle.kill()

    def how_it_ended(self) -> str:
        """A sentence, once it has ended."""
        return self._why_ended or self.handle.ended.result()

    def _end_if_done(self) -> None:
        if self.retiring and self.busy == self.resting == 0 and not self.kept:
            self.kill("the worker was replaced")

    def ended(self) -> None:
        """It is gone for good."""
        self.leaves.set()


class _NeverUp(Exception):
    """A worker did not come up; the sentence says why."""


class WorkerOwner(Protocol):
    """Whom the Supervisor tells what happens to workers."""

    def worker_up(self, worker: Worker) -> None:
        """It can take attempts."""
        ...

    def worker_said(self, worker: Worker, packet: tuple[ToServer, ...]) -> None:
        """It sent a packet."""
        ...

    def worker_back(self, worker: Worker) -> None:
        """It is heard of again after a silence."""
        ...

    async def worker_gone(self, worker: Worker, how: str) -> None:
        """It is gone for good; `how` is a sentence."""
        ...


class Supervisor:
    """Owns the workers of one server."""

    def __init__(self, plan: WorkerPlan, owner: WorkerOwner, clock: Clock) -> None:
        self._plan = plan
        self._owner = owner
        self._clock = clock
        self._named = 0
        self._workers: dict[str, Worker] = {}
        self._expected: dict[str, Future[Link]] = {}
        self._tasks = CoroutineTasks()
        self._strangers: set[Link] = set()
        self._server: asyncio.Server | None = None
        self._capture = ExitStack()
        self._closing = False
        self._unheard = 0
        self._all_heard = asyncio.Event()
        self._all_heard.set()

    async def start(self) -> None:
        """Begin to bring the workers up; returns before they are."""
        if self._plan.api_only:
            return
        if not self._plan.count:
            from aura_aio.engine.capture import captured_output  # noqa: PLC0415 - seldom needed

            self._capture.enter_context(captured_output())
        else:
            self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        for _ in range(max(1, self._plan.count)):
            self._tasks.spawn(self._keep_one_up())
        self._tasks.spawn(self._watch())

    async def aclose(self) -> None:
        """End every worker; return when its owner has taken in what they sent."""
        self._closing = True
        for worker in self.workers():
            worker.kill("the server ended")
        while self._unheard:  # others may come up meanwhile
            await self._all_heard.wait()
        if self._server is not None:
            self._server.close()
        await self._tasks.aclose()
        for link in tuple(self._strangers):
            await link.aclose()
        self._capture.close()
        if self._server is not None:
            await self._server.wait_closed()

    @property
    def alive(self) -> bool:
        """Whether every place for a worker is looked after."""
        return not self._tasks.died

    def workers(self) -> tuple[Worker, ...]:
        """Those that are up, the oldest first."""
        return tuple(self._workers.values())

    async def _keep_one_up(self) -> None:
        """One place for a worker: whoever fills it is replaced when it ends, or takes nothing more.

        One that only ends what it has begun may take hours for that, or wait for a child run that
        another must execute, so it does so beside the next.
        """
        pause = 0.0
        while not self._closing:
            await self._clock.sleep(pause)
            began = self._clock.monotonic()
            worker = await self._bring_up()
            if worker is not None:
                self._tasks.spawn(self._serve(worker))
                await worker.leaves.wait()
                if worker.retiring:
                    pause = 0.0
                    continue
            lasted = self._clock.monotonic() - began
            pause = 0.0 if lasted > LONGEST_PAUSE_SEC else min(LONGEST_PAUSE_SEC, pause * 2 + 0.1)

    async def _bring_up(self) -> Worker | None:
        """A worker that is up, and welcomed; None (and a line in the log) if it never came up."""
        self._named += 1
        name = worker_name(self._plan.host_id, self._named)
        secret = secrets.token_urlsafe(32)
        try:
            return await self._brought_up(name, secret)
        except _NeverUp as error:
            how = str(error)
        except OSError as error:  # no memory or no descriptor is left now: there may be later
            how = f"it could not be started: {error}"
        finally:
            self._expected.pop(secret, None)
        _log.warning("worker ended", extra={"action": "worker_ended", "worker": name, "how": how})
        return None

    async def _brought_up(self, name: str, secret: str) -> Worker:
        handle, arrives = await self._start(secret)
        worker = None
        try:
            async with asyncio.timeout(START_LIMIT_SEC):
                await asyncio.wait((arrives, handle.ended), return_when=asyncio.FIRST_COMPLETED)
            if not arrives.done():
                raise _NeverUp(f"it never came up: {handle.ended.result()}")
            worker = self._welcome(name, handle, arrives.result())
            return worker
        except TimeoutError:
            raise _NeverUp(f"it did not come up within {START_LIMIT_SEC:g} s") from None
        finally:
            if worker is None:
                handle.kill()

    async def _start(self, secret: str) -> tuple[WorkerHandle, Future[Link]]:
        arrives: Future[Link] = asyncio.get_running_loop().create_future()
        if self._server is None:
            inside, reader, writer = await InProcessWorker.start(secret, self._clock)
            link = Link(reader, writer)
            self._strangers.add(link)
            await link.hello()
            arrives.set_result(link)
            return inside, arrives
        self._expected[secret] = arrives
        port = self._server.sockets[0].getsockname()[1]
        launch = Launch(port=port, secret=secret, memory_bytes=self._plan.memory_bytes)
        return await WorkerProcess.start(launch, self._plan.start_process), arrives

    def _welcome(self, name: str, handle: WorkerHandle, link: Link) -> Worker:
        """The worker, from now on one of those that are up: it knows the plans of this moment."""
        plan = self._plan
        self._strangers.discard(link)
        worker = Worker(name, handle, link, plan.slots, self._clock.monotonic())
        link.welcome(
            Welcome(
                worker=name,
                slots=plan.slots,
                data_dir=plan.data_dir,
                log_credit=plan.log_credit,
                stall_sec=plan.stall_sec,
                allow_shell=plan.allow_shell,
                plans=plan.plans(),
                secrets=plan.secrets,
                allowed=plan.allowed,
            )
        )
        self._workers[name] = worker
        self._unheard += 1
        self._all_heard.clear()
        return worker

    async def _serve(self, worker: Worker) -> None:
        """Hear what the worker says, until it is gone."""
        handle, link = worker.handle, worker.link
        self._owner.worker_up(worker)
        if self._closing:  # it came up too late
            worker.kill("the server ended")
        handle.ended.add_done_callback(
            lambda _: asyncio.get_running_loop().call_later(LAST_WORDS_SEC, link.cut)
        )
        try:
            with suppress(ConnectionError):
                async for packet in link.packets():
                    was_quiet = self._clock.monotonic() - worker.heard_at > QUIET_SEC
                    worker.heard_at = self._clock.monotonic()
                    self._owner.worker_said(worker, packet)
                    if was_quiet:
                        self._owner.worker_back(worker)
        finally:
            handle.kill()
            await asyncio.shield(handle.ended)
            how = worker.how_it_ended()
            del self._workers[worker.name]
            await link.aclose()
            try:
                await self._owner.worker_gone(worker, how)
            finally:
                worker.ended()
                self._unheard -= 1
                if not self._unheard:
                    self._all_heard.set()
        is_wanted = worker.retiring or self._closing
        _log.log(
            logging.INFO if is_wanted else logging.WARNING,
            "worker ended",
            extra={"action": "worker_ended", "worker": worker.name, "how": how},
        )

    async def _connected(self, reader: StreamReader, writer: StreamWriter) -> None:
        """A process connected: it must know the secret of a worker that is expected."""
        link = Link(reader, writer)
        self._strangers.add(link)
        if not self._closing:
            with suppress(TimeoutError, msgspec.DecodeError, ConnectionError):
                async with asyncio.timeout(START_LIMIT_SEC):
                    hello = await link.hello()
                arrives = self._expected.get(hello.secret) if hello else None
                if arrives is not None and not arrives.done():
                    arrives.set_result(link)
                    return
        self._strangers.discard(link)
        await link.aclose()

    async def _watch(self) -> None:
        """Kill workers that have been silent too long, unless it was this server that slept."""
        before = self._clock.monotonic()
        while True:
            await self._clock.sleep(WATCH_EVERY_SEC)
            now = self._clock.monotonic()
            if now - before < WATCH_EVERY_SEC + QUIET_SEC:
                for worker in self.workers():
                    if now - worker.heard_at > self._plan.lost_sec:
                        _log.warning(
                            "worker is silent, killing it",
                            extra={"action": "worker_silent", "worker": worker.name},
                        )
                        worker.kill(f"the worker was silent for {self._plan.lost_sec:g} s")
            before = now
