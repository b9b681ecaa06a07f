// The form that starts a task, in the panel.

import { getRun, getTask, Problem, runTask } from "../api.js";
import { h, setText } from "../dom.js";
import { fieldsOf } from "../form/fields.js";
import { numberField } from "../form/kinds.js";
import { t } from "../i18n.js";
import { attempt, explain, notify } from "../notice.js";
import { go, toRun } from "../route.js";

/** The panel that starts `task` of `plan`, filled in with the inputs of the run `from` if there is one. */
export function launchView(plan, task, from, feeds) {
  const node = h("div", { class: "launch" }, h("p", { class: "empty" }, "…"));
  const abort = new AbortController();
  const reading = [getTask(plan, task, abort.signal), from === undefined ? undefined : getRun(from, {}, abort.signal)];
  Promise.all(reading).then(
    ([definition, run]) => {
      if (!abort.signal.aborted) node.replaceChildren(...formOf(definition, run?.inputs, feeds));
    },
    (error) => abort.signal.aborted || node.replaceChildren(h("p", { class: "error-text", role: "alert" }, explain(error))),
  );
  return { title: h("span", {}, `${plan}/${task}`), node, leave: () => abort.abort() };
}

function formOf(definition, given, feeds) {
  const inputs = fieldsOf(definition.inputs_schema, given);
  const more = [
    numberField({ name: "priority", pointer: "/priority", label: t("launch.priority"), help: t("launch.priority.help") }),
    numberField({ name: "delay_sec", pointer: "/delay_sec", label: t("launch.delay"), help: t("launch.delay.help") }),
  ];
  const fields = [...inputs, ...more];
  const summary = h("div", { class: "error-box", role: "alert", hidden: true });
  const send = h("button", { class: "primary" }, t("launch.send"));
  const options = h("details", {}, h("summary", {}, t("launch.options")), ...more.map((field) => field.node));
  let key = newKey();

  async function submit(event) {
    event.preventDefault();
    if (send.hasAttribute("aria-disabled")) return;
    showFaults([], undefined);
    const faults = fields.flatMap((field) => field.fault() ?? []);
    if (faults.length) return showFaults(faults, t("launch.faults"));
    const body = { plan_name: definition.plan_name, task_name: definition.task_name_in_plan, inputs: valuesOf(inputs), ...valuesOf(more) };
    await attempt(send, () => launch(body));
  }

  async function launch(body) {
    try {
      const { cid } = await runTask(body, key);
      key = newKey();
      notify(t("launch.done", { task: definition.full_task_id }));
      feeds.refreshRuns();
      go(toRun(cid));
    } catch (error) {
      if (!(error instanceof Problem)) throw error; // nobody knows: the same key makes sure it runs once
      key = newKey();
      showFaults(error.errors, error.message);
    }
  }

  function showFaults(faults, detail) {
    const rest = faults.filter((fault) => !fields.some((field) => field.complain(fault)));
    for (const field of fields) field.settle();
    const wrong = fields.find((field) => field.wrong);
    if (more.includes(wrong)) options.open = true;
    summary.hidden = detail === undefined || (wrong !== undefined && rest.length === 0);
    setText(summary, [detail, ...rest.map((fault) => `${fault.field}: ${fault.message}`)].join("\n"));
    wrong?.focus();
  }

  const about = definition.meta.description ?? definition.meta.title;
  const form = h("form", { novalidate: true, onsubmit: submit }, ...inputs.map((field) => field.node), options, summary, h("div", { class: "row end" }, send));
  return [about && h("p", { class: "muted" }, about), form].filter(Boolean);
}

function valuesOf(fields) {
  const values = {};
  for (const field of fields) {
    const value = field.value();
    if (value !== undefined) values[field.name] = value;
  }
  return values;
}

/** A key under which the same request, sent again after a lost answer, runs once. */
function newKey() {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join("-");
}
