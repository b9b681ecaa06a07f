"""The server as others meet it: its port, whether it answers, who may come in, its plans.

May import entrance, catalog, store, places, settings, model, and `doctor.findings`.
"""

import errno
import http.client
import json
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from aura_aio.catalog.validation import check_folder
from aura_aio.doctor.findings import Finding, ok, warning, wrong
from aura_aio.entrance import demand_of
from aura_aio.model.clock import Clock
from aura_aio.model.database_url import DatabaseUrl
from aura_aio.model.errors import SettingsError, StoreUnavailable
from aura_aio.places import Places
from aura_aio.scheduler.access import Demand
from aura_aio.settings import HttpSettings
from aura_aio.store.opening import require_postgres
from aura_aio.store.relational.examination import Examined
from aura_aio.store.sqlite.examination import is_in_use

ANSWER_SEC: Final = 3.0
_ALL: Final = "0.0.0.0"  # noqa: S104 - it is not listened on # nosec B104
_EVERYWHERE: Final = {_ALL: "127.0.0.1", "::": "::1", "": "127.0.0.1"}


def server(settings: HttpSettings, places: Places) -> Finding:
    """Whether a server answers at the address, or could be started there."""
    try:
        in_use = _in_use(places.database)
    except StoreUnavailable as error:
        return wrong("server", str(error), "Look at the owner and mode of the file.")
    if settings.port == 0:
        return ok("server", f"it may take any free port of {settings.host}")
    host = _EVERYWHERE.get(settings.host, settings.host)
    url = f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"
    try:
        answers = [_answer(host, settings.port, path) for path in ("/healthz", "/readyz")]
    except ConnectionRefusedError:
        return _of_silence(settings, url, in_use=in_use)
    except (OSError, http.client.HTTPException) as error:
        return wrong(
            "server",
            f"what listens at {url} does not answer: {str(error) or type(error).__name__}",
            "If it is Aura, look at its log and restart it; else take another port with --port.",
        )
    return _of_answers(answers, url, in_use=in_use)


def _in_use(database: Path | DatabaseUrl) -> bool:
    if isinstance(database, Path):
        return is_in_use(database)
    try:
        require_postgres()
        from aura_aio.store.postgres import examination  # noqa: PLC0415 - it may be missing

        return examination.is_in_use(database)
    except (SettingsError, StoreUnavailable):  # what is wrong with the database is told already
        return False


def _of_silence(settings: HttpSettings, url: str, *, in_use: bool) -> Finding:
    if in_use:
        return warning(
            "server",
            f"a process has the database open, but nothing answers at {url}",
            "It may be starting or ending, or a server with another --host or --port.",
        )
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        socket.create_server((settings.host, settings.port), family=family).close()
    except OSError as error:
        mend = "Take another address with --host and --port."
        if error.errno == errno.EACCES:
            mend = "Take a port from 1024 on with --port."
        detail = f"no server can listen on {settings.host}:{settings.port}: {error.strerror}"
        return wrong("server", detail, mend)
    return ok("server", f"none runs; {settings.host}:{settings.port} is free")


def _of_answers(answers: Sequence[Any], url: str, *, in_use: bool) -> Finding:
    told = [each.get("status") if isinstance(each, dict) else None for each in answers]
    if any(word not in ("ok", "ready", 403, 503) for word in told):
        return wrong(
            "server",
            f"what answers at {url} is another program",
            "Take another port with --port, or end that program.",
        )
    for answer in answers:
        if answer["status"] not in ("ok", "ready"):
            return wrong("server", f"{url}: {answer['detail']}", "Look at the log of the server.")
    if not in_use:
        return warning(
            "server",
            f"the server at {url} does not have this database open",
            "Name its data folder with --data-dir, or its address with --host and --port.",
        )
    return ok("server", f"it answers at {url}")


def _answer(host: str, port: int, path: str) -> Any:
    """What the JSON of an answer says; None if it is none."""
    connection = http.client.HTTPConnection(host, port, timeout=ANSWER_SEC)
    try:
        connection.request("GET", path)
        return json.loads(connection.getresponse().read(65_536))
    except ValueError:
        return None
    finally:
        connection.close()


def tokens(settings: HttpSettings, found: Examined | None, clock: Clock) -> Finding:
    """Whether those can come in who should, and only they."""
    try:
        demand = demand_of(settings)
    except SettingsError as error:
        return wrong("tokens", str(error), "Leave --require-token as it is, or --host.")
    made = found.tokens if found is not None else ()
    good = [token for token in made if token.in_force(clock.now())]
    if demand is Demand.NEVER or (demand is Demand.ONCE_MADE and not made):
        return ok("tokens", f"none is needed on {settings.host}")
    if not good:
        return wrong(
            "tokens",
            f"every token has ended, and without one nobody comes in on {settings.host}"
            if made
            else f"a token is needed on {settings.host}, and none was made yet",
            "aura token create --scope admin",
        )
    return ok("tokens", f"{len(good)} in force")


def plans(places: Places) -> Finding:
    """Whether all plans could be loaded."""
    there = [root for root in places.plans if root.is_dir()]
    found = [check_folder(root) for root in there]
    loaded = [plan for each in found for plan in each.plans]
    faults = [f"{each.place}: {each.message}" for checked in found for each in checked.errors]
    for plan in loaded:
        faults += [f"{Path(plan.root, each.place)}: {each.message}" for each in plan.errors]
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        return wrong("plans", faults[0] + more, "See all of them with: aura plans check")
    if missing := [str(root) for root in places.plans if root not in there]:
        return warning(
            "plans",
            f"there is no folder {', '.join(missing)}",
            "Make a plan with aura plans new NAME, or name another folder with --plans.",
        )
    return ok("plans", f"{len(loaded)} without load errors")
