// One task: what it does, its steps, how it went lately, and the form that starts it.

import { call } from "../api.js";
import { sparkline } from "../chart.js";
import { h, setAttribute } from "../dom.js";
import { feedOf } from "../feed.js";
import { launchForm } from "../form/launch.js";
import { duration, secondsBetween } from "../format.js";
import { graphView } from "../graph/view.js";
import { t, word } from "../i18n.js";
import { card, pageHead } from "../parts/head.js";
import { explain } from "../parts/notice.js";
import { runLink } from "../parts/run_facts.js";
import { runTable } from "../parts/run_rows.js";
import { toPlan, toRuns } from "../route.js";

const SHOWN = 20;

/** @param {import("../route.js").Route} route */
export function taskPage({ words: [plan, name], query }, feeds) {
  const abort = new AbortController();
  const { signal } = abort;
  const from = query.get("from") ?? undefined;
  const runs = runTable({ label: t("runs.latest"), withTask: false });
  const none = h("p", { class: "empty", hidden: true }, t("task.norun"));
  const trend = h("div", { class: "trend" });
  const feed = feedOf((each) => call("listRuns", {}, { query: { plan_name: plan, task_name: name, limit: SHOWN }, signal: each }));
  const [about, graph, form] = [h("div"), h("div"), h("div")];
  const latest = card({ title: t("runs.latest"), tools: [trend, h("a", { class: "button", href: toRuns({ plan_name: plan, task_name: name }) }, t("runs.all"))] }, runs.node, none);
  const reading = [call("getTask", { plan_name: plan, task_name: name }, { signal }), from && call("getRun", { cid: from }, { signal })];
  Promise.all(reading).then(
    ([task, run]) => {
      about.replaceChildren(...aboutOf(task));
      const drawing = graphView(task.graph);
      graph.replaceWith(card({ title: t("run.steps"), kind: "graph-card" }, drawing.node));
      form.replaceWith(card({ title: t("launch.title"), kind: "launch" }, run && h("p", { class: "muted filled" }, t("launch.from"), " ", runLink(from)), launchForm(task, run?.inputs, feeds)));
      drawing.reveal();
    },
    (error) => signal.aborted || form.replaceWith(h("p", { class: "error-box", role: "alert" }, explain(error))),
  );
  feed.read(({ items }) => {
    runs.update(items);
    setAttribute(none, "hidden", items.length > 0);
    setAttribute(runs.node, "hidden", items.length === 0);
    const ended = items.filter((run) => run.started_at && run.finished_at).reverse();
    trend.replaceChildren(...(ended.length > 1 ? [sparkline(ended.map((run) => ({ value: secondsBetween(run.started_at, run.finished_at), bad: run.status !== "succeeded", text: duration(secondsBetween(run.started_at, run.finished_at)) })), t("task.trend"))] : []));
  });
  return {
    title: `${plan}/${name}`,
    nodes: [
      pageHead({ crumbs: [[t("nav.plans"), "#/plans"], [plan, toPlan(plan)]], title: name }),
      about,
      h("div", { class: "columns launch-columns" }, form, h("div", { class: "column" }, graph, latest)),
    ],
    leave() {
      abort.abort();
      feed.end();
    },
  };
}

function aboutOf({ meta }) {
  const { mode, resources, mutex_group: mutex, max_instances: most } = meta.concurrency;
  const facts = [
    [t("task.concurrency"), [word("concurrency", mode), resources?.join(", "), mutex, most && t("task.instances", { most })].filter(Boolean).join(" · ")],
    meta.timeout_sec && [t("run.timeout"), duration(meta.timeout_sec)],
    [t("task.crash"), word("crash", meta.on_crash)],
  ].filter(Boolean);
  return [
    meta.title && h("p", { class: "lead" }, meta.title),
    meta.description && h("p", { class: "muted about" }, meta.description),
    h("dl", { class: "facts-strip" }, facts.map(([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, value)))),
  ].filter(Boolean);
}
