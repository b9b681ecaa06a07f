"""Tasks that run other tasks, in tests of plans: child runs are real, and follow the same rules.

Imports pytest and aura_aio's parts for tests.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from aura_aio.testing import FakeHttp, FinishedRun, VirtualClock
from aura_aio.testing.plans import TestedPlan, World

ACTIONS = '''"""What children call."""

from aura_aio import ActionContext, action


@action
def remember(context: ActionContext, key: str) -> dict:
    """Keep a key, and give all that are kept."""
    context.state[key] = True
    return dict(context.state)
'''

TASKS = {
    "double": """
meta: {inputs: [{name: n, type: number, required: true}, {name: by, type: number, default: 2}]}
steps: {it: {action: log, params: {message: "{{ inputs.n }} {{ initial.parent.step }}"}}}
returns: "{{ inputs.n * inputs.by }}"
""",
    "parent": """
meta: {inputs: [{name: n, default: 21}]}
steps: {child: {action: aura.run_task, params: {task: double, inputs: {n: "{{ inputs.n }}"}}}}
returns: "{{ nodes.child.output }}"
""",
    "unknown": "steps: {child: {action: aura.run_task, params: {task: duble}}}",
    "ring": "steps: {again: {action: aura.run_task, params: {task: ring}}}",
    "broken": "steps: {it: {action: fail, params: {message: no luck}}}",
    "shrugs": """
steps: {child: {action: aura.run_task, params: {task: broken, must_succeed: false}}}
returns: "{{ nodes.child.output }}"
""",
    "tries": "steps: {child: {action: aura.run_task, params: {task: broken}, retry: {count: 2}}}",
    "slow": "steps: {it: {action: sleep, params: {seconds: 3600}}}",
    "impatient": """
steps:
  child: {action: aura.run_task, params: {task: runs_slow}, timeout: 60}
  after: {action: set, depends_on: {child: failed}}
""",
    "runs_slow": "steps: {child: {action: aura.run_task, params: {task: slow}}}",
    "leaves": """
meta: {inputs: [{name: fails, type: boolean}]}
steps:
  child: {action: aura.run_task, params: {task: slow, wait: false}}
  end: {action: fail, when: "{{ inputs.fails }}", depends_on: child}
returns: "{{ nodes.child.output.status }}"
""",
    "exclusive": """
meta: {concurrency: {mutex_group: site}}
steps: {it: {action: sleep, params: {seconds: 10}}}
""",
    "fan": """
meta: {inputs: [{name: task}], concurrency: {mutex_group: site}}
steps:
  each:
    action: aura.run_task
    loop: {times: 3, parallelism: 3}
    params: {task: "{{ inputs.task }}"}
""",
    "leaves_locked": """
meta: {concurrency: {mutex_group: site}}
steps:
  child: {action: aura.run_task, params: {task: exclusive, wait: false}}
  wait: {action: sleep, params: {seconds: 100}}
""",
    "whisper": """
meta: {inputs: [{name: text}]}
steps: {it: {action: log, params: {message: "{{ inputs.text[4:] }}"}}}
returns: "{{ inputs.text }}"
""",
    "secretive": """
steps:
  child: {action: aura.run_task, params: {task: whisper, inputs: {text: "key {{ secrets.KEY }}"}}}
returns: "{{ nodes.child.output.result }}"
""",
    "fetch": """
steps: {it: {action: http.get, params: {url: "https://api.example/x"}}}
returns: "{{ nodes.it.output.text }}"
""",
    "fetches": """
steps: {child: {action: aura.run_task, params: {task: fetch}}}
returns: "{{ nodes.child.output.result }}"
""",
    "keep": """
meta: {inputs: [{name: key}]}
steps: {it: {action: remember, params: {key: "{{ inputs.key }}"}}}
returns: "{{ nodes.it.output }}"
""",
    "keeps": """
steps:
  own: {action: aura.run_task, params: {task: keep, inputs: {key: own}}}
  other:
    action: aura.run_task
    params: {plan_name: other, task: keep, inputs: {key: other}}
    depends_on: own
  again: {action: aura.run_task, params: {task: keep, inputs: {key: again}}, depends_on: other}
returns:
  - "{{ nodes.own.output.result }}"
  - "{{ nodes.other.output.result }}"
  - "{{ nodes.again.output.result }}"
