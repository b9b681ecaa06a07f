"""The example plans as the catalog loads them, and their actions as a step calls them.

Imports the catalog and the engine's context; the plans' code comes in through the catalog only.
"""

import asyncio
import csv
import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from aura_aio import ActionContext
from aura_aio.catalog.actions import load_actions
from aura_aio.catalog.catalog import Catalog, load_catalog
from aura_aio.engine.context import RunIdentity
from aura_aio.engine.parameters import Binder
from aura_aio.engine.results import as_stored, to_json
from aura_aio.model.clock import SystemClock
from aura_aio.model.ids import CidFactory
from aura_aio.model.log import LogLine
from aura_aio.model.plan import Task
from aura_aio.model.run import StepRecord

PLANS: Final = Path(__file__).parents[2] / "plans"
NAMES: Final = ("csv_report", "hello", "log_digest", "site_check")


@dataclasses.dataclass
class Notebook:
    """A Journal that keeps what it is told."""

    lines: list[LogLine] = dataclasses.field(default_factory=list)
    fractions: list[float] = dataclasses.field(default_factory=list)

    def log(self, line: LogLine) -> None:
        """Keeps the line."""
        self.lines.append(line)

    def step(self, record: StepRecord) -> None:
        """Is not told of steps here."""
        raise AssertionError(record)

    def progress(self, cid: str, fraction: float, message: str) -> None:
        """Keeps the fraction."""
        self.fractions.append(fraction)

    async def room(self) -> None:
        """There always is."""

    async def synced(self) -> None:
        """There is no disk."""

    @property
    def messages(self) -> list[str]:
        """What was logged, without the levels."""
        return [line.message for line in self.lines]


class Called:
    """The actions of one plan, with a data folder, as one run has them."""

    def __init__(self, plan_name: str, data_root: Path) -> None:
        plan = _catalog().plan(plan_name)
        self.loaded = load_actions(PLANS / plan_name, plan.actions.values())

        self.notebook = Notebook()
        self.context = ActionContext(
            RunIdentity(CidFactory(SystemClock())(), plan_name, "some task", 1, "some worker"),
            step="some step",
            action="some action",
            journal=self.notebook,
            clock=SystemClock(),
            data_root=data_root,
        )
        self.data_dir = self.context.data_dir

    def bound(self, action: str, **params: Any) -> Callable[[], Any]:
        """A call of an action, with its parameters converted as a step's are."""
        loaded = self.loaded[action]
        assert loaded.failure is None
        arguments = Binder(action, loaded.function).bind(params, self.context)
        return functools.partial(loaded.function, **arguments)

    def __call__(self, action: str, /, **params: Any) -> Any:
        """What a sync action returns, as the next step sees it."""
        result = self.bound(action, **params)()
        return as_stored(result, to_json(result, "the result"))


@pytest.fixture
def call(tmp_path: Path) -> Callable[[str], Called]:
    return lambda plan_name: Called(plan_name, tmp_path)


def _catalog() -> Catalog:
    return load_catalog([PLANS])


def _defaults(plan_name: str, task_name: str) -> dict[str, Any]:
    task = _catalog().task(plan_name, task_name).task
    return {spec.name: spec.default for spec in task.meta.inputs if not spec.required}


def test_every_plan_loads_without_an_error() -> None:
    catalog = _catalog()
    assert catalog.errors == ()
    assert sorted(catalog.plans) == list(NAMES)
    assert {name: plan.errors for name, plan in catalog.plans.items()} == dict.fromkeys(NAMES, ())


@pytest.mark.parametrize("plan_name", NAMES)
def test_every_action_can_be_imported_and_says_what_it_does(plan_name: str) -> None:
    plan = _catalog().plan(plan_name)
    for name, action in load_actions(PLANS / plan_name, plan.actions.values()).items():
        assert action.failure is None
        assert plan.actions[name].doc


