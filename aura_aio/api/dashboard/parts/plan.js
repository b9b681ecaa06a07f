// A plan with its tasks, as a card.

import { call } from "../api.js";
import { h, setAttribute } from "../dom.js";
import { number } from "../format.js";
import { t } from "../i18n.js";
import { icon } from "../icons.js";
import { toPlan, toTask } from "../route.js";
import { explain } from "./notice.js";

/** The card of `plan`: `{node, update(), find(text)}`, where `find` shows only the tasks with this text. */
export function planCard(plan) {
  const tasks = h("ul", { class: "tasks" });
  const errors = h("ul", { class: "load-errors", "aria-label": t("plans.loaderrors"), hidden: true });
  const about = h("p", { class: "muted about", hidden: true });
  let wanted = "";

  async function load() {
    try {
      const [{ items }, whole] = await Promise.all([call("listPlanTasks", { plan_name: plan.name }), call("getPlan", { plan_name: plan.name })]);
      tasks.replaceChildren(...items.map(taskRow));
      about.textContent = whole.description ?? "";
      about.hidden = !whole.description;
      errors.replaceChildren(...whole.load_errors.map(errorRow));
      errors.hidden = whole.load_errors.length === 0;
      find(wanted);
    } catch (error) {
      tasks.replaceChildren(h("li", { class: "error-text" }, explain(error)));
    }
  }

  function find(text) {
    wanted = text;
    for (const row of tasks.children) setAttribute(row, "hidden", !row.textContent.toLowerCase().includes(text));
    setAttribute(node, "hidden", text !== "" && ![...tasks.children].some((row) => !row.hidden));
  }

  const node = h(
    "section",
    { class: "card plan", "aria-label": plan.name },
    h(
      "div",
      { class: "card-head" },
      h("h2", {}, h("a", { href: toPlan(plan.name) }, plan.title ?? plan.name)),
      h("span", { class: "muted" }, [plan.title && plan.name, plan.version].filter(Boolean).join(" · ")),
      plan.task_error_count > 0 && h("span", { class: "chip", "data-status": "failed" }, icon("failed"), t("plans.errors", { count: number(plan.task_error_count) })),
    ),
    about,
    errors,
    tasks,
  );
  load();
  return { node, update() {}, find };
}

function taskRow(task) {
  const { title, description } = task.meta;
  return h(
    "li",
    {},
    h("div", { class: "grow" }, h("a", { class: "name stretched", href: toTask(task.plan_name, task.task_name_in_plan) }, title ?? task.task_name_in_plan), " ", title && h("code", { class: "muted" }, task.task_name_in_plan), description && h("p", { class: "muted" }, description)),
    icon("running"),
  );
}

function errorRow({ file, line, column, path, message }) {
  const place = [file, line, column].filter((each) => each !== undefined).join(":");
  return h("li", {}, h("code", {}, place), path && h("span", { class: "muted" }, ` ${path}`), h("div", {}, message));
}
