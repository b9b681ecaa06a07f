"""Plans and tasks as answers: the counterpart of `views` for what the catalog holds.

May import scheduler's plans and model.
"""

from collections.abc import Iterator, Sequence

import msgspec
from msgspec import UNSET

from aura_aio.api.views import Answer, page, present
from aura_aio.model.plan import (
    ActionSpec,
    AllOf,
    AnyOf,
    Definition,
    Dependency,
    DependsOn,
    InputSpec,
    LoadError,
    NoneOf,
    Plan,
    Step,
    Task,
)
from aura_aio.scheduler.plans import inputs_schema


def plan_list(plans: Sequence[Plan]) -> Answer:
    """PlanList."""
    return page(map(_plan_summary, plans))


def plan_detail(plan: Plan) -> Answer:
    """Plan."""
    return _plan_summary(plan) | present(
        description=plan.description, load_errors=[_load_error(error) for error in plan.errors]
    )


def task_list(tasks: Sequence[Task]) -> Answer:
    """TaskList."""
    return page(map(_task_summary, tasks))


def task_detail(task: Task) -> Answer:
    """TaskDetail."""
    graph = {
        "nodes": [_node(step) for step in task.steps],
        "edges": [edge for step in task.steps for edge in _edges(step)],
    }
    return _task_summary(task) | {"graph": graph}


def run_definition(cid: str, definition: Definition) -> Answer:
    """RunDefinition."""
    return {
        "cid": cid,
        "definition_digest": definition.digest,
        "task": task_detail(definition.task()),
        "document": msgspec.Raw(definition.document),
    }


def action_list(actions: Sequence[tuple[str | None, ActionSpec]]) -> Answer:
    """ActionList."""
    return page(_action(plan_name, spec) for plan_name, spec in actions)


def reload_result(plans: Sequence[Plan]) -> Answer:
    """ReloadResult."""
    return {
        "plan_count": len(plans),
        "task_count": sum(len(plan.tasks) for plan in plans),
        "task_error_count": sum(len(plan.errors) for plan in plans),
    }


def validation(errors: Sequence[LoadError]) -> Answer:
    """TaskValidation."""
    return {"valid": not errors, "errors": [_document_error(error) for error in errors]}


def _document_error(error: LoadError) -> Answer:
    values = _load_error(error)
    del values["file"]
    return values


def _action(plan_name: str | None, spec: ActionSpec) -> Answer:
    return present(
        name=spec.name,
        plan_name=plan_name,
        doc=spec.doc,
        timeout_sec=spec.timeout_sec,
        isolation=spec.isolation,
        parameters=[present(**msgspec.structs.asdict(each)) for each in spec.parameters],
    )


def _plan_summary(plan: Plan) -> Answer:
    return present(
        name=plan.name,
        title=plan.title,
        version=plan.version,
        digest=plan.digest,
        task_count=len(plan.tasks),
        task_error_count=len(plan.errors),
    )


def _load_error(error: LoadError) -> Answer:
    return present(**msgspec.structs.asdict(error))


def _task_summary(task: Task) -> Answer:
    meta = task.meta
    return {
        "full_task_id": task.full_task_id,
        "plan_name": task.plan_name,
        "task_name_in_plan": task.name,
        "meta": present(
            title=meta.title,
            description=meta.description,
            inputs=[_input(spec) for spec in meta.inputs],
            concurrency=present(
                mode=meta.concurrency.mode,
                resources=list(meta.concurrency.resources) or None,
                mutex_group=meta.concurrency.mutex_group,
                max_instances=meta.concurrency.max_instances,
            ),
            timeout_sec=meta.timeout_sec,
            on_crash=meta.on_crash,
        ),
        "inputs_schema": inputs_schema(task),
    }


def _input(spec: InputSpec) -> Answer:
    values = msgspec.structs.asdict(spec)
    has_default = values.pop("default") is not UNSET
    values["item"] = None if spec.item is None else _input(spec.item)
    if spec.properties is not None:
        values["properties"] = [_input(each) for each in spec.properties]
    if not spec.secret:
        del values["secret"]
    default = {"default": spec.default} if has_default else {}
    return present(**values) | default


def _node(step: Step) -> Answer:
    return present(
        node_id=step.name,
        action=step.action,
        when=None if step.when is None else str(step.when),
        loop=_loop_kind(step),
        timeout_sec=step.timeout_sec,
        step_note=step.step_note,
    )


def _loop_kind(step: Step) -> str | None:
    if step.loop is None:
        return None
    if step.loop.while_ is not None:
        return "while"
    return "times" if step.loop.times is not None else "for_each"


def _edges(step: Step) -> Iterator[Answer]:
    if step.depends_on is not None:
        yield from _edges_of(step.depends_on, step.name, None)


def _edges_of(dependency: Dependency, target: str, group: str | None) -> Iterator[Answer]:
    match dependency:
        case DependsOn():
            yield present(
                source=dependency.step,
                target=target,
                statuses=None if dependency.statuses is None else list(dependency.statuses),
                group=group,
            )
        case AllOf() | AnyOf() | NoneOf():
            name = type(dependency).__struct_config__.tag
            for each in dependency.of:
                yield from _edges_of(each, target, str(name))
