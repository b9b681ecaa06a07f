"""Runs of a plan in tests, as its own tests see them.

Imports pytest and aura_aio's parts for tests.
"""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from aura_aio.testing import (
    FakeHttp,
    FinishedRun,
    FromSchedule,
    InputsRejected,
    TaskNotFound,
    VirtualClock,
)
from aura_aio.testing.plans import PlanBroken, TestedPlan, World, plan_folder

ACTIONS = """
import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor

from aura_aio import ActionContext, action

calls = []

@action
def add(left: int, right: int, context: ActionContext) -> int:
    print("adding")
    context.log("added", level="debug", left=left)
    context.progress(0.5, "half")
    return left + right

@action
async def never(context: ActionContext) -> None:
    await asyncio.Event().wait()

@action
def save(text: str, context: ActionContext) -> str:
    (context.data_dir / "saved").write_text(text)
    return str(context.data_dir)

@action
def count() -> int:
    calls.append(1)
    return len(calls)

@action
def forget(key: str, context: ActionContext) -> None:
    context.state["last"] = context.state.pop(key)

@action
def speak() -> None:
    thread = threading.Thread(target=print, args=("of its own",), kwargs={"end": ""})
    thread.start()
    thread.join()
    with ThreadPoolExecutor() as pool:
        pool.submit(print, "of a pool", end="").result()

@action
async def speak_async() -> None:
    await asyncio.to_thread(print, "beside the loop", end="")

@action(isolation="process")
def apart(context: ActionContext) -> int:
    print("apart")
    context.state["pid"] = os.getpid()
    return os.getpid()

@action(isolation="process", timeout=1)
def waits_apart() -> None:
    threading.Event().wait()

@action
async def leaves_something_behind() -> None:
    leaves_something_behind.task = asyncio.create_task(asyncio.sleep(1e9))
"""

TASKS = {
    "sum": """
meta:
  inputs:
    - {name: left, type: integer, required: true}
    - {name: right, type: any, default: 1}
steps:
  first: {action: add, params: {left: "{{ inputs.left }}", right: "{{ inputs.right }}"}}
  never_mind: {action: fail, when: "{{ inputs.left > 100 }}"}
returns: "{{ nodes.first.output }}"
""",
    "fail": """
steps:
  break: {action: fail, params: {message: broken}, on_exception: {retry: 2, delay: 30, backoff: 3}}
  after: {action: log, depends_on: break, params: {message: not reached}}
""",
    "hang": "steps: {hang: {action: never}, slow: {action: sleep, params: {seconds: 5}}}",
    "limited": "steps: {hang: {action: never, timeout: 45}}",
    "fetch": """
steps:
  fetch:
    action: http.get
    params: {url: "https://api.example/x"}
    timeout: 20
    on_exception: {retry: 1, retry_on: [TimeoutError], delay: 60}
  save:
    action: file.write
    depends_on: fetch
    params: {path: page, content: "{{ nodes.fetch.output.text }}"}
  else: {action: log, depends_on: {fetch: failed}, params: {message: without}}
returns: "{{ nodes.fetch.output.status }}"
""",
}


class Bench:
    """Runs tasks of a plan, with a clock and a web of its own."""

    def __init__(self, plan: TestedPlan, data: Path) -> None:
        self.plan = plan
        self.clock = VirtualClock()
        self.http = FakeHttp()
        self.state: dict[str, Any] = {}
        self.secrets: dict[str, str] = {}
        self._world = World(self.clock, self.http, data, self.state, self.secrets)

    def run(self, task: str, inputs: Mapping[str, Any] | None = None, **more: Any) -> FinishedRun:
        return self.plan.run(self.plan.task(task), inputs or {}, self._world, **more)

    def call(self, action: str, **params: Any) -> FinishedRun:
        return self.plan.run(self.plan.call(action, params), params, self._world)


def write_plan(folder: Path, tasks: Mapping[str, str]) -> Path:
    (folder / "tasks").mkdir(parents=True)
    (folder / "actions.py").write_text(ACTIONS, "utf-8")
    for name, text in tasks.items():
        (folder / "tasks" / f"{name}.yaml").write_text(text, "utf-8")
    return folder


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Bench]:
    def make(**tasks: str) -> Bench:
        folder = write_plan(tmp_path / "plans" / "tried", tasks or TASKS)
        return Bench(TestedPlan(folder), tmp_path / "data")

    return make


@pytest.fixture
def bench(make: Callable[..., Bench]) -> Bench:
    return make()


