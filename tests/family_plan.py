"""A plan whose tasks run other tasks as child runs, those of `probe` among them.

Imports `tests.serving` and `tests.probe_plan`.
"""

from pathlib import Path

from tests.probe_plan import write_probe
from tests.serving import write_plan

_ACTIONS = '''"""What also runs in a worker inside the server."""

import threading
from pathlib import Path

from aura_aio import ActionContext, action


@action
def hold_thread(context: ActionContext, gate: str) -> None:
    """Return as soon as the file `gate` exists."""
    never = threading.Event()
    while not (Path(gate).exists() or context.cancelled):
        never.wait(0.01)
'''

_HELD = """
meta:
  on_crash: {on_crash}
  inputs: [{{name: gate, type: string, required: true}}, {{name: file, type: string}}]
steps:
  before: {{action: log, params: {{message: "before"}}}}
  child:
    action: aura.run_task
    params:
      task: marked
      inputs: {{gate: "{{{{ inputs.gate }}}}", file: "{{{{ inputs.file }}}}"}}
    depends_on: before
returns: "{{{{ nodes.child.output }}}}"
"""

_TASKS = {
    "double": """
meta: {inputs: [{name: n, type: number, required: true}]}
steps: {it: {action: set, params: {n: "{{ inputs.n * 2 }}"}}}
returns: "{{ nodes.it.output.n }}"
""",
    "sub/quadruple": """
meta: {inputs: [{name: n, type: number, required: true}]}
steps:
  once: {action: aura.run_task, params: {task: double, inputs: {n: "{{ inputs.n }}"}}}
  twice:
    action: aura.run_task
    params: {task: "tasks:double.yaml", inputs: {n: "{{ nodes.once.output.result }}"}}
    depends_on: once
returns: "{{ nodes.twice.output.result }}"
""",
    "generations": """
meta: {inputs: [{name: n, type: number, default: 1}]}
steps:
  child:
    action: aura.run_task
    params: {task_ref: "tasks:sub:quadruple.yaml", inputs: {n: "{{ inputs.n }}"}}
returns: "{{ nodes.child.output }}"
""",
    "fan": """
steps:
  each:
    action: aura.run_task
    loop: {for_each: [1, 2, 3, 4, 5], parallelism: 3}
    params: {task: double, inputs: {n: "{{ loop.item }}"}}
    outputs: {n: "{{ result.result }}"}
  alone: {action: aura.run_task, params: {task: double, inputs: {n: 10}}}
returns: ["{{ nodes.each.n }}", "{{ nodes.alone.output.result }}"]
""",
    "with_all": """
steps:
  child:
    action: aura.run_task
    params:
      {task: double, inputs: {n: 1}, priority: -7, timeout_sec: 60, labels: {team: "{{ 'a' }}"}}
  plain: {action: aura.run_task, params: {task: double, inputs: {n: 1}}}
""",
    "broken": """
steps: {it: {action: fail, params: {message: "no luck"}}}
""",
    "runs_broken": """
steps: {child: {action: aura.run_task, params: {task: broken}}}
""",
    "tries_broken": """
steps:
  child: {action: aura.run_task, params: {task: broken}, retry: {count: 2}}
""",
    "shrugs": """
steps: {child: {action: aura.run_task, params: {task: broken, must_succeed: false}}}
returns: "{{ nodes.child.output }}"
""",
    "ring": "steps: {again: {action: aura.run_task, params: {task: ring}}}\n",
    "anything": """
meta: {inputs: [{name: params, type: dict, required: true}]}
steps:
  child:
    action: aura.run_task
    params:
      task: "{{ inputs.params.task | default(none) }}"
      plan_name: "{{ inputs.params.plan_name | default(none) }}"
      inputs: "{{ inputs.params.inputs | default({}) }}"
      priority: "{{ inputs.params.priority | default(none) }}"
      timeout_sec: "{{ inputs.params.timeout_sec | default(none) }}"
      labels: "{{ inputs.params.labels | default({}) }}"
returns: "{{ nodes.child.output }}"
""",
    "waits": """
meta: {inputs: [{name: gate, type: string, required: true}]}
steps:
  child:
    action: aura.run_task
    params: {plan_name: probe, task: hold, inputs: {gate: "{{ inputs.gate }}"}}
returns: "{{ nodes.child.output.result }}"
""",
    "waits_deep": """
meta: {inputs: [{name: gate, type: string, required: true}]}
steps:
  child: {action: aura.run_task, params: {task: waits, inputs: {gate: "{{ inputs.gate }}"}}}
returns: "{{ nodes.child.output.result }}"
""",
    "then_waits": """
meta:
  inputs: [{name: gate, type: string, required: true}]
steps:
  hold: {action: hold_thread, params: {gate: "{{ inputs.gate }}"}}
  child: {action: aura.run_task, params: {task: generations}, depends_on: hold}
returns: "{{ nodes.child.output.result }}"
""",
    "leaves": """
meta:
  inputs:
    - {name: gate, type: string, required: true}
    - {name: own_gate, type: string, required: true}
    - {name: fails, type: boolean, default: false}
steps:
  child:
    action: aura.run_task
    params: {plan_name: probe, task: hold, inputs: {gate: "{{ inputs.gate }}"}, wait: false}
  hold: {action: probe/hold, params: {gate: "{{ inputs.own_gate }}"}, depends_on: child}
  end: {action: fail, when: "{{ inputs.fails }}", depends_on: hold}
returns: "{{ nodes.child.output }}"
""",
    "impatient": """
meta: {inputs: [{name: gate, type: string, required: true}]}
steps:
  child:
    action: aura.run_task
    params: {plan_name: probe, task: hold, inputs: {gate: "{{ inputs.gate }}"}}
    timeout: 0.3
  goes_on: {action: set, params: {n: 1}, depends_on: {child: failed}}
returns: "{{ nodes.goes_on.output.n }}"
""",
    "locked_child": """
meta: {concurrency: {mutex_group: site}}
steps: {it: {action: set, params: {n: 1}}}
returns: "{{ nodes.it.output.n }}"
""",
    "locked": """
meta: {concurrency: {mutex_group: site}}
steps:
  child: {action: aura.run_task, params: {task: locked_child}}
  deeper:
    action: aura.run_task
    params: {task: between}
returns: ["{{ nodes.child.output.result }}", "{{ nodes.deeper.output.result }}"]
""",
    "needs_disk": """
meta: {concurrency: {resources: [disk]}}
steps: {it: {action: set, params: {n: 1}}}
""",
    "needs_both": """
meta: {concurrency: {resources: [disk], mutex_group: site}}
steps: {it: {action: set, params: {n: 1}}}
""",
    "locked_then_waits": """
meta:
  concurrency: {mutex_group: site}
  inputs: [{name: gate, type: string, required: true}]
steps:
  hold: {action: probe/hold, params: {gate: "{{ inputs.gate }}"}}
  child: {action: aura.run_task, params: {task: needs_disk}, depends_on: hold}
""",
    "between": """
steps: {child: {action: aura.run_task, params: {task: locked_child}}}
returns: "{{ nodes.child.output.result }}"
""",
    "locked_leaves": """
meta:
  concurrency: {mutex_group: site}
  inputs: [{name: gate, type: string, required: true}]
steps:
  child: {action: aura.run_task, params: {task: locked_child, wait: false}}
  hold: {action: probe/hold, params: {gate: "{{ inputs.gate }}"}, depends_on: child}
returns: "{{ nodes.child.output.cid }}"
""",
    "marked": """
meta:
  on_crash: resume
  inputs: [{name: gate, type: string, required: true}, {name: file, type: string}]
steps:
  mark: {action: probe/count, params: {file: "{{ inputs.file }}", line: child}}
  hold: {action: probe/hold, params: {gate: "{{ inputs.gate }}"}, depends_on: mark}
returns: done
""",
    **{f"held_{word}": _HELD.format(on_crash=word) for word in ("fail", "resume", "restart")},
}


def write_family(root: Path) -> str:
    """The plans `family` and `probe` below `root`; answers `root` for the setting `plans`."""
    write_plan(root, "family", _TASKS, _ACTIONS)
    return write_probe(root)