@pytest.mark.parametrize("plan_name", NAMES)
def test_each_step_gives_its_action_the_parameters_that_it_has(plan_name: str) -> None:
    plan = _catalog().plan(plan_name)
    loaded = load_actions(PLANS / plan_name, plan.actions.values())
    tasks: list[Task] = [_catalog().task(plan_name, task).task for task in plan.tasks]
    own = [step for task in tasks for step in task.steps if step.action in loaded]
    assert {step.action for step in own} == set(loaded)
    for step in own:
        wanted = set(loaded[step.action].function.__annotations__) - {"return", "context"}
        assert set(step.params) == wanted


@pytest.mark.parametrize("plan_name", NAMES)
def test_each_plan_has_a_readme_that_shows_all_its_tasks(plan_name: str) -> None:
    text = (PLANS / plan_name / "README.md").read_text(encoding="utf-8")
    for task in _catalog().plan(plan_name).tasks:
        assert f"aura run {plan_name} {task}" in text
        assert f'"task_name": "{task}"' in text


def test_hello_greets(call: Callable[[str], Called]) -> None:
    hello = call("hello")
    assert hello("greet", name="Zoë") == "Hello, Zoë!"
    assert hello.notebook.messages == ["Hello, Zoë!"]


async def test_a_dish_takes_its_time(call: Callable[[str], Called]) -> None:
    hello = await asyncio.to_thread(call, "hello")
    assert await hello.bound("prepare", dish="toast", seconds=0.01)() == "toast"
    assert hello.notebook.fractions == [0, 0.25, 0.5, 0.75]
    assert hello.notebook.messages == ["toast is ready"]


def test_a_guest_wakes_after_some_calls(call: Callable[[str], Called]) -> None:
    hello = call("hello")
    for number in (1, 2):
        with pytest.raises(ConnectionError, match=rf"sleeping \(call {number}\)"):
            hello("wake", who="Zoë", calls_needed=3)
    assert hello("wake", who="Zoë", calls_needed=3) == "Zoë"
    assert list(hello.data_dir.iterdir()) == []
    words = hello("serve", guest="Zoë", dishes=["toast", "coffee"])
    assert words == "Zoë has toast and coffee for breakfast"


def test_a_csv_report_from_the_file_to_the_page(call: Callable[[str], Called]) -> None:
    plan = call("csv_report")
    made = plan("generate_orders", rows=400, seed=2, mess="heavy", file_name="")
    assert made["path"] == "orders-heavy-2.csv"
    assert made["size_bytes"] == (plan.data_dir / made["path"]).stat().st_size
    inputs = _defaults("csv_report", "report")
    most = inputs.pop("charts")
    source = plan("detect_format", path=made["path"], **inputs)
    profile = plan("profile_rows", source=source)
    charts = plan("draw_charts", profile=profile, most=most)
    report = plan("write_markdown", profile=profile, charts=charts)
    assert profile["rows"] == 400
    assert (plan.data_dir / report).read_text(encoding="utf-8").startswith("# Report on orders")
    assert len(charts) == 13
    assert all(
        (plan.data_dir / report).with_name("charts").joinpath(Path(name).name).is_file()
        for name in charts.values()
    )
    warnings = [line.message for line in plan.notebook.lines if line.level == "warning"]
    assert [text.split(":")[0] for text in warnings] == list(profile["problem_counts"])
    assert plan.notebook.fractions[-1] == 1


def test_a_csv_report_on_a_file_elsewhere(call: Callable[[str], Called], tmp_path: Path) -> None:
    plan = call("csv_report")
    path = tmp_path / "elsewhere.tsv"
    with path.open("w", newline="") as file:
        csv.writer(file, delimiter="\t").writerows([["id", "name"], [1, "a"], [2, "b"]])
    inputs = _defaults("csv_report", "report")
    del inputs["charts"]
    source = plan("detect_format", path=str(path), **inputs | {"delimiter": "\\t"})
    assert source["delimiter"] == "\t"
    assert plan("profile_rows", source=source)["valid_rows"] == 2
    with pytest.raises(FileNotFoundError, match="absolute path"):
        plan("detect_format", path="elsewhere.tsv", **inputs)


