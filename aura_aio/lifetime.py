"""The life of a server process: until which signal it serves, what comes after it.

May import `server`, handover, signals, processes, settings and model.
"""

import logging
import socket
from collections.abc import Callable, Mapping

from aura_aio.handover import fault_of_start
from aura_aio.model.coroutines import first_of
from aura_aio.processes.spawning import SpawnedProcess
from aura_aio.processes.tree import StartProcess
from aura_aio.server import Server, running_server
from aura_aio.settings import Settings
from aura_aio.signals import Signals

_log = logging.getLogger("aura.lifetime")


async def serve(
    settings: Settings,
    secrets: Mapping[str, str],
    ready: Callable[[Server], None],
    environ: Mapping[str, str],
    listener: socket.socket | None = None,
    start_process: StartProcess = SpawnedProcess,
) -> socket.socket | None:
    """Serve until SIGTERM, SIGINT or SIGUSR2; `ready` is called once requests are answered.
    `secrets` are those that templates may use, by name. `environ` is that for a server that takes
    this one's place. `listener` is the socket of the address, if there is one already.
    `start_process` makes the processes of workers.

    The first signal lets runs under way go on for `shutdown_grace_sec`; a second SIGTERM ends the
    process at once, as does a store that is away for so long that nothing can be kept. None of it
    loses anything that was acknowledged. After SIGUSR2 the socket is answered, still open, for the
    server that takes this one's place; else None. If that one would not start, this one goes on,
    and says so.

    Raises:
        As `running_server`.
    """
    signals = Signals()
    kept: socket.socket | None = None
    async with running_server(
        settings, secrets=secrets, listener=listener, start_process=start_process
    ) as server:
        signals.listen(settings.http.shutdown_sec)
        ready(server)
        await _told_to_end(signals, server.listener, environ)
        action = "starting_anew" if signals.start_anew else "shutting_down"
        _log.info(action.replace("_", " "), extra={"action": action})
        if signals.start_anew:
            kept = server.listener.dup()  # stays open when the server closes its own
        await server.quiesce(settings.http.shutdown_grace_sec)
    if kept is not None and not signals.start_anew:
        kept.close()
        return None
    return kept


async def _told_to_end(
    signals: Signals, listener: socket.socket, environ: Mapping[str, str]
) -> None:
    """Return once this server is to end; before another takes its place, that one is tried."""
    fault: str | None = None

    async def tried() -> None:
        nonlocal fault
        fault = await fault_of_start(listener, environ)

    while True:
        await signals.told.wait()
        if signals.start_anew:
            await first_of(tried(), signals.ending.wait())
        if not signals.start_anew or fault is None:
            return
        _log.error(
            "a new server would not start: this one goes on",
            extra={"action": "not_started_anew", "reason": fault},
        )
        signals.go_on()
