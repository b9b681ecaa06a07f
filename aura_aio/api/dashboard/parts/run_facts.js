// What there is to say about a run in short: when, how long, why it waits, where it belongs.

import { h, setText } from "../dom.js";
import { ago, duration, localTime, number, secondsBetween } from "../format.js";
import { t, word } from "../i18n.js";
import { toPlan, toRun, toRuns, toTask } from "../route.js";
import { moment } from "./parts.js";

/** One fact: `{node, update([label, content])}`. */
export function factRow() {
  const term = h("dt");
  const value = h("dd");
  return {
    node: h("div", {}, term, value),
    update([label, content]) {
      setText(term, label);
      if (typeof content === "string") return setText(value, content);
      if (!value.firstChild?.isEqualNode(content)) value.replaceChildren(content); // while it is the same, a selection stays
      return undefined;
    },
  };
}

/** The facts of a run, as `[label, text or element]`; `retried` is the cid of the run that does it over, if there is one. */
export function factsOf(run, retried) {
  const facts = [];
  const add = (label, value) => value !== undefined && facts.push([t(`run.${label}`), value]);
  add("created", moment(run.created_at, `${localTime(run.created_at)} (${ago(run.created_at)})`));
  add("run_at", run.run_at && moment(run.run_at, `${localTime(run.run_at)} (${ago(run.run_at)})`));
  if (run.waiting) add("waiting", waitingText(run.waiting));
  if (run.started_at) {
    add("waited", duration(secondsBetween(run.run_at ?? run.created_at, run.started_at)));
    add("took", duration(secondsBetween(run.started_at, run.finished_at)));
  }
  if (run.cancel) add("cancel", [word("mode", run.cancel.mode), ago(run.cancel.requested_at), run.cancel.requested_by, run.cancel.reason].filter(Boolean).join(" · "));
  if (run.attempt > 1) add("attempt", number(run.attempt));
  if (run.priority !== 0) add("priority", number(run.priority));
  if (run.timeout_sec !== undefined) add("timeout", duration(run.timeout_sec));
  add("worker", run.worker);
  const labels = Object.entries(run.labels);
  if (labels.length) add("labels", h("span", {}, labels.map(([key, value]) => h("a", { class: "token", href: toRuns({ label: `${key}=${value}` }) }, `${key}=${value}`))));
  add("retry_of", run.retry_of && runLink(run.retry_of));
  add("retried", retried && runLink(retried));
  add("parent", run.parent_cid && runLink(run.parent_cid));
  add("task", h("span", {}, h("a", { href: toPlan(run.plan_name) }, run.plan_name), "/", h("a", { href: toTask(run.plan_name, run.task_name) }, run.task_name)));
  add("cid", h("code", {}, run.cid));
  return facts;
}

/** A link to a run, by the end of its id. */
export const runLink = (cid) => h("a", { href: toRun(cid), title: cid }, h("code", {}, `…${cid.slice(-12)}`));

/**
 * Why a run has not started, in words.
 * @param {{position?: number, ahead?: number, reasons: {code: string, resource?: string}[]}} waiting
 */
export function waitingText({ position, ahead, reasons }) {
  const place = position === undefined ? [] : [t("waiting.place", { position: number(position), ahead: number(ahead ?? position - 1) })];
  const why = ({ code, resource }) => word("waiting", code) + (resource === undefined ? "" : ` (${resource})`);
  return [...place, ...reasons.map(why)].join(" · ");
}
