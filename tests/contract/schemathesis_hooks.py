"""What Schemathesis cannot know of this contract, told to it before each call.

Loaded by Schemathesis, which is started by `test_schemathesis`; imports schemathesis and
`known_names`.
"""

import atexit
import gc
import json
import os
import sys
import uuid
import zlib
from collections import Counter
from typing import Any

import schemathesis
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import CaseMetadata, TestPhase

from tests.contract.known_names import (
    CALLBACK_HOST,
    FINISHED_CID,
    MADE_BY,
    TAKEN_BY,
    KnownNames,
)

CALLBACK_URL = f"https://{CALLBACK_HOST}/aura"
ABOUT_WHAT_IS_NAMED = {
    *("bad-reference", "inputs-rejected", "unknown-step", "callback-refused"),
    *("batch-rejected", "reorder-rejected", "bad-cursor"),
}
"""What no schema can rule out."""

MOST_WAIT_SEC = 0.05
STARTS = {"runTask", "runTaskBatch", "insertIntoQueue", "dryRunTask", "createSchedule", "retryTask"}
"""Take a task that there is each second time, and always where something is to follow from it."""
NAMES_SOME = {
    *("cancelTasks", "pauseQueue", "resumeQueue", "validateTask", "updateSchedule"),
    *("getTaskStatusBatch", "reorderQueue"),
}
"""Name a plan, a task or runs that there are each second time."""
A_TASK = {"plan_name": "hello", "task_name": "greet", "inputs": {"name": "Ada"}}
FUZZED = Counter[str]()
"""How many examples each operation had."""
KNOWN = KnownNames(plan_name="hello", task_name="greet")


@schemathesis.hook
def before_call(_: Any, case: schemathesis.Case[Any], __: Any) -> None:
    """Keep waiting short; of requests that are to be good, make good what a schema cannot say."""
    operation_id = case.operation.definition.raw["operationId"]
    meta = case.meta  # asked once: it looks for changes each time
    is_good = meta is not None and meta.generation.mode.is_positive
    if meta is not None and meta.phase.name is TestPhase.FUZZING:
        FUZZED[operation_id] += 1
        _name_what_is_there(operation_id, case, meta)
    wait_sec = case.query.get("wait_sec")
    if isinstance(wait_sec, int | float):
        case.query["wait_sec"] = min(wait_sec, MOST_WAIT_SEC)
    if operation_id == "streamLogs" and (is_good or "cid" not in case.query):
        case.query["cid"] = os.environ[FINISHED_CID]
    if not is_good:
        if case.query.get("include") == "":  # is also how an empty list is written
            case.query["include"] = "nothing that there is"
        return
    if "Idempotency-Key" in case.headers:  # with another body the same key is refused
        case.headers["Idempotency-Key"] = uuid.uuid4().hex
    if isinstance(case.body, dict):
        is_step = meta is not None and meta.phase.name is TestPhase.STATEFUL
        case.body = _made_good(case.body, operation_id, is_step=is_step)


@schemathesis.hook
def after_load_schema(_: Any, __: Any) -> None:
    """Have the collector of garbage look less often, and never at the document: that is an eighth
    of the processor's time.
    """
    gc.freeze()
    gc.set_threshold(10_000)


@atexit.register
def say_how_many_there_were() -> None:
    """For the test: where Hypothesis ends early, the tool says nothing."""
    for operation_id, count in FUZZED.items():
        sys.stdout.write(f"\nexamples of {operation_id}: {count}\n")


@schemathesis.hook
def after_call(_: Any, case: schemathesis.Case[Any], response: schemathesis.Response) -> None:
    """Remember what was made, and forget what was taken away. Some cases try other methods, and
    some only ask what would be made.
    """
    operation_id = case.operation.definition.raw["operationId"]
    if case.method.upper() != case.operation.method.upper():
        return
    if operation_id in MADE_BY and response.status_code in (201, 202):
        KNOWN.made(operation_id, response.json())
    elif operation_id in TAKEN_BY and response.status_code == 200:
        KNOWN.taken(operation_id, case.path_parameters)


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


def _name_what_is_there(
    operation_id: str, case: schemathesis.Case[Any], meta: CaseMetadata
) -> None:
    """In four of five requests, where the address is to be good; elsewhere it may be bad."""
    for location, parameters in (
        (ParameterLocation.PATH, case.path_parameters),
        (ParameterLocation.QUERY, case.query),
    ):
        part = meta.components.get(location)
        if not parameters or part is None or not part.mode.is_positive:
            continue
        choice = zlib.crc32(repr(parameters).encode("utf-8", "replace"))
        if choice % 5:
            for name in parameters:
                parameters[name] = KNOWN.one(operation_id, name, choice // 5) or parameters[name]


def _made_good(body: dict[str, Any], operation_id: str, *, is_step: bool) -> dict[str, Any]:
    body = _called_back(body)
    if operation_id in STARTS and (is_step or _is_chosen(body)):
        body = _known(body, operation_id)
    elif operation_id in NAMES_SOME and _is_chosen(body):
        body = _naming(body)
    if operation_id in ("createSchedule", "updateSchedule"):
        body = _schedule(body, is_new=operation_id == "createSchedule")
    return body


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


def _naming(body: dict[str, Any]) -> dict[str, Any]:
    """With a plan, a task and a run that there are where it names any."""
    made = body | {key: value for key, value in A_TASK.items() if key in body}
    for key in body.keys() & {"cids", "cid_order"}:
        cid = KNOWN.one("", "cid", len(body[key]))
        made[key] = [cid or body[key][0], *body[key][1:]]
    return made


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


def _is_bad(case: schemathesis.Case[Any]) -> bool:
    return case.meta is not None and case.meta.generation.mode.is_negative
