"""What a client does all day: run a task, wait for it, read its log, cancel one, page through runs.

`python example.py http://127.0.0.1:18098`, with a token in AURA_TOKEN where one is asked for.
"""

import os
import sys
from typing import TypeVar

import httpx
from aura_client import AuthenticatedClient, Client
from aura_client.api.logs import list_run_logs
from aura_client.api.runs import get_run, list_runs
from aura_client.api.tasks import cancel_task, run_task
from aura_client.models import (
    AdHocTaskRequest,
    CancelMode,
    CancelRequest,
    JsonObject,
    Problem,
    Run,
    RunStatus,
)
from aura_client.types import UNSET

AnyClient = AuthenticatedClient | Client
T = TypeVar("T")


def good(answer: T | Problem | None) -> T:
    """The answer; a problem ends the program with what it says."""
    if isinstance(answer, Problem):
        sys.exit(f"{answer.title}: {answer.detail}")
    if answer is None:
        sys.exit("The server answered with a status that this client does not know.")
    return answer


def connect(url: str) -> AnyClient:
    """A client with time for answers that wait."""
    token = os.environ.get("AURA_TOKEN")
    patience = httpx.Timeout(60)
    if token is None:
        return Client(base_url=url, timeout=patience)
    return AuthenticatedClient(base_url=url, token=token, timeout=patience)


def start(client: AnyClient, task_name: str, **inputs: object) -> str:
    """Run a task of the plan `hello`; its cid."""
    request = AdHocTaskRequest("hello", task_name, inputs=JsonObject.from_dict(inputs))
    return good(run_task.sync(client=client, body=request)).cid


def wait_for(client: AnyClient, cid: str) -> Run:
    """The run once it has finished: each call waits for up to 20 seconds, nothing polls."""
    while True:
        run = good(get_run.sync(cid, client=client, wait_sec=20))
        if run.finished_at is not UNSET:
            return run


def show_log(client: AnyClient, cid: str) -> None:
    """Print what the run has said."""
    page = good(list_run_logs.sync(cid, client=client, limit=100))
    for entry in page.items:
        print(f"{entry.timestamp:%H:%M:%S} {entry.level} {entry.message}")


def cids(client: AnyClient) -> list[str]:
    """All runs of the plan, the newest first, in small pages."""
    found: list[str] = []
    cursor: str = ""
    while True:
        answer = list_runs.sync(client=client, plan_name="hello", limit=2, cursor=cursor or UNSET)
        page = good(answer)
        found += [run.cid for run in page.items]
        if not isinstance(page.next_cursor, str):
            return found
        cursor = page.next_cursor


def main(url: str) -> None:
    """All of it."""
    client = connect(url)
    greeted = [start(client, "greet", name=name) for name in ("Ada", "Grace", "Barbara")]
    for cid in greeted:
        run = wait_for(client, cid)
        if run.status is not RunStatus.SUCCEEDED:
            sys.exit(f"{cid} has {run.status}")
        print(f"{run.task_name}: {run.status} with {run.result}")
    show_log(client, greeted[0])

    slow = start(client, "breakfast", seconds=60)
    order = CancelRequest(mode=CancelMode.GRACEFUL, reason="Only an example")
    good(cancel_task.sync(slow, client=client, body=order))
    print(f"breakfast: {wait_for(client, slow).status}")

    missing = {slow, *greeted} - set(cids(client))
    if missing:
        sys.exit(f"not listed: {missing}")
    print(f"all {len(greeted) + 1} are among the listed")


if __name__ == "__main__":
    main(sys.argv[1])
