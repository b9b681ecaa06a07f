"""What code here does not do: one rule a row, each proved to see a breach.

Imports pytest and `source` only.
"""

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import pytest

from tests.architecture.source import Finding, Source, names, parsed, sources

# Where a coroutine task may be made without a TaskGroup, and who then cancels and awaits it.
OWNED_COROUTINE_TASKS = {
    "aura_aio/dispatch/processes.py": "InProcessWorker.kill; its end is a future to wait for",
    "aura_aio/engine/executors.py": "_in_task, or Runner.run when the call outlives its limit",
    "aura_aio/engine/isolation/guest.py": "_Guest, whose process ends with its one task",
    "aura_aio/engine/runner.py": "Runner.run, which cancels the steps and waits for them",
    "aura_aio/model/coroutines.py": "CoroutineTasks.aclose",
    "aura_aio/worker/session.py": "Session.serve, when the link has ended",
}

_CLOCKS = {
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.date.today",
    "time.time",
    "time.time_ns",
    "uuid.uuid1",
    "uuid.uuid4",
}


class Rule(NamedTuple):
    """`breaches` finds what is forbidden in the files for which `holds_in` is true."""

    name: str
    folders: tuple[str, ...]
    holds_in: Callable[[str], bool]
    breaches: Callable[[Source], Iterable[Finding]]
    instead: str
    breach: str
    no_breach: str


def sleeps(source: Source) -> Iterator[Finding]:
    """Waiting for time to pass."""
    for line, name in names(source):
        if name in {"time.sleep", "asyncio.sleep"}:
            yield Finding(line, name)


def clocks(source: Source) -> Iterator[Finding]:
    """The machine's clock, and ids made from nothing."""
    for line, name in names(source):
        if name in _CLOCKS:
            yield Finding(line, name)


def prints(source: Source) -> Iterator[Finding]:
    """`print`, also handed on as a value."""
    for line, name in names(source):
        if name == "print":
            yield Finding(line, name)


def loose_coroutine_tasks(source: Source) -> Iterator[Finding]:
    """Coroutine tasks made beside a TaskGroup: by asyncio itself, or by a loop."""
    for line, name in names(source):
        owner, _, method = name.rpartition(".")
        loose = owner in {"asyncio", "()"} or "loop" in owner.rpartition(".")[2]
        if method in {"create_task", "ensure_future"} and loose:
            yield Finding(line, name)


def unexplained_catch_alls(source: Source) -> Iterator[Finding]:
    """`except Exception` and its like, without a comment on the line."""
    found = {}
    for node in source.nodes:
        if isinstance(node, ast.ExceptHandler):
            caught = "" if node.type is None else ast.unparse(node.type)
            if node.type is None or re.search(r"\b(Base)?Exception\b", caught):
                found[node.lineno] = Finding(node.lineno, f"except {caught}".strip())
    if not found:
        return  # as in most files; to read one token by token takes longer than all else here
    tokens = tokenize.generate_tokens(io.StringIO(source.text).readline)
    explained = {token.start[0] for token in tokens if token.type == tokenize.COMMENT}
    for line in sorted(found.keys() - explained):
        yield found[line]


def short_docstrings(source: Source) -> Iterator[Finding]:
    """A module that does not say what lives in it and what it may import."""
    text = ast.get_docstring(source.tree) or ""
    if len([line for line in text.splitlines() if line.strip()]) < 2:
        yield Finding(1, "the docstring of the module has fewer than two lines")


RULES = [
    Rule(
        "tests wait, they do not sleep",
        ("tests",),
        # The actions of plans that tests run may take their time.
        lambda path: path != "tests/waiting.py" and not re.search(r"/actions(/|\.py$)", path),
        sleeps,
        "wait for an event, or with `await until(condition, within=5)` from tests/waiting.py",
        "from asyncio import sleep as nap\nawait_ = nap(1)",
        "def sleep(): ...\nsleep()",
    ),
    Rule(
        "time and ids come from outside",
        ("aura_aio",),
        lambda path: not path.startswith("aura_aio/model/"),
        clocks,
        "take a Clock (aura_aio/model/clock.py) or `new_cid` as an argument",
        "from datetime import datetime\nfield = dict(default_factory=datetime.now)",
        "import time\nclock.now()\ntime.monotonic()",
    ),
    Rule(
        "nothing prints",
        ("aura_aio",),
        lambda path: not path.startswith("aura_aio/cli/"),
        prints,
        "use the part's logger; only aura_aio/cli talks to a person",
        "def show(): print(1)",
        "console.print(1)",
    ),
    Rule(
        "every coroutine task has an owner",
        ("aura_aio",),
        lambda path: path not in OWNED_COROUTINE_TASKS,
        loose_coroutine_tasks,
        "use a TaskGroup; or cancel and await it at close, and name who does so in "
        "OWNED_COROUTINE_TASKS in tests/architecture/test_conduct.py",
        "import asyncio\nasyncio.get_running_loop().create_task(work())",
        "group.create_task(work())",
    ),
    Rule(
        "catching everything has a reason",
        ("aura_aio", "scripts"),
        lambda path: True,
        unexplained_catch_alls,
        "catch what you can handle, or say on the same line why it is everything: "
        "`except Exception:  # an action may raise what it likes`",
        "try: ...\nexcept (OSError, Exception): ...",
        "try: ...\nexcept Exception:  # the plan's own code\n    ...",
    ),
    Rule(
        "modules say what they are",
        ("aura_aio", "scripts"),
        lambda path: True,
        short_docstrings,
        "open the module with two lines: what lives here, and what it may import",
        '"""One line."""',
        '"""What lives here.\n\nWhat it may import.\n"""',
    ),
]

each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name.replace(" ", "-"))


@each_rule
def test_no_file_breaks_the_rule(rule: Rule) -> None:
    found = [
        f"{source.path}:{finding.line}: {finding.what}"
        for source in sources(*rule.folders)
        if rule.holds_in(source.path)
        for finding in rule.breaches(source)
    ]
    assert not found, "\n".join([f"{rule.name}: {rule.instead}", *found])


@each_rule
def test_the_rule_sees_a_breach_and_nothing_else(rule: Rule) -> None:
    assert list(rule.breaches(parsed("breach.py", rule.breach)))
    assert not list(rule.breaches(parsed("no_breach.py", rule.no_breach)))


def test_every_owner_of_coroutine_tasks_still_makes_some() -> None:
    making = {source.path for source in sources("aura_aio") if any(loose_coroutine_tasks(source))}
    assert not OWNED_COROUTINE_TASKS.keys() - making, "remove what has gone from the list"
