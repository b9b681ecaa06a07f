// The form that starts a task.

import { call, newKey, Problem } from "../api.js";
import { h, setText } from "../dom.js";
import { t } from "../i18n.js";
import { actionButton, attempt } from "../parts/button.js";
import { notify } from "../parts/notice.js";
import { choiceGroup } from "../parts/parts.js";
import { go, toRun } from "../route.js";
import { fieldsOf, valuesOf } from "./fields.js";
import { labelsField, numberField } from "./kinds.js";
import { LANGUAGES, snippet } from "./snippets.js";

/** The form of `task` (a TaskDetail), filled in with the inputs `given` if there are some. */
export function launchForm(task, given, feeds) {
  const inputs = fieldsOf(task.inputs_schema, given);
  const more = [
    numberField({ name: "priority", pointer: "/priority", label: t("launch.priority"), help: t("launch.priority.help") }),
    numberField({ name: "delay_sec", pointer: "/delay_sec", label: t("launch.delay"), help: t("launch.delay.help") }),
    labelsField({ name: "labels", pointer: "/labels", label: t("launch.labels"), help: t("launch.labels.help") }),
  ];
  const fields = [...inputs, ...more];
  const summary = h("div", { class: "error-box", role: "alert", hidden: true });
  const send = actionButton({ operation: "runTask", kind: "primary", label: t("launch.send"), submits: true });
  const options = h("details", { class: "options" }, h("summary", {}, t("launch.options")), more.map((field) => field.node));
  let key = newKey();

  const bodyOf = (how) => ({ plan_name: task.plan_name, task_name: task.task_name_in_plan, inputs: valuesOf(inputs, how), ...valuesOf(more) });

  async function submit(event) {
    event.preventDefault();
    if (send.getAttribute("aria-disabled") === "true") return;
    showFaults([], undefined);
    const faults = fields.flatMap((field) => field.fault() ?? []);
    if (faults.length) showFaults(faults, t("launch.faults"));
    else await attempt(send, () => launch(bodyOf()));
  }

  async function launch(body) {
    try {
      const { cid } = await call("runTask", {}, { body, headers: { "Idempotency-Key": key } });
      key = newKey();
      notify(t("launch.done", { task: task.full_task_id }));
      feeds.refresh();
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

  const code = codeView(() => bodyOf("shown"));
  const form = h("form", { novalidate: true, onsubmit: submit, oninput: code.update, onchange: code.update }, inputs.map((field) => field.node), options, summary, h("div", { class: "row" }, send, code.button), code.node);
  return form;
}

/** The request of the form as code: `{button, node, update()}`. */
function codeView(bodyOf) {
  /** @type {Parameters<typeof snippet>[0]} */
  let language = "curl";
  const pre = h("pre", { tabindex: "0", role: "group", "aria-label": t("code.title") });
  const languages = choiceGroup({ label: t("code.language"), choices: LANGUAGES, chosen: (value) => {
    language = value;
    update();
  } });
  const copy = h("button", { type: "button", onclick: copyIt }, t("copy"));
  const node = h("div", { class: "code-view", hidden: true }, h("div", { class: "row" }, languages.node, copy), pre);
  const button = h("button", { type: "button", class: "quiet", "aria-expanded": "false", onclick: toggle }, t("code.title"));

  function toggle() {
    node.hidden = !node.hidden;
    button.setAttribute("aria-expanded", String(!node.hidden));
    update();
    if (!node.hidden) node.scrollIntoView({ block: "nearest" });
  }

  function update() {
    languages.update(language);
    if (node.hidden) return;
    try {
      setText(pre, snippet(language, bodyOf()));
    } catch (error) {
      setText(pre, error.message);
    }
  }

  async function copyIt() {
    try {
      await navigator.clipboard.writeText(pre.textContent);
      notify(t("copied"));
    } catch {
      getSelection().selectAllChildren(pre); // no clipboard without HTTPS: mark it at least
    }
  }

  update();
  return { button, node, update };
}
