// One run: how it stands, its steps as they go, what went in and came out, what went wrong, and its log.

import { call, newKey, Problem } from "../api.js";
import { h, rowsOf, setAttribute, setName } from "../dom.js";
import { feedOf } from "../feed.js";
import { ganttView } from "../gantt.js";
import { graphView } from "../graph/view.js";
import { t } from "../i18n.js";
import { actionButton, attempt } from "../parts/button.js";
import { card, pageHead } from "../parts/head.js";
import { explain, notify } from "../parts/notice.js";
import { cancelButton, chip, isFinal, json, progressBar } from "../parts/parts.js";
import { factRow, factsOf } from "../parts/run_facts.js";
import { runLogView } from "../parts/run_log.js";
import { runTable } from "../parts/run_rows.js";
import { go, toRun, toRuns, toTask } from "../route.js";

const EVERY_MS = 1_000;
const MOST_CHILDREN = 50;

/** @param {import("../route.js").Route} route */
export function runPage({ words: [cid] }, feeds) {
  const [status, progress, gantt] = [chip(), progressBar(), ganttView()];
  const name = h("span", {}, cid);
  const facts = h("dl", { class: "facts-strip" });
  const showFacts = rowsOf(facts, ([label]) => label, factRow);
  const trouble = h("div", { role: "alert" });
  const graphCard = card({ title: t("run.steps"), kind: "graph-card" });
  const timeline = card({ title: t("run.timeline"), kind: "timeline" }, gantt.node);
  const outcome = h("div", { class: "column" });
  const children = card({ title: t("run.children") });
  const log = runLogView(cid, () => feed.refresh());
  const tools = runTools(cid, () => {
    feed.refresh();
    feeds.refresh();
  });
  let graph;
  let timed = { steps: [] }; // the steps as they stand; whichever comes last, they or the graph, colours it
  let drawn; // the outcome changes seldom: drawn again only when it has
  let [latest, retried, revealed] = [undefined, undefined, false];
  let settled = false; // nothing will change any more

  const feed = feedOf((signal) => Promise.all([call("getRun", { cid }, { signal }), call("getRunTimeline", { cid }, { signal })]).catch((error) => {
    if (!(error instanceof Problem) || error.status >= 500) throw error;
    return [undefined, error];
  }), EVERY_MS);

  function show([run, steps]) {
    if (!run) {
      trouble.replaceChildren(h("p", { class: "error-box" }, explain(steps)));
      for (const each of told) each.hidden = true;
      log.leave();
      return feed.end();
    }
    setName(name, `${run.plan_name}/${run.task_name}`);
    status.update(run.status);
    tools.update(run);
    latest = run;
    showFacts(factsOf(latest, retried));
    gantt.update(steps);
    timed = steps;
    colour();
    const now = JSON.stringify([run.inputs, run.result, run.error]);
    if (now !== drawn) {
      drawn = now;
      trouble.replaceChildren(...errorOf(run.error, log));
      outcome.replaceChildren(...outcomeOf(run));
    }
    settled = isFinal(run.status);
    if (settled) feed.end();
    return undefined;
  }

  /** Colours the graph; the first time with what is worth seeing of it in sight. */
  function colour() {
    graph?.update(timed);
    if (!graph || !latest || revealed) return;
    revealed = true;
    const step = ["failed", "lost", "running"].map((is) => timed.steps.find(({ status: how }) => how === is)).find(Boolean);
    graph.reveal(step?.node_id);
  }

  const told = [facts, graphCard, h("div", { class: "columns" }, timeline, outcome), children, log.node]; // of a run that there is
  feed.read(show);
  const stopProgress = feeds.active.read(({ items }) => progress.update(settled ? undefined : items.find((run) => run.cid === cid)?.progress));
  call("getRunDefinition", { cid }).then(({ task }) => {
    graph = graphView(task.graph, { chosen: (step) => log.look(step) });
    graphCard.append(graph.node);
    colour();
  }, () => graphCard.remove());
  call("listRuns", {}, { query: { parent_cid: cid, limit: MOST_CHILDREN } }).then(({ items }) => {
    const table = runTable({ label: t("run.children") });
    table.update(items);
    if (items.length) children.append(table.node);
    setAttribute(children, "hidden", items.length === 0);
  }, () => children.remove());
  setAttribute(children, "hidden", true);
  call("listRuns", {}, { query: { retry_of: cid, limit: 1 } }).then(({ items: [run] }) => {
    retried = run?.cid;
    if (latest) showFacts(factsOf(latest, retried));
  }, () => {}); // what is known without it is shown

  return {
    title: t("run.title", { cid: cid.slice(-6) }),
    nodes: [
      pageHead({ crumbs: [[t("nav.runs"), toRuns()]], title: name, beside: [status.node], tools: tools.nodes }),
      facts,
      progress.node,
      trouble,
      ...told.slice(1),
    ],
    leave() {
      feed.end();
      stopProgress();
      log.leave();
    },
  };
}

/** What can be done with a run: `{nodes, update(run)}`. */
function runTools(cid, after) {
  const retry = (from) => async (button) => {
    const key = newKey();
    const answer = await attempt(button, () => call("retryTask", { cid }, { body: { from }, headers: { "Idempotency-Key": key } }));
    if (!answer) return;
    notify(t("retry.done"));
    go(toRun(answer.cid));
  };
  const again = actionButton({ operation: "retryTask", act: retry("start"), label: t("retry.start") });
  const failed = actionButton({ operation: "retryTask", kind: "primary", act: retry("failed"), label: t("retry.failed") });
  const other = h("a", { class: "button" }, t("run.again"));
  const cancel = cancelButton(after);
  const nodes = [failed, again, other, cancel.node];
  for (const each of nodes) each.hidden = true;
  return {
    nodes,
    update(run) {
      cancel.update(run);
      setAttribute(other, "href", toTask(run.plan_name, run.task_name, cid));
      other.hidden = false;
      again.hidden = !isFinal(run.status);
      failed.hidden = !["failed", "timed_out"].includes(run.status);
    },
  };
}

function errorOf(error, log) {
  if (!error) return [];
  const { type, message, step, traceback } = error;
  return [
    h(
      "div",
      { class: "error-box" },
      h("h2", {}, step === undefined ? type : t("run.error.step", { type, step })),
      h("p", {}, message),
      step !== undefined && h("button", { type: "button", onclick: () => log.look(step) }, t("run.error.log", { step })),
      traceback && h("details", {}, h("summary", {}, t("run.traceback")), json(traceback, t("run.traceback"))),
    ),
  ];
}

function outcomeOf(run) {
  const parts = [];
  if (run.result !== undefined) parts.push(card({ title: t("run.result") }, json(run.result, t("run.result"))));
  if (Object.keys(run.inputs).length) parts.push(card({ title: t("run.inputs") }, json(run.inputs, t("run.inputs"))));
  return parts;
}
