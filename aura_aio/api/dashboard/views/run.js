// One run in the panel: how it stands, what went in and came out, what went wrong, and its log.

import { getRun, listRunLogs, Problem } from "../api.js";
import { h, rowsOf, setAttribute, setText } from "../dom.js";
import { follow } from "../feed.js";
import { ago, duration, localTime, number, secondsBetween } from "../format.js";
import { t, word } from "../i18n.js";
import { LogLines } from "../log/lines.js";
import { explain, notify } from "../notice.js";
import { toTask } from "../route.js";
import { cancelButton, chip, isFinal, json, moment } from "./parts.js";

const WAIT_SEC = 25;
const LINES_A_PAGE = 1_000;

/** The panel of the run `cid`: `{title, node, leave}`. */
export function runView(cid, feeds) {
  const status = chip();
  setAttribute(status.node, "hidden", true);
  const name = h("span", {}, cid);
  const cancel = cancelButton(() => {
    look();
    feeds.refreshRuns();
  });
  const again = h("a", { class: "button", hidden: true }, t("run.again"));
  const copy = h("button", { type: "button", class: "quiet", onclick: copyCid }, t("copy"));
  const facts = h("dl", { class: "run-facts" });
  const showFacts = rowsOf(facts, ([label]) => label, factRow);
  const outcome = h("div", { class: "outcome" });
  const lines = new LogLines({ label: t("run.log"), withRun: false });
  const noLines = h("p", { class: "empty" }, t("run.nolog"));
  let shown; // the outcome changes seldom: drawn again only when it has
  let settled = false; // nothing will change any more
  let looks = 0;

  function show(run) {
    settled = isFinal(run.status);
    setText(name, `${run.plan_name}/${run.task_name}`);
    setAttribute(status.node, "hidden", false);
    status.update(run.status);
    cancel.update(run);
    setAttribute(again, "href", toTask(run.plan_name, run.task_name, run.cid));
    setAttribute(again, "hidden", false);
    showFacts(factsOf(run));
    const key = JSON.stringify([run.inputs, run.result, run.error]);
    if (key === shown) return;
    shown = key;
    outcome.replaceChildren(...outcomeOf(run));
  }

  async function copyCid() {
    try {
      await navigator.clipboard.writeText(cid);
      notify(t("copied"));
    } catch {
      getSelection().selectAllChildren(id); // no clipboard without HTTPS: mark it at least
    }
  }

  async function look() {
    looks += 1;
    const mine = looks;
    try {
      const run = await getRun(cid);
      if (mine === looks) show(run); // a later answer may have been quicker
    } catch (error) {
      settled = error instanceof Problem && error.status < 500;
      outcome.replaceChildren(h("p", { class: "error-text", role: "alert" }, explain(error)));
      shown = undefined;
    }
  }

  look();
  const stopLooking = feeds.active.read(() => settled || look());
  let cursor;
  const stopLog = follow(async (signal) => {
    const page = await listRunLogs(cid, { cursor, limit: LINES_A_PAGE, wait_sec: WAIT_SEC }, signal);
    lines.add(page.items);
    if (page.items.length) noLines.replaceWith(lines.node);
    cursor = page.next_cursor;
    if (cursor === undefined && !settled) look(); // the log ends when the run does
    return cursor !== undefined;
  }, (error) => setText(noLines, explain(error)));

  const id = h("code", {}, cid);
  return {
    title: name,
    node: h(
      "div",
      { class: "run" },
      h("div", { class: "row" }, status.node, again, cancel.node),
      h("p", { class: "cid" }, id, copy),
      facts,
      outcome,
      h("h3", {}, t("run.log")),
      noLines,
    ),
    leave() {
      stopLooking();
      stopLog();
    },
  };
}

function factRow() {
  const term = h("dt");
  const value = h("dd");
  return {
    node: h("div", {}, term, value),
    update([label, content]) {
      setText(term, label);
      if (typeof content === "string") setText(value, content);
      else value.replaceChildren(content);
    },
  };
}

function factsOf(run) {
  const facts = [[t("run.created"), moment(run.created_at, `${localTime(run.created_at)} (${ago(run.created_at)})`)]];
  const add = (label, value) => value !== undefined && facts.push([t(`run.${label}`), value]);
  add("run_at", run.run_at && moment(run.run_at, `${localTime(run.run_at)} (${ago(run.run_at)})`));
  if (run.waiting) add("waiting", waitingText(run.waiting));
  if (run.started_at) {
    add("waited", duration(secondsBetween(run.run_at ?? run.created_at, run.started_at)));
    add("took", duration(secondsBetween(run.started_at, run.finished_at)));
  }
  if (run.cancel) add("cancel", [word("mode", run.cancel.mode), ago(run.cancel.requested_at), run.cancel.reason].filter(Boolean).join(" · "));
  if (run.attempt > 1) add("attempt", number(run.attempt));
  if (run.priority !== 0) add("priority", number(run.priority));
  if (run.timeout_sec !== undefined) add("timeout", duration(run.timeout_sec));
  add("worker", run.worker);
  const labels = Object.entries(run.labels);
  if (labels.length) add("labels", labels.map(([key, value]) => `${key}=${value}`).join(" "));
  return facts;
}

function waitingText({ position, ahead, reasons }) {
  const place = position === undefined ? [] : [t("waiting.place", { position: number(position), ahead: number(ahead ?? position - 1) })];
  const why = ({ code, resource }) => word("waiting", code) + (resource === undefined ? "" : ` (${resource})`);
  return [...place, ...reasons.map(why)].join(" · ");
}

function outcomeOf(run) {
  const parts = [];
  if (run.error) {
    const { type, message, step, traceback } = run.error;
    parts.push(
      h(
        "div",
        { class: "error-box" },
        h("h3", {}, step === undefined ? type : t("run.error.step", { type, step })),
        h("p", {}, message),
        traceback && h("details", {}, h("summary", {}, t("run.traceback")), json(traceback)),
      ),
    );
  }
  if (run.result !== undefined) parts.push(h("h3", {}, t("run.result")), json(run.result));
  if (Object.keys(run.inputs).length) parts.push(h("h3", {}, t("run.inputs")), json(run.inputs));
  return parts;
}
