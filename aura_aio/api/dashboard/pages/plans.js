// All plans with their tasks: what can be started, and what could not be loaded.

import { call } from "../api.js";
import { h, rowsOf, setAttribute } from "../dom.js";
import { feedOf } from "../feed.js";
import { number } from "../format.js";
import { t } from "../i18n.js";
import { icon } from "../icons.js";
import { actionButton, attempt } from "../parts/button.js";
import { choose } from "../parts/dialog.js";
import { pageHead } from "../parts/head.js";
import { notify } from "../parts/notice.js";
import { planCard } from "../parts/plan.js";

const EVERY_MS = 30_000;

export function plansPage(_, feeds) {
  let reloads = 0; // how often plans were reloaded from here
  let text = "";
  const feed = feedOf((signal) => call("listPlans", {}, { signal }), EVERY_MS);
  const list = h("div", { class: "plans" });
  const empty = h("p", { class: "empty", hidden: true }, t("plans.empty"));
  const reload = actionButton({ operation: "reloadPlans", act: reloadNow, label: t("plans.reload") });
  const search = h("input", { type: "search", placeholder: t("plans.search"), "aria-label": t("plans.search"), "aria-keyshortcuts": "/", oninput: () => find() });
  const cards = new Map(); // by the names of the plans
  const show = rowsOf(list, planKey, (plan) => {
    const made = planCard(plan);
    cards.set(plan.name, made);
    made.find(text);
    return made;
  });

  function find() {
    text = search.value.trim().toLowerCase();
    for (const each of cards.values()) each.find(text);
  }

  async function reloadNow() {
    let answer = await attempt(reload, reloadOr409);
    if (answer === "active") {
      const force = await choose({ title: t("reload.title"), text: t("reload.text"), choices: [{ value: true, label: t("reload.force"), kind: "primary" }] });
      if (!force) return;
      answer = await attempt(reload, () => call("reloadPlans", {}, { body: { force: true } }));
    }
    if (!answer) return;
    notify(t("reload.done", { plans: number(answer.plan_count), tasks: number(answer.task_count), errors: number(answer.task_error_count) }));
    reloads += 1;
    feed.refresh();
    feeds.refresh();
  }

  feed.read(({ items }) => {
    setAttribute(empty, "hidden", items.length > 0);
    show(items.map((plan) => ({ ...plan, reloads })));
  });

  return {
    title: t("nav.plans"),
    nodes: [pageHead({ title: t("nav.plans"), tools: [reload] }), h("div", { class: "bar" }, h("div", { class: "search" }, icon("search"), search)), list, empty],
    leave: () => feed.end(),
  };
}

/** What the card of a plan is made anew from when it changes. */
function planKey(plan) {
  return JSON.stringify([plan.name, plan.version, plan.task_count, plan.task_error_count, plan.reloads]);
}

async function reloadOr409() {
  try {
    return await call("reloadPlans");
  } catch (error) {
    if (error.status === 409) return "active";
    throw error;
  }
}
