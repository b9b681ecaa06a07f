"""`aura plans`: the plans that are loaded, their tasks, and what could not be loaded.

May import click, msgspec, the model and `cli`.
"""

import shlex
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click
import msgspec

from aura_aio.cli.actions import actions
from aura_aio.cli.check import check
from aura_aio.cli.groups import DefaultGroup
from aura_aio.cli.load_errors import print_load_error
from aura_aio.cli.new_plan import new_plan
from aura_aio.cli.plan_tests import test_plan
from aura_aio.cli.remote import talks_to_server
from aura_aio.cli.screen import Column, Piece, Screen, brief_value
from aura_aio.cli.text import duration, safe_lines
from aura_aio.model.plan import LoadError

if TYPE_CHECKING:
    from aura_aio.cli.client import Client


@click.group(cls=DefaultGroup, epilog="Without a command: list.")
def plans() -> None:
    """See plans and their tasks; make, check and test your own."""


@plans.command("list")
@talks_to_server
async def list_plans(client: "Client", screen: Screen) -> None:
    """List the plans, with what could not be loaded."""
    answer = await client.get("api", "plans")
    if screen.as_json:
        screen.json(answer.body)
        return
    items = answer.data["items"]
    if not items:
        screen.notes.line("No plans are loaded.")
        return
    rows: list[list[Piece]] = [
        [
            (plan["name"], "bold"),
            plan.get("version", "-"),
            str(plan["task_count"]),
            (str(plan["task_error_count"]), "red" if plan["task_error_count"] else "dim"),
            plan.get("title", ""),
        ]
        for plan in items
    ]
    columns = [
        Column("plan"),
        Column("version"),
        Column("tasks", right=True),
        Column("errors", right=True),
        Column("title", elastic=True),
    ]
    screen.table(columns, rows)
    for plan in items:
        if plan["task_error_count"]:
            found = await client.get("api", "plans", plan["name"])
            _show_errors(screen, plan["name"], found.data["load_errors"])


@plans.command("tasks")
@click.argument("plan")
@talks_to_server
async def list_tasks(client: "Client", screen: Screen, plan: str) -> None:
    """List the tasks of PLAN."""
    answer = await client.get("api", "plans", plan, "tasks")
    if screen.as_json:
        screen.json(answer.body)
    else:
        _show_tasks(screen, answer.data["items"])


@plans.command("show")
@click.argument("plan")
@click.argument("task", required=False)
@talks_to_server
async def show(client: "Client", screen: Screen, plan: str, task: str | None) -> None:
    """Show PLAN and what could not be loaded of it; or its TASK, with inputs and steps."""
    path = ("api", "plans", plan)
    answer = await client.get(*path) if task is None else await client.get(*path, "tasks", task)
    if screen.as_json:
        screen.json(answer.body)
    elif task is None:
        tasks = await client.get(*path, "tasks")
        _show_plan(screen, answer.data, tasks.data["items"])
    else:
        _show_task(screen, answer.data)


plans.add_command(actions)
plans.add_command(new_plan)
plans.add_command(check)
plans.add_command(test_plan)


def _show_plan(screen: Screen, plan: Mapping[str, Any], tasks: list[dict[str, Any]]) -> None:
    screen.out.line((plan["name"], "bold"), f"  {plan.get('version', '')}  {plan.get('title', '')}")
    _show_prose(screen, plan.get("description"))
    screen.out.line()
    _show_tasks(screen, tasks)
    _show_errors(screen, plan["name"], plan["load_errors"])
    if screen.is_terminal:
        told = f"More about a task: aura plans show {plan['name']} TASK (? may be left out)"
        screen.notes.line((told, "dim"))


def _show_tasks(screen: Screen, tasks: Iterable[Mapping[str, Any]]) -> None:
    rows: list[list[Piece]] = []
    for task in tasks:
        inputs = task["meta"]["inputs"]
        names = [name["name"] + ("" if name["required"] else "?") for name in inputs]
        rows.append([task["task_name_in_plan"], " ".join(names), task["meta"].get("title", "")])
    columns = [Column("task"), Column("inputs", elastic=True), Column("title", elastic=True)]
    if rows:
        screen.table(columns, rows)
    else:
        screen.notes.line("No tasks are loaded.")