def test_two_runs_on_one_file_write_apart(call: Callable[[str], Called]) -> None:
    reports = []
    for _ in range(2):
        plan = call("csv_report")
        made = plan("generate_orders", rows=10, seed=1, mess="none", file_name="same.csv")
        inputs = _defaults("csv_report", "report")
        del inputs["charts"]
        profile = plan("profile_rows", source=plan("detect_format", path=made["path"], **inputs))
        reports.append(plan("write_markdown", profile=profile, charts={}))
    assert reports[0] != reports[1]


@pytest.mark.parametrize("name", ["access.log", "access.log.gz"])
def test_a_digest_of_a_generated_log(call: Callable[[str], Called], name: str) -> None:
    plan = call("log_digest")
    inputs = _defaults("log_digest", "generate") | {"lines": 12_000, "file_name": name}
    inputs["log_format"] = inputs.pop("format")
    made = plan("generate_log", **inputs)
    assert made["path"] == name
    digest = plan("digest_log", path=name, top=5, time_unit="auto", min_requests=1)
    assert digest["lines"] == 12_000
    assert digest["requests"] + digest["bad_lines"] + digest["blank_lines"] == 12_000
    assert digest["slowest_paths"][0]["path"] == "/reports/yearly"
    assert plan.notebook.messages[-1].startswith(f"{digest['requests']:,} requests, ")


def test_a_file_that_is_no_log_is_warned_of(call: Callable[[str], Called]) -> None:
    plan = call("log_digest")
    (plan.data_dir / "notes.txt").write_text("this and that\n")
    plan("digest_log", path="notes.txt", top=5, time_unit="auto", min_requests=1)
    assert plan.notebook.lines[-1].level == "warning"


@pytest.mark.parametrize(
    ("plan_name", "action", "params"),
    [
        ("csv_report", "generate_orders", {"rows": 30_000, "seed": 1, "mess": "none"}),
        ("csv_report", "profile_rows", {"source": None}),
        ("log_digest", "digest_log", {"top": 1, "time_unit": "auto", "min_requests": 1}),
        (
            "log_digest",
            "generate_log",
            {"lines": 30_000, "seed": 1, "log_format": "common", "days": 1, "bad_percent": 0},
        ),
    ],
)
def test_a_cancelled_action_stops(
    call: Callable[[str], Called], plan_name: str, action: str, params: dict[str, Any]
) -> None:
    plan = call(plan_name)
    (plan.data_dir / "big").write_text("a,b\n" * 50_000)
    if "source" in params:
        inputs = _defaults("csv_report", "report")
        del inputs["charts"]
        params = {"source": plan("detect_format", path="big", **inputs)}
    else:
        params = params | ({"path": "big"} if "top" in params else {"file_name": "new"})
    plan.context.cancelled = True
    with pytest.raises(InterruptedError, match="the run was cancelled"):
        plan(action, **params)


def test_the_summary_of_a_table(call: Callable[[str], Called]) -> None:
    plan = call("site_check")
    row = {
        "url": "http://a/",
        "status": 200,
        "ok": True,
        "elapsed_ms": 5.0,
        "tries": 1,
        "error": None,
    }
    bad = row | {"url": "http://b/", "ok": False, "status": None, "error": "no connection"}
    slow = row | {"url": "http://c/", "elapsed_ms": 9.0}
    assert plan("summarize", table=[row, bad, slow]) == {
        "ok": 2,
        "failed": 1,
        "failed_urls": ["http://b/"],
        "slowest_url": "http://c/",
        "slowest_ms": 9.0,
    }
    assert plan("summarize", table=[bad])["slowest_url"] is None


async def test_a_check_tells_of_each_answer(call: Callable[[str], Called]) -> None:
    plan = await asyncio.to_thread(call, "site_check")
    inputs = await asyncio.to_thread(_defaults, "site_check", "check")
    del inputs["fail_on_error"]
    table = await plan.bound("check_urls", urls=["not a url", "nor this"], **inputs)()
    assert [row["ok"] for row in table] == [False, False]
    assert [line.level for line in plan.notebook.lines] == ["warning", "warning"]
    assert plan.notebook.fractions == [0.5, 1.0]
