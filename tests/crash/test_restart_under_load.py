"""Another server takes the place of one under load: nobody is turned away, nothing lost or doubled.

Imports aiohttp, `tests.server_process` and `tests.serving`.
"""

import asyncio
import json
import os
import signal
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from aura_aio.model.coroutines import CoroutineTasks
from tests.server_process import ServerProcess, server_process
from tests.serving import write_plan
from tests.waiting import until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no exec")

ACTIONS = '''
import asyncio
from pathlib import Path
from aura_aio import action

@action
def tell(ledger: str, line: str) -> None:
    """Append a line to a file."""
    with Path(ledger).open("a", encoding="utf-8") as out:
        out.write(line + "\\\\n")

@action
async def hold(gate: str) -> None:
    """Return as soon as the file `gate` exists."""
    while not Path(gate).exists():
        await asyncio.sleep(0.01)
'''.replace("\\\\n", "\\n")
TICK = """
meta: {inputs: [{name: ledger, type: string}, {name: line, type: string}]}
steps: {tell: {action: tell, params: {ledger: "{{ inputs.ledger }}", line: "{{ inputs.line }}"}}}
"""
HELD = """
meta:
  inputs: [{name: ledger, type: string}, {name: gate, type: string}]
  on_crash: POLICY
steps:
  tell: {action: tell, params: {ledger: "{{ inputs.ledger }}", line: POLICY}}
  hold: {action: hold, depends_on: tell, params: {gate: "{{ inputs.gate }}"}}
"""


class Load:
    """Clients that submit one run after the other, each with a key of its own, and try again with
    the same key when their connection ends before the answer.
    """

    def __init__(self, server: ServerProcess, ledger: Path) -> None:
        self.server = server
        self.ledger = ledger
        self.cids: dict[str, str] = {}
        """By key."""
        self.resets = 0
        self._clients = CoroutineTasks()
        self._started = 0
        self._enough = False

    def start(self, clients: int) -> None:
        """Begin."""
        for _ in range(clients):
            self._clients.spawn(self._submit())

    async def stop(self) -> None:
        """Let every client have its answer, and end."""
        self._enough = True
        await until(lambda: self._started == len(self.cids), within=20)
        assert not self._clients.died
        await self._clients.aclose()

    async def answered(self, more: int) -> None:
        """Return when so many more were acknowledged."""
        count = len(self.cids) + more
        await until(lambda: len(self.cids) >= count or self._clients.died, within=20)
        assert not self._clients.died

    async def _submit(self) -> None:
        while not self._enough:
            self._started += 1
            key = f"key-{self._started}"
            self.cids[key] = (await self.submit(key)).json["cid"]

    async def submit(self, key: str) -> Any:
        """The answer to the run of `key`: 202, whatever happens meanwhile."""
        inputs = {"ledger": str(self.ledger), "line": key}
        body = {"plan_name": "load", "task_name": "tick", "inputs": inputs}
        while True:
            try:
                answer = await self.server.post(
                    "/api/tasks/run", body, headers={"Idempotency-Key": key}
                )
            except aiohttp.ClientConnectorError:
                raise  # nobody listens: that must not be
            except (aiohttp.ClientConnectionError, ConnectionResetError):
                self.resets += 1
            else:
                assert answer.status == 202, answer.body
                return answer


async def _started_at(server: ServerProcess) -> str | None:
    try:
        started_at: str = (await server.get("/api/system/status")).json["started_at"]
    except aiohttp.ClientConnectorError:
        raise
    except aiohttp.ClientConnectionError:
        return None
    return started_at


async def start_anew(server: ServerProcess) -> None:
    """Have another server take the place of this one, and wait until it is there."""
    before = await until(lambda: _started_at(server))

    async def is_another() -> bool:
        return await _started_at(server) not in (None, before)

    server.process.send_signal(signal.SIGUSR2)
    await until(is_another, within=30)


async def start_anew_in_vain(server: ServerProcess, settings_file: Path, said: str) -> None:
    """Have one take its place that would not start; the server says why, and goes on."""
    before = await until(lambda: _started_at(server))

    async def is_told() -> bool:
        entries = (await server.get("/api/logs?level=error")).json["items"]
        return any(said in entry["data"]["reason"] for entry in entries)

    await asyncio.to_thread(settings_file.write_text, "[http]\nhost = '127.0.0.2'\n", "utf-8")
    server.process.send_signal(signal.SIGUSR2)
    await until(is_told, within=30)
    assert await _started_at(server) == before
    await asyncio.to_thread(settings_file.write_text, "", "utf-8")


async def _holds(server: ServerProcess, cid: str) -> bool:
    steps = (await server.get(f"/api/runs/{cid}/timeline")).json["steps"]
    return any(step["node_id"] == "hold" for step in steps)


async def all_runs(server: ServerProcess) -> dict[str, Any]:
    """Every run, by its cid."""
    runs: list[Any] = []
    page = (await server.get("/api/runs?limit=1000")).json
    runs += page["items"]
    while "next_cursor" in page:
        page = (await server.get(f"/api/runs?limit=1000&cursor={page['next_cursor']}")).json
        runs += page["items"]
    return {run["cid"]: run for run in runs}