def _show_errors(screen: Screen, plan: str, errors: Iterable[Mapping[str, Any]]) -> None:
    for error in errors:
        print_load_error(screen.out, msgspec.convert(error, LoadError), f"{plan}/")


def _show_task(screen: Screen, task: Mapping[str, Any]) -> None:
    meta = task["meta"]
    screen.out.line((task["full_task_id"], "bold"), f"  {meta.get('title', '')}")
    _show_prose(screen, meta.get("description"))
    if meta["inputs"]:
        screen.out.line()
        _show_inputs(screen, meta["inputs"])
    screen.out.line()
    _show_steps(screen, task["graph"])
    screen.out.line()
    screen.fields(_limits(meta))
    screen.out.line()
    words = ["aura", "run", task["plan_name"], task["task_name_in_plan"]]
    for each in meta["inputs"]:
        if each["required"]:
            words += ["-i", f"{each['name']}=…"]
    screen.out.line(("To run it: ", "dim"), shlex.join([*words, "--wait"]).replace("'", ""))


def _show_inputs(screen: Screen, inputs: Iterable[Mapping[str, Any]]) -> None:
    rows: list[list[Piece]] = []
    for each in inputs:
        if each["required"]:
            default: Piece = ("required", "yellow")
        else:
            default = brief_value(each["default"]) if "default" in each else "-"
        rows.append([each["name"], each["type"], default, _meaning(each)])
    columns = [
        Column("input"),
        Column("type"),
        Column("default", elastic=True),
        Column("meaning", elastic=True, wrap=True),
    ]
    screen.table(columns, rows)


def _meaning(spec: Mapping[str, Any]) -> str:
    limits = ["secret"] if spec.get("secret") else []
    if "properties" in spec:
        keys = (each["name"] + "?" * (not each["required"]) for each in spec["properties"])
        limits.append("with " + ", ".join(keys))
    if "enum" in spec:
        limits.append("one of " + ", ".join(brief_value(value) for value in spec["enum"]))
    if "min_items" in spec or "max_items" in spec:
        limits.append(f"{_range(spec.get('min_items'), spec.get('max_items'))} items")
    if "min" in spec or "max" in spec:
        of_text = spec["type"] == "string"
        limits.append(_range(spec.get("min"), spec.get("max")) + " characters" * of_text)
    if "pattern" in spec:
        limits.append(f"matches {spec['pattern']}")
    meaning: str = spec.get("description") or spec.get("label") or ""
    if meaning and limits:
        return f"{meaning} ({'; '.join(limits)})"
    return meaning or "; ".join(limits)


def _range(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f"{_number(low)} to {_number(high)}"
    return f"at least {_number(low)}" if low is not None else f"at most {_number(high)}"


def _number(number: float | None) -> str:
    return f"{number:,.12g}" if number is not None else ""


def _show_steps(screen: Screen, graph: Mapping[str, Any]) -> None:
    after: dict[str, list[str]] = {}
    for edge in graph["edges"]:
        statuses = "|".join(edge.get("statuses", ()))
        source = f"{edge['source']} ({statuses})" if statuses else edge["source"]
        after.setdefault(edge["target"], []).append(source)
    rows: list[list[Piece]] = [
        [
            node["node_id"],
            node["action"],
            ", ".join(after.get(node["node_id"], [])),
            f"when {node['when']}" if "when" in node else node.get("loop", ""),
        ]
        for node in graph["nodes"]
    ]
    columns = [Column("step"), Column("action"), Column("after", elastic=True)]
    if any(row[3] for row in rows):
        columns.append(Column("condition", elastic=True))
    screen.table(columns, [row[: len(columns)] for row in rows])


def _limits(meta: Mapping[str, Any]) -> list[tuple[str, Piece]]:
    concurrency = meta["concurrency"]
    words = [concurrency["mode"], *concurrency.get("resources", ())]
    words += [
        f"{key}={concurrency[key]}"
        for key in ("mutex_group", "max_instances")
        if key in concurrency
    ]
    fields: list[tuple[str, Piece]] = [("concurrency", " ".join(words))]
    if "timeout_sec" in meta:
        fields.append(("timeout", duration(meta["timeout_sec"])))
    fields.append(("on crash", meta["on_crash"]))
    return fields


def _show_prose(screen: Screen, text: str | None) -> None:
    for line in safe_lines(text or ""):
        if line:
            screen.out.line(line, hang=0)
