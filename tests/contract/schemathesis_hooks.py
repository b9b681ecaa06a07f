"""What Schemathesis cannot know of this contract, told to it before each call.

Loaded by Schemathesis, which is started by `test_schemathesis`; imports schemathesis only.
"""

import json
import os
import uuid
import zlib
from typing import Any

import schemathesis

FINISHED_CID = "TEST_FINISHED_CID"
"""The variable with the cid of a run that has finished: its stream of events ends by itself."""

CALLBACK_HOST = "hooks.invalid"
CALLBACK_URL = f"https://{CALLBACK_HOST}/aura"
"""The only host that the server of the campaign may call back, which no network has."""

MOST_WAIT_SEC = 0.05
STARTS = {"runTask", "runTaskBatch", "insertIntoQueue", "dryRunTask", "createSchedule", "retryTask"}
"""Take a task that there is each second time: what follows from a run needs one."""
A_TASK = {"plan_name": "hello", "task_name": "greet", "inputs": {"name": "Ada"}}


@schemathesis.hook
def before_call(_: Any, case: schemathesis.Case[Any], __: Any) -> None:
    """Keep waiting short; of requests that are to be good, make good what a schema cannot say."""
    operation_id = case.operation.definition.raw["operationId"]
    wait_sec = case.query.get("wait_sec")
    if isinstance(wait_sec, int | float):
        case.query["wait_sec"] = min(wait_sec, MOST_WAIT_SEC)
    if operation_id == "streamLogs" and (_is_good(case) or "cid" not in case.query):
        case.query["cid"] = os.environ[FINISHED_CID]
    if not _is_good(case):
        return
    if "Idempotency-Key" in case.headers:  # with another body the same key is refused
        case.headers["Idempotency-Key"] = uuid.uuid4().hex
    if isinstance(case.body, dict) and "callback_url" in case.body:
        case.body["callback_url"] = CALLBACK_URL
    if isinstance(case.body, dict):
        if operation_id in STARTS and _is_chosen(case.body):
            case.body = _known(case.body, operation_id)
        if operation_id in ("createSchedule", "updateSchedule"):
            case.body = _schedule(case.body, is_new=operation_id == "createSchedule")


def _is_chosen(body: dict[str, Any]) -> bool:
    """Each second body; always the same, so that a finding can be found again."""
    return zlib.crc32(json.dumps(body, sort_keys=True).encode()) % 2 == 0


def _known(body: dict[str, Any], operation_id: str) -> dict[str, Any]:
    """With a task that there is, or, of a retry, without a step that there may not be."""
    if operation_id == "retryTask":
        return {key: value for key, value in body.items() if key not in ("from", "inputs")}
    if operation_id == "runTaskBatch":
        return body | {"tasks": [each | A_TASK for each in body["tasks"]]}
    return body | A_TASK


def _schedule(body: dict[str, Any], *, is_new: bool) -> dict[str, Any]:
    """With a cron expression and a time zone that there are, and something that makes it due, but
    not soon: thousands of schedules that run all the time would be another test.
    """
    made = dict(body)
    if "every_sec" in made:
        made["every_sec"] = max(made["every_sec"], 3600)
    if "cron" in made:
        made["cron"] = "0 6 * * *"
    if "timezone" in made:
        made["timezone"] = "Europe/Berlin"
    if is_new and not {"cron", "every_sec"} & made.keys():
        made["every_sec"] = 3600
    return made


def _is_good(case: schemathesis.Case[Any]) -> bool:
    return case.meta is not None and case.meta.generation.mode.is_positive