async def test_a_restart_under_load_loses_and_doubles_nothing(tmp_path: Path) -> None:
    ledger, gate = tmp_path / "ledger", tmp_path / "gate"
    tasks = {"tick": TICK, "secret": 'steps: {}\nreturns: "{{ secrets.WORD | length }}"'}
    tasks |= {f"held_{policy}": HELD.replace("POLICY", policy) for policy in ("resume", "fail")}
    await asyncio.to_thread(write_plan, tmp_path / "plans", "load", tasks, ACTIONS)
    file = tmp_path / "aura.toml"
    await asyncio.to_thread(file.touch)
    options = ("--workers", "1", "--shutdown-grace-sec", "0.5", "--config", str(file))
    place = tmp_path / "data", str(tmp_path / "plans")
    async with server_process(*place, *options, env={"AURA_SECRET_WORD": "sesame"}) as server:
        inputs = {"ledger": str(ledger), "gate": str(gate)}
        resumed = await server.run("load", "held_resume", inputs=inputs)
        failed = await server.run("load", "held_fail", inputs=inputs)
        for cid in (resumed, failed):
            await until(partial(_holds, server, cid), within=30)
        load = Load(server, ledger)
        load.start(clients=6)
        pid = server.process.pid
        await start_anew_in_vain(server, file, "and the settings say 127.0.0.2")
        for _ in range(2):
            await load.answered(100)
            await start_anew(server)
        await load.answered(100)
        await load.stop()
        assert (server.process.pid, server.process.poll()) == (pid, None)

        await asyncio.to_thread(gate.touch)
        run = await server.finished(resumed)
        assert (run["status"], run["attempt"] > 1) == ("succeeded", True)
        assert (await server.finished(failed))["error"]["type"] == "WorkerLost"
        secret = await server.done("load", "secret")  # taken out of the environment, and yet there
        assert secret["result"] == 6
        for key in list(load.cids)[:3]:
            again = await load.submit(key)
            assert (again.json["cid"], "Idempotent-Replayed" in again.headers) == (
                load.cids[key],
                True,
            )

        async def is_quiet() -> bool:
            told = (await server.get("/api/queue/overview")).json
            return not told["ready_length"] and not told["running_length"]

        await until(is_quiet, within=60)
        runs = await all_runs(server)
        assert await server.terminate() == 0
    assert runs.keys() == {*load.cids.values(), resumed, failed, secret["cid"]}
    assert len(set(load.cids.values())) == len(load.cids)
    lines = Counter((await asyncio.to_thread(ledger.read_text, "utf-8")).split())
    assert max(lines.values()) == 1
    for key, cid in load.cids.items():
        # What was under way when its time was over ends as its policy says, which here is to fail.
        if runs[cid]["status"] == "succeeded":
            assert lines[key] == 1
        else:
            run = json.dumps(runs[cid])
            assert (runs[cid]["status"], "WorkerLost" in run) == ("failed", True), run


async def test_who_is_told_to_end_while_it_starts_anew_ends(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    tasks = {"held": HELD.replace("POLICY", "fail")}
    await asyncio.to_thread(write_plan, tmp_path / "plans", "load", tasks, ACTIONS)
    place = tmp_path / "data", str(tmp_path / "plans")
    async with server_process(*place, "--workers", "1", "--shutdown-grace-sec", "60") as server:
        inputs = {"ledger": str(tmp_path / "ledger"), "gate": str(gate)}
        cid = await server.run("load", "held", inputs=inputs)
        await until(partial(_holds, server, cid), within=30)

        async def is_draining() -> bool:
            return (await server.get("/readyz")).status == 503

        server.process.send_signal(signal.SIGUSR2)
        await until(is_draining, within=30)
        server.process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(gate.touch)
        assert await server.ended() == 0


@asynccontextmanager
async def handed_over(
    listener: socket.socket, folder: Path, *options: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """`aura serve` with a socket that systemd would have opened."""
    words = [sys.executable, "-m", "aura_aio", "serve", "--workers", "0", *options]
    script = f'export LISTEN_FDS=1 LISTEN_PID=$$; exec "$@" 3<&{listener.fileno()}'
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", script, "bash", *words),
        cwd=folder,
        env=dict(os.environ),
        pass_fds=[listener.fileno()],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_client_that_comes_before_the_server_waits_for_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        async with (
            aiohttp.ClientSession() as session,
            asyncio.TaskGroup() as group,
            handed_over(listener, tmp_path, "--port", str(port)) as process,
        ):
            early = group.create_task(_status(session, f"http://127.0.0.1:{port}/readyz"))
            assert await early == 200
            process.terminate()
            assert await process.wait() == 0


async def _status(session: aiohttp.ClientSession, url: str) -> int:
    async with session.get(url) as answer:
        return answer.status


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--port", "1"], "and the settings say 127.0.0.1, port 1"),
        (["--host", "127.0.0.2", "--port", "0"], "and the settings say 127.0.0.2, port 0"),
    ],
)
async def test_a_socket_that_is_not_that_of_the_settings_is_refused(
    options: list[str], said: str, tmp_path: Path
) -> None:
    """Else one that is open to all would be served as if it were one of this machine alone."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with handed_over(listener, tmp_path, *options) as process:
            _, err = await process.communicate()
    assert (process.returncode, said in err.decode()) == (1, True), err.decode()
