"""The words of task files: what each key takes, and what it means, as JSON Schema.

May import model, and of `catalog` the words that are defined there.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final

from aura_aio.catalog.concurrency import MODES
from aura_aio.catalog.inputs import TYPES
from aura_aio.catalog.place import MAX_SECONDS
from aura_aio.model.event import ENDS, EVENTS
from aura_aio.model.limits import MOST_AT_ONCE
from aura_aio.model.plan import Isolation
from aura_aio.model.run import OnCrash

Schema = dict[str, Any]

NAME: Final = r"^[^\s/:.\-][^\s/:]{0,99}$"
_TEMPLATE: Final = r"\{\{|\{%"


def of_type(kind: str, description: str, **rest: Any) -> Schema:
    """A value of one type."""
    return {"type": kind, "description": description, **rest}


def text(description: str, **rest: Any) -> Schema:
    """A text that is not blank."""
    return of_type("string", description, **({"pattern": r"\S"} | rest))


def one_of(words: Collection[str], description: str, **rest: Any) -> Schema:
    """One of these words."""
    return {"enum": list(words), "description": description, **rest}


def seconds(description: str, *, zero: bool = False, **rest: Any) -> Schema:
    """A duration; `zero` if none at all is fine too."""
    least = {"minimum": 0} if zero else {"exclusiveMinimum": 0}
    return of_type("number", description, **least, maximum=MAX_SECONDS, **rest)


def ref(name: str, description: str) -> Schema:
    """What stands under `name` in the definitions."""
    return {"description": description, "$ref": f"#/$defs/{name}"}


RESOURCES: Final[Schema] = {
    "anyOf": [
        {"type": "string", "pattern": r"\S"},
        {"type": "array", "minItems": 1, "items": {"type": "string", "pattern": r"\S"}},
    ]
}
_TEXTS: Final[Schema] = {
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]
}
_COUNT: Final[Schema] = {
    "description": 'How many elements: 3, "<=5", ">=2", "1-3" or [1, 3].',
    "anyOf": [
        {"type": "integer", "minimum": 0},
        {
            "type": "string",
            "pattern": r"^\s*((<=|>=)\s*)?\d{1,9}\s*$|^\s*\d{1,9}\s*-\s*\d{1,9}\s*$",
        },
        {
            "type": "array",
            "items": {"type": "integer", "minimum": 0},
            "minItems": 2,
            "maxItems": 2,
        },
    ],
}
_BY_NAME: Final = {"propertyNames": {"pattern": NAME}}
_CHOICES: Final = of_type("array", "The values that it may have.", minItems=1)

TASK_WORDS: Final[Mapping[str, Schema]] = {
    "meta": ref("meta", "What is known of the task before it runs: title, inputs, limits."),
    "on": {
        "description": "The events that start the task by themselves.",
        "anyOf": [
            {"$ref": "#/$defs/event"},
            {"type": "array", "items": {"$ref": "#/$defs/event"}},
        ],
    },
    "steps": of_type(
        "object",
        "The steps, by name. Those without a path between them run at the same time.",
        additionalProperties={"$ref": "#/$defs/step"},
        **_BY_NAME,
    ),
    "returns": {"description": "The result of a run, with templates; without it: true."},
}

META_WORDS: Final[Mapping[str, Schema]] = {
    "title": text("What people read first."),
    "description": text("What the task does."),
    "inputs": of_type("array", "What its runs are given.", items={"$ref": "#/$defs/input"}),
    "concurrency": ref("concurrency", "How its runs may stand beside other runs."),
    "timeout": seconds("Limit of the whole run, in seconds."),
    "timeout_sec": seconds("The same as timeout."),
    "on_crash": one_of(
        list(OnCrash),
        "What becomes of a run that has lost its worker: it fails, goes on from its finished "
        "steps, or starts again.",
        default=OnCrash.FAIL.value,
    ),
    "entry_point": of_type("boolean", "Known to the earlier Aura; nothing follows from it."),
}

INPUT_WORDS: Final[Mapping[str, Schema]] = {
    "name": text("The name that templates use: {{ inputs.name }}.", pattern=NAME),
    "type": {
        "description": "The type; values are converted to it.",
        "default": "string",
        "anyOf": [
            {"enum": list(TYPES)},
            {"type": "string", "pattern": r"^\s*[Ll][Ii][Ss][Tt]\s*<.+>\s*$"},
        ],
    },
    "required": of_type("boolean", "Whether a run must be given it.", default=False),
    "default": {"description": "What it is when it is not given."},
    "enum": _CHOICES,
    "options": _CHOICES | {"description": "The same as enum."},
    "min": of_type("number", "The least number, length of a text, or number of elements."),
    "max": of_type("number", "The greatest number, length of a text, or number of elements."),
    "min_items": of_type("integer", "The least number of elements.", minimum=0),
    "max_items": of_type("integer", "The greatest number of elements.", minimum=0),
    "count": _COUNT,
    "item": ref("value", "What is asked of each element."),
    "properties": of_type(
        "object",
        "What is asked of each key of a dict; others are refused.",
        additionalProperties={"$ref": "#/$defs/value"},
        **_BY_NAME,
    ),
    "pattern": text("A regular expression that a text must match.", format="regex"),
    "label": text("What a form shows beside the field."),
    "description": text("What it means."),
    "ui": of_type("object", "Hints for forms; nothing follows from them here."),
    "secret": of_type(
        "boolean", "Whether its value is hidden wherever it would show.", default=False
    ),
}

CONCURRENCY_WORDS: Final[Mapping[str, Schema]] = {
    "mode": one_of(MODES, "exclusive: nothing exclusive beside it; shared: within resources."),
    "resources": RESOURCES | {"description": "What its runs share: name, or name:N for N runs."},
    "mutex_group": text("One run at a time of all tasks in this group."),
    "max_instances": of_type(
        "integer", "How many runs of this task at a time.", minimum=1, maximum=MOST_AT_ONCE
    ),
}

EVENT_WORDS: Final[Mapping[str, Schema]] = {
    "event": one_of(EVENTS, "What happens."),
    "plan": text("In which plan; its own if it is not said, any with *."),
    "task": text("With which task; any if it is not said."),
    "status": _TEXTS | {"description": f"How the run ended: {'|'.join(ENDS)}."},
    "inputs": of_type("object", "The inputs of the run that is started."),
}

STEP_WORDS: Final[Mapping[str, Schema]] = {
    "action": text("The action: built in, of this plan, or plan/action."),
    "params": of_type("object", "The parameters of the action, by name, with templates."),
    "depends_on": ref("dependency", "The steps that come first."),
    "when": {
        "description": "A template; if it gives false, the step is skipped.",
        "anyOf": [{"type": "boolean"}, {"type": "string", "pattern": r"\S"}],
    },
    "loop": ref("loop", "Call the action again and again."),
    "timeout": seconds("Limit of each try, in seconds."),
    "timeout_sec": seconds("The same as timeout."),
    "outputs": of_type(
        "object", "What is kept of the result, by name; templates see it as result.", **_BY_NAME
    ),
    "step_note": text("A line for people, with templates."),
    "isolation": one_of(list(Isolation), "Call the action in a process of its own."),
    "on_exception": ref("on_exception", "Try again after an exception."),
    "on_result": ref("on_result", "Try again after a result that is not good enough."),
    "retry": {
        "description": "How many more tries; or {count, delay, retry_on, condition}.",
        "anyOf": [{"type": "integer", "minimum": 0}, {"$ref": "#/$defs/retry"}],
    },
    "retry_delay": seconds("The pause before another try, in seconds.", zero=True),
    "retry_on": _TEXTS | {"description": "The exceptions after which it is tried again."},
    "retry_condition": text("A template over result; while it gives true, it is tried again."),
}

LOOP_WORDS: Final[Mapping[str, Schema]] = {
    "for_each": {
        "description": "A list or a mapping, or a template that gives one.",
        "anyOf": [
            {"type": "array"},
            {"type": "object"},
            {"type": "string", "pattern": _TEMPLATE},
        ],
    },
    "times": {
        "description": "How often, or a template that gives it.",
        "anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": _TEMPLATE}],
    },
    "while": text("A template; as long as it gives true.", pattern=_TEMPLATE),
    "max_iterations": of_type(
        "integer", "How often at the most, with while.", minimum=1, default=1000
    ),
    "parallelism": of_type("integer", "How many at the same time.", minimum=1, default=1),
}

ON_EXCEPTION_WORDS: Final[Mapping[str, Schema]] = {
    "retry": of_type("integer", "How many more tries.", minimum=0),
    "retry_on": _TEXTS | {"description": "Names of exceptions; any, if they are not said."},
    "delay": seconds("The first pause, in seconds.", zero=True, default=0),
    "backoff": of_type("number", "How many times longer each pause is.", minimum=1, default=1),
    "max_delay": seconds("The longest pause, in seconds.", zero=True),
    "jitter": of_type("boolean", "Whether each pause is cut by up to a half.", default=False),
}

ON_RESULT_WORDS: Final[Mapping[str, Schema]] = {
    "retry_when": text("A template over result; while it gives true, it is tried again."),
    "max_retries": of_type("integer", "How many more tries.", minimum=0, default=3),
    "delay": seconds("The pause, in seconds.", zero=True, default=0),
}

RETRY_WORDS: Final[Mapping[str, Schema]] = {
    "count": of_type("integer", "How many more tries.", minimum=0),
    "delay": seconds("The pause, in seconds.", zero=True, default=0),
    "retry_on": ON_EXCEPTION_WORDS["retry_on"],
    "condition": ON_RESULT_WORDS["retry_when"],
}