""",
}


def write(folder: Path, tasks: Mapping[str, str]) -> Path:
    (folder / "tasks").mkdir(parents=True)
    (folder / "actions.py").write_text(ACTIONS, "utf-8")
    for name, text in tasks.items():
        (folder / "tasks" / f"{name}.yaml").write_text(text, "utf-8")
    return folder


Run = Callable[..., FinishedRun]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(VirtualClock(), FakeHttp(), tmp_path / "data", {}, {"KEY": "s3cr3t"})


@pytest.fixture
def run(tmp_path: Path, world: World) -> Run:
    write(tmp_path / "plans" / "other", {"keep": TASKS["keep"]})
    plan = TestedPlan(write(tmp_path / "plans" / "family", TASKS))

    def run(task: str, inputs: Mapping[str, Any] | None = None, **more: Any) -> FinishedRun:
        return plan.run(plan.task(task), inputs or {}, world, **more)

    return run


def test_the_step_gets_the_result_and_the_test_sees_the_child(run: Run) -> None:
    parent = run("parent")
    assert parent.status == "succeeded", parent.report()
    (child,) = parent.children
    assert parent.result["result"] == 42
    assert parent.result["status"] == "succeeded"
    assert (child.task, child.status, child.result) == ("family/double", "succeeded", 42)
    assert child.inputs == {"n": 21, "by": 2}
    assert child.messages() == ["21 child"]
    assert "21 child" not in parent.messages()
    assert "child run of family/double" in parent.report()
    assert "21 child" in parent.report()


@pytest.mark.parametrize(
    ("task", "inputs", "sentence"),
    [
        ("unknown", {}, "Did you mean 'double'?"),
        ("parent", {"n": "many"}, "n: "),
        ("ring", {}, "17 deep, and 16 is the most (child_depth)"),
    ],
)
def test_what_cannot_be_started_fails_the_step_as_on_a_server(
    run: Run, task: str, inputs: dict[str, Any], sentence: str
) -> None:
    parent = run(task, inputs)
    assert parent.status == "failed"
    assert parent.error is not None
    assert parent.error.type in {"ChildNotStarted", "ChildFailed"}
    assert sentence in parent.error.message


def test_a_child_that_fails_fails_the_step_unless_it_need_not_succeed(run: Run) -> None:
    parent = run("tries")
    assert parent.error is not None
    assert parent.error.type == "ChildFailed"
    assert parent.error.message.endswith("of family/broken ended as failed: Failed: no luck")
    assert [child.status for child in parent.children] == ["failed"] * 3
    shrugs = run("shrugs")
    assert shrugs.status == "succeeded"
    assert shrugs.result["error"] == {"type": "Failed", "message": "no luck"}


def test_a_child_takes_the_time_of_the_test(run: Run, world: World) -> None:
    parent = run("runs_slow")
    assert (parent.status, parent.took_sec) == ("succeeded", 3600)
    assert parent.children[0].took_sec == 3600


def test_a_step_out_of_time_cancels_its_child_and_that_its_own(run: Run) -> None:
    parent = run("impatient")
    assert (parent.status, parent.took_sec) == ("succeeded", 60)
    (child,) = parent.children
    assert (child.status, child.error, child.took_sec) == ("cancelled", None, 60)
    assert [grandchild.status for grandchild in child.children] == ["cancelled"]


@pytest.mark.parametrize("fails", [False, True])
def test_a_child_that_nobody_waits_for_goes_on_only_after_success(run: Run, fails: bool) -> None:
    parent = run("leaves", {"fails": fails})
    (child,) = parent.children
    assert parent.took_sec == 0
    if fails:
        assert (parent.status, child.status, child.took_sec) == ("failed", "cancelled", 0)
    else:
        assert (parent.result, child.status, child.took_sec) == ("queued", "succeeded", 3600)


def test_a_run_out_of_time_takes_its_children_along(run: Run) -> None:
    parent = run("runs_slow", timeout_sec=5)
    assert (parent.status, parent.children[0].status) == ("timed_out", "cancelled")


@pytest.mark.parametrize(("task", "took_sec"), [("exclusive", 30), ("slow", 3600)])
def test_limits_hold_between_children_and_not_against_their_parent(
    run: Run, task: str, took_sec: float
) -> None:
    parent = run("fan", {"task": task})
    assert (parent.status, parent.took_sec) == ("succeeded", took_sec)


def test_a_child_that_nobody_waits_for_waits_for_the_limits_of_its_parent(run: Run) -> None:
    parent = run("leaves_locked")
    (child,) = parent.children
    assert (parent.took_sec, child.status) == (100, "succeeded")
    assert child.began_at == parent.began_at + 100


def test_secrets_stay_secret_in_children(run: Run) -> None:
    parent = run("secretive")
    (child,) = parent.children
    assert child.inputs == {"text": "***"}
    assert child.messages() == ["***"]
    assert parent.result == "key ***"
    assert "s3cr3t" not in parent.report()


def test_children_find_the_web_of_the_test(run: Run, world: World) -> None:
    world.http.answer("https://api.example/x", text="hello")
    assert run("fetches").result == "hello"


def test_children_of_a_plan_keep_what_it_keeps(run: Run, world: World) -> None:
    parent = run("keeps")
    assert parent.status == "succeeded", parent.report()
    assert parent.result == [{"own": True}, {"other": True}, {"own": True, "again": True}]
    assert world.state == {"own": True, "again": True}
