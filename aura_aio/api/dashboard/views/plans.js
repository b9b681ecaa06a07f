// Plans and their tasks in the panel: what can be started, and what could not be loaded.

import { getPlan, listPlanTasks, reloadPlans } from "../api.js";
import { choose } from "../dialog.js";
import { h, rowsOf, setAttribute, setText } from "../dom.js";
import { number } from "../format.js";
import { t } from "../i18n.js";
import { attempt, explain, notify } from "../notice.js";
import { toTask } from "../route.js";

const OPEN_UP_TO = 8; // with more plans than these, a plan is opened by hand

/** The panel of the plans: `{title, tool, node, leave}`. */
export function plansView(feeds) {
  const list = h("div", { class: "plans" });
  const empty = h("p", { class: "empty", hidden: true }, t("plans.empty"));
  const reload = h("button", { type: "button", onclick: reloadNow }, t("plans.reload"));
  let open = false;
  const show = rowsOf(list, planKey, (plan) => planRow(plan, open));

  async function reloadNow() {
    let answer = await attempt(reload, () => reloadOr409());
    if (answer === "active") {
      const force = await choose({ title: t("reload.title"), text: t("reload.text"), choices: [{ value: true, label: t("reload.force"), kind: "primary" }] });
      if (!force) return;
      answer = await attempt(reload, () => reloadPlans({ force: true }));
    }
    if (!answer) return;
    notify(t("reload.done", { plans: number(answer.plan_count), tasks: number(answer.task_count), errors: number(answer.task_error_count) }));
    feeds.reloads += 1;
    feeds.plans.refresh();
  }

  const stop = feeds.plans.read(({ items }) => {
    open = items.length <= OPEN_UP_TO;
    setAttribute(empty, "hidden", items.length > 0);
    show(items.map((plan) => ({ ...plan, reloads: feeds.reloads })));
  });

  return { title: h("span", {}, t("plans.title")), tool: reload, node: h("div", {}, list, empty), leave: stop };
}

/** What the plans are loaded from again when it changes. */
function planKey(plan) {
  return JSON.stringify([plan.name, plan.version, plan.task_count, plan.task_error_count, plan.reloads]);
}

async function reloadOr409() {
  try {
    return await reloadPlans();
  } catch (error) {
    if (error.status === 409) return "active";
    throw error;
  }
}

function planRow(plan, open) {
  const tasks = h("ul", { class: "tasks" });
  const errors = h("ul", { class: "load-errors", hidden: true });
  const about = h("p", { class: "muted", hidden: true });
  let asked = false;

  async function load() {
    if (asked) return;
    asked = true;
    try {
      const [{ items }, whole] = await Promise.all([listPlanTasks(plan.name), getPlan(plan.name)]);
      tasks.replaceChildren(...items.map(taskRow));
      setText(about, whole.description ?? "");
      setAttribute(about, "hidden", !whole.description);
      errors.replaceChildren(...whole.load_errors.map(errorRow));
      setAttribute(errors, "hidden", whole.load_errors.length === 0);
    } catch (error) {
      asked = false;
      tasks.replaceChildren(h("li", { class: "error-text" }, explain(error)));
    }
  }

  const node = h(
    "details",
    { open, ontoggle: () => node.open && load() },
    h(
      "summary",
      {},
      h("span", { class: "name" }, plan.title ?? plan.name),
      h("span", { class: "muted" }, [plan.title && plan.name, plan.version].filter(Boolean).join(" · ")),
      plan.task_error_count > 0 && h("span", { class: "chip", "data-status": "failed" }, t("plans.errors", { count: number(plan.task_error_count) })),
    ),
    about,
    errors,
    tasks,
  );
  return { node, update() {} };
}

function taskRow(task) {
  const { title, description } = task.meta;
  return h(
    "li",
    {},
    h("div", { class: "grow" }, h("div", { class: "name" }, title ?? task.task_name_in_plan), title && h("code", {}, task.task_name_in_plan), description && h("p", { class: "muted" }, description)),
    h("a", { class: "button", href: toTask(task.plan_name, task.task_name_in_plan), "aria-label": t("plans.run.name", { task: task.full_task_id }) }, t("plans.run")),
  );
}

function errorRow({ file, line, column, path, message }) {
  const place = [file, line, column].filter((each) => each !== undefined).join(":");
  return h("li", {}, h("code", {}, place), path && h("span", { class: "muted" }, ` ${path}`), h("div", {}, message));
}
