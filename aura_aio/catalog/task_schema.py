"""JSON Schema of task files, for editors: what may stand where, and what it means.

May import model, and of `catalog` what reads task files: the keys are those that they know.
"""

from collections.abc import Collection, Mapping
from typing import Final

from aura_aio.catalog import retries, triggers
from aura_aio.catalog.concurrency import CONCURRENCY_FIELDS, MODES
from aura_aio.catalog.dependencies import OPERATORS, STATUSES
from aura_aio.catalog.input_specs import INPUT_FIELDS
from aura_aio.catalog.steps import KINDS_OF_LOOPS, LOOP_FIELDS, STEP_FIELDS
from aura_aio.catalog.task_words import (
    CONCURRENCY_WORDS,
    EVENT_WORDS,
    INPUT_WORDS,
    LOOP_WORDS,
    META_WORDS,
    NAME,
    ON_EXCEPTION_WORDS,
    ON_RESULT_WORDS,
    RESOURCES,
    RETRY_WORDS,
    STEP_WORDS,
    TASK_WORDS,
    Schema,
    one_of,
    text,
)
from aura_aio.catalog.taskfile import META_FIELDS, SIGNS_OF_A_TASK, TASK_FIELDS

SCHEMA_ID: Final = "urn:aura:schema:task"
_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"


def task_schema() -> Schema:
    """The schema (draft 2020-12). It takes every file that loads; it cannot know names of steps,
    inputs and actions, which the loader checks, too.
    """
    return {
        "$schema": _DRAFT,
        "$id": SCHEMA_ID,
        "title": "Aura task file",
        "description": "One task, or a map of several by name.",
        "type": "object",
        "if": {"anyOf": [{"required": [key]} for key in SIGNS_OF_A_TASK]},
        "then": {"$ref": "#/$defs/task"},
        "else": {
            "minProperties": 1,
            "propertyNames": {"pattern": NAME},
            "additionalProperties": {"$ref": "#/$defs/task"},
        },
        "$defs": {
            "task": _task(),
            "meta": _fields(META_FIELDS, META_WORDS, "What is known of the task before it runs."),
            "input": _input(("name",), INPUT_FIELDS, "What a run of the task is given."),
            "value": _input((), INPUT_FIELDS[1:], "What is asked of a value within an input."),
            "concurrency": _concurrency(),
            "event": _event(),
            "step": _step(),
            "dependency": _dependency(),
            "loop": _loop(),
            "on_exception": _fields(
                retries.ON_EXCEPTION_FIELDS,
                ON_EXCEPTION_WORDS,
                "Try again after an exception.",
                "retry",
            ),
            "on_result": _fields(
                retries.ON_RESULT_FIELDS, ON_RESULT_WORDS, "Try again after a result.", "retry_when"
            ),
            "retry": _fields(retries.RETRY_FIELDS, RETRY_WORDS, "The short form of both.", "count"),
        },
    }


def _task() -> Schema:
    return _fields(TASK_FIELDS, TASK_WORDS, "A task: a graph of steps.", "steps")


def _input(required: Collection[str], keys: Collection[str], meaning: str) -> Schema:
    return _fields(keys, INPUT_WORDS, meaning, *required)


def _step() -> Schema:
    step = _fields(STEP_FIELDS, STEP_WORDS, "A step calls an action.", "action")
    return step | {"not": {"required": ["timeout", "timeout_sec"]}}


def _loop() -> Schema:
    loop = _fields(LOOP_FIELDS, LOOP_WORDS, "Call the action again and again.")
    return loop | {"oneOf": [{"required": [kind]} for kind in KINDS_OF_LOOPS]}


def _event() -> Schema:
    return _fields(triggers.EVENT_FIELDS, EVENT_WORDS, "An event that starts the task.", "event")


def _concurrency() -> Schema:
    limits = _fields(CONCURRENCY_FIELDS, CONCURRENCY_WORDS, "All limits.")
    modes = one_of([mode for mode in MODES if mode != "shared"], "A mode alone.")
    resources = RESOURCES | {"type": "array", "description": "What its runs share."}
    return {"anyOf": [modes, resources, limits]}


def _dependency() -> Schema:
    inner = {"$ref": "#/$defs/dependency"}
    operators = [
        {
            "type": "object",
            "required": [word],
            "properties": {word: {"anyOf": [inner, {"type": "array", "minItems": 1}]}},
            "additionalProperties": False,
        }
        for word in OPERATORS
    ]
    word = f"({'|'.join(map(_in_any_case, STATUSES))})"
    by_status = {
        "type": "object",
        "propertyNames": {"not": {"enum": list(OPERATORS)}},
        "additionalProperties": {"type": "string", "pattern": rf"^\s*{word}\s*(\|\s*{word}\s*)*$"},
    }
    steps = {"type": "array", "items": inner}
    return {
        "description": "A step, a list of steps, {all|any|none: […]}, or {step: success|failed}.",
        "anyOf": [text("A step that must have succeeded."), steps, *operators, by_status],
    }


def _in_any_case(word: str) -> str:
    """A pattern; editors know no flag for that."""
    return "".join(f"[{letter.upper()}{letter}]" for letter in word)


def _fields(
    keys: Collection[str], known: Mapping[str, Schema], description: str, *required: str
) -> Schema:
    """A mapping with these keys, each as `known` describes it; one without value is not there."""
    schema: Schema = {
        "description": description,
        "type": "object",
        "properties": {key: _or_nothing(known[key], key in required) for key in keys},
        "additionalProperties": False,
    }
    return schema | {"required": list(required)} if required else schema


def _or_nothing(schema: Schema, required: bool) -> Schema:
    if required or not schema.keys() & {"type", "anyOf", "enum", "$ref"}:
        return schema
    rest = {key: each for key, each in schema.items() if key not in {"description", "default"}}
    notes = {key: each for key, each in schema.items() if key in {"description", "default"}}
    return notes | {"anyOf": [rest, {"type": "null"}]}