def test_a_run_that_succeeds(bench: Bench) -> None:
    run = bench.run("sum", {"left": "2"})
    assert (run.task, run.status, run.result, run.error) == ("tried/sum", "succeeded", 3, None)
    assert (run.steps["first"].status, run.steps["first"].output) == ("success", 3)
    assert (run.steps["never_mind"].status, run.steps["never_mind"].tries) == ("skipped", 0)
    assert run.messages() == ["adding", "added"]
    assert (run.log[1].level, run.log[1].step, run.log[1].data) == ("debug", "first", {"left": 2})
    assert run.progress == ((0.5, "half"),)
    assert repr(run) == "<run of tried/sum: succeeded>"


def test_a_run_that_fails_took_the_time_of_its_retries(bench: Bench) -> None:
    run = bench.run("fail")
    assert run.status == "failed"
    assert run.error is not None
    assert (run.error.type, run.error.step) == ("Failed", "break")
    assert run.steps["break"].tries == 3
    assert run.steps["after"].status == "skipped"
    assert run.took_sec == 30 + 90
    assert repr(run) == "<run of tried/fail: failed: Failed in step break: broken>"
    assert run.messages("after") == []


def test_the_report_tells_the_story(bench: Bench) -> None:
    lines = bench.run("fail").report().splitlines()
    assert lines[0].startswith("    0.000 s  warning  break  Try 1 failed (Failed: broken). ")
    assert "120.000 s  error    break  Step 'break' failed: Failed: broken" in lines[2]
    assert lines[3:] == ["  120.000 s  failed", "Failed in step break: broken"]


def test_limits_are_of_the_clock(bench: Bench) -> None:
    run = bench.run("limited")
    assert run.error is not None
    assert (run.error.type, run.took_sec) == ("TimeoutError", 45)
    run = bench.run("hang", timeout_sec=3600)
    assert (run.status, run.took_sec) == ("timed_out", 3600)
    assert {name: step.status for name, step in run.steps.items()} == {
        "hang": "cancelled",
        "slow": "success",
    }


def test_http_has_the_answers_of_the_test(bench: Bench) -> None:
    bench.http.answer("https://api.example/x", delay_sec=21)
    bench.http.answer("https://api.example/x", text="here", delay_sec=5)
    run = bench.run("fetch")
    assert (run.result, run.took_sec) == (200, 20 + 60 + 5)
    assert [request.url for request in bench.http.requests] == ["https://api.example/x"] * 2
    assert bench.call("file.read", path="page").result == "here"


def test_a_request_without_an_answer_fails_the_test_whatever_the_task_makes_of_it(
    make: Callable[..., Bench],
) -> None:
    task = TASKS["fetch"].replace('\nreturns: "{{ nodes.fetch.output.status }}"', "")
    with pytest.raises(AssertionError, match="no answer for GET https://api"):
        make(fetch=task).run("fetch")


def test_an_action_alone(bench: Bench) -> None:
    assert bench.call("add", left=2, right="3").result == 5
    assert bench.call("set", value="{{ not a template }}", other=None).result == {
        "value": "{{ not a template }}",
        "other": None,
    }
    run = bench.call("add", left="two", right=3)
    assert run.error is not None
    assert "the parameter 'left' does not fit" in run.error.message
    run = bench.call("sub")
    assert run.error is not None
    assert "has no action 'sub'" in run.error.message


