"""What Schemathesis cannot know of this contract, told to it before each call.

Loaded by Schemathesis, which is started by `test_schemathesis`; imports schemathesis only.
"""

import json
import os
import uuid
import zlib
from typing import Any

import schemathesis
from schemathesis.generation.meta import TestPhase

FINISHED_CID = "TEST_FINISHED_CID"
"""The variable with the cid of a run that has finished: its stream of events ends by itself."""

CALLBACK_HOST = "hooks.invalid"
CALLBACK_URL = f"https://{CALLBACK_HOST}/aura"
"""The only host that the server of the campaign may call back, which no network has."""

ABOUT_WHAT_IS_NAMED = {
    *("bad-reference", "inputs-rejected", "unknown-step", "callback-refused"),
    *("batch-rejected", "reorder-rejected", "bad-cursor"),
}
"""What no schema can rule out."""

MOST_WAIT_SEC = 0.05
STARTS = {"runTask", "runTaskBatch", "insertIntoQueue", "dryRunTask", "createSchedule", "retryTask"}
"""Take a task that there is each second time, and always where something is to follow from it."""
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
    if isinstance(case.body, dict):
        case.body = _called_back(case.body)
        if operation_id in STARTS and (_is_step(case) or _is_chosen(case.body)):
            case.body = _known(case.body, operation_id)
        if operation_id in ("createSchedule", "updateSchedule"):
            case.body = _schedule(case.body, is_new=operation_id == "createSchedule")


@schemathesis.check
def good_data_is_understood(
    _: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case[Any]
) -> None:
    """A 400 to good data says that something which it names is not there, or does not fit; the
    tool would let pass any.
    """
    if _is_good(case) and response.status_code == 400:
        kind = response.json()["type"].removeprefix("urn:aura:problem:")
        assert kind in ABOUT_WHAT_IS_NAMED, f"good data, and {response.text}"


@schemathesis.check
def a_bad_task_of_a_batch_is_rejected(
    _: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case[Any]
) -> None:
    """The batch as a whole is accepted then, which the tool would take for a mistake."""
    operation_id = case.operation.definition.raw["operationId"]
    if operation_id == "runTaskBatch" and response.status_code == 202 and _is_bad(case):
        assert response.json()["failed_count"] > 0, f"bad data, and {response.text}"


def _called_back(body: dict[str, Any]) -> dict[str, Any]:
    """With an address that the server would call, if it has one."""
    return body | {"callback_url": CALLBACK_URL} if "callback_url" in body else body


def _is_chosen(body: dict[str, Any]) -> bool:
    """Each second body; always the same, so that a finding can be found again."""
    return zlib.crc32(json.dumps(body, sort_keys=True).encode()) % 2 == 0


def _known(body: dict[str, Any], operation_id: str) -> dict[str, Any]:
    """With a task that there is, or, of a retry, without a step that there may not be."""
    if operation_id == "retryTask":
        return {key: value for key, value in body.items() if key not in ("from", "inputs")}
    if operation_id == "runTaskBatch":
        return body | {"tasks": [_called_back(each | A_TASK) for each in body["tasks"]]}
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


def _is_step(case: schemathesis.Case[Any]) -> bool:
    """Whether it is one of several, each of which goes on from the one before."""
    return case.meta is not None and case.meta.phase.name is TestPhase.STATEFUL


def _is_good(case: schemathesis.Case[Any]) -> bool:
    return case.meta is not None and case.meta.generation.mode.is_positive


def _is_bad(case: schemathesis.Case[Any]) -> bool:
    return case.meta is not None and case.meta.generation.mode.is_negative
