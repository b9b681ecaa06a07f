// One plan: its tasks, its latest runs, and what could not be loaded.

import { call } from "../api.js";
import { h } from "../dom.js";
import { feedOf } from "../feed.js";
import { t } from "../i18n.js";
import { card, pageHead } from "../parts/head.js";
import { explain } from "../parts/notice.js";
import { planCard } from "../parts/plan.js";
import { runTable } from "../parts/run_rows.js";
import { toRuns } from "../route.js";

const SHOWN = 15;

/** @param {import("../route.js").Route} route */
export function planPage({ words: [name] }) {
  const runs = runTable({ label: t("runs.latest") });
  const feed = feedOf((signal) => call("listRuns", {}, { query: { plan_name: name, limit: SHOWN }, signal }));
  const body = h("div", { class: "plans" });
  call("getPlan", { plan_name: name }).then((plan) => body.append(planCard(plan).node), (error) => body.append(h("p", { class: "error-box", role: "alert" }, explain(error))));
  feed.read(({ items }) => runs.update(items));
  return {
    title: name,
    nodes: [
      pageHead({ crumbs: [[t("nav.plans"), "#/plans"]], title: name }),
      body,
      card({ title: t("runs.latest"), tools: [h("a", { class: "button", href: toRuns({ plan_name: name }) }, t("runs.all"))] }, runs.node),
    ],
    leave: () => feed.end(),
  };
}