def test_data_is_where_the_test_wants_it(bench: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "plans" / "tried"
    assert bench.call("save", text="x").result == str(folder)
    assert (folder / "saved").read_text("utf-8") == "x"


def test_modules_are_imported_once_for_all_runs(bench: Bench) -> None:
    assert [bench.call("count").result for _ in range(3)] == [1, 2, 3]


def test_the_clock_goes_on_from_run_to_run(bench: Bench) -> None:
    bench.run("fail")
    assert bench.clock.monotonic() == 120
    bench.clock.advance(60)
    assert bench.run("sum", {"left": 1}).log[0].timestamp == bench.clock.now()


def test_what_an_action_leaves_behind_ends_with_the_run(bench: Bench) -> None:
    run = bench.call("leaves_something_behind")
    assert (run.status, run.took_sec) == ("succeeded", 0)


def test_what_the_plan_keeps_goes_from_run_to_run(bench: Bench) -> None:
    bench.state["seen"] = [1, 2]
    assert bench.call("forget", key="seen").status == "succeeded"
    assert bench.state == {"last": [1, 2]}
    failed = bench.call("forget", key="seen")
    assert failed.error is not None
    assert failed.error.type == "KeyError"
    assert bench.state == {"last": [1, 2]}


def test_secrets_reach_the_task_and_are_masked_as_on_a_server(make: Callable[..., Bench]) -> None:
    bench = make(
        say="meta: {inputs: [{name: pin, secret: true}]}\n"
        'steps: {a: {action: log, params: {message: "{{ secrets.TOKEN }} {{ inputs.pin }}"}}}\n'
        "returns: \"{{ secrets.TOKEN == 'hunter2' and inputs.pin == '471147' }}\"\n"
    )
    bench.secrets |= {"TOKEN": "hunter2"}
    run = bench.run("say", {"pin": "471147"})
    assert run.result is True
    assert run.log[0].message == "*** ***"


def test_what_starts_a_run_is_the_tests_to_say(make: Callable[..., Bench]) -> None:
    bench = make(
        say='steps: {a: {action: set, params: {by: "{{ initial.trigger }}"}}}\n'
        'returns: "{{ nodes.a.output.by }}"\n'
    )
    assert bench.run("say").result == "client"
    daily = FromSchedule(id="daily", due_at=bench.clock.now())
    assert bench.run("say", origin=daily).result == "schedule"


@pytest.mark.skipif(sys.platform == "win32", reason="the command is one of POSIX")
def test_programs_can_be_run(bench: Bench) -> None:
    run = bench.call("shell.run", command=["echo", "hello"])
    assert (run.result["stdout"], run.messages(), run.took_sec) == ("hello\n", ["hello"], 0)


def test_what_threads_of_a_call_say_is_in_the_log(bench: Bench) -> None:
    assert bench.call("speak").messages() == ["of its own", "of a pool"]
    assert bench.call("speak_async").messages() == ["beside the loop"]


def test_calls_in_processes_of_their_own_are_made_there(bench: Bench) -> None:
    run = bench.call("apart")
    assert run.result != os.getpid()
    assert run.messages() == ["apart"]
    assert bench.state == {"pid": run.result}


def test_calls_in_processes_of_their_own_have_their_time(bench: Bench) -> None:
    run = bench.call("waits_apart")
    assert run.error is not None
    assert run.error.type == "TimeoutError"


def test_paths_are_inputs_as_text(make: Callable[..., Bench], tmp_path: Path) -> None:
    bench = make(
        say="meta: {inputs: [{name: file, type: path}]}\n"
        'steps: {a: {action: set, params: {file: "{{ inputs.file }}"}}}\n'
        'returns: "{{ nodes.a.output.file }}"\n'
    )
    assert bench.run("say", {"file": tmp_path}).result == str(tmp_path)


def test_what_cannot_be_run_is_told(bench: Bench) -> None:
    with pytest.raises(InputsRejected, match="left: must be a whole number"):
        bench.run("sum", {"left": "x"})
    with pytest.raises(TaskNotFound, match="Did you mean 'sum'"):
        bench.run("sun")


async def test_a_test_on_a_loop_is_refused(bench: Bench) -> None:
    with pytest.raises(AssertionError, match="make it a plain 'def'"):
        bench.run("sum", {"left": 1})


def test_faults_of_the_plan_are_told_with_their_places(tmp_path: Path) -> None:
    folder = write_plan(tmp_path / "faulty", {"bad": "steps:\n  a: {action: lok}\n"})
    with pytest.raises(PlanBroken, match=r"tasks/bad\.yaml:2:\d+: There is no action 'lok'"):
        TestedPlan(folder)


def test_actions_of_other_plans_are_found(tmp_path: Path) -> None:
    write_plan(tmp_path / "beside" / "other", {})
    write_plan(tmp_path / "elsewhere" / "third", {})
    step = "steps: {{a: {{action: {}/add, params: {{left: 1, right: 1}}}}}}"
    tasks = {name: step.format(name) for name in ("other", "third")}
    plan = TestedPlan(write_plan(tmp_path / "beside" / "own", tasks), [tmp_path / "elsewhere"])
    for task in tasks:
        assert Bench(plan, tmp_path).run(task).steps["a"].output == 2


def test_the_plan_of_a_test_is_the_one_around_it(tmp_path: Path) -> None:
    folder = write_plan(tmp_path / "own", {}).resolve()
    assert plan_folder(folder / "tests" / "deep" / "test_it.py") == folder
    with pytest.raises(PlanBroken, match="is in no plan"):
        plan_folder(tmp_path / "test_it.py")


def test_of_two_plans_with_one_name_the_second_is_not_tested(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        path = write_plan(tmp_path / folder, {})
        (path / "manifest.yaml").write_text("package: {name: same}", "utf-8")
    with pytest.raises(PlanBroken, match="Another plan has the name"):
        TestedPlan(tmp_path / "b")
