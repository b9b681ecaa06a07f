// Small parts that several pages share.

import { call } from "../api.js";
import { h, setAttribute, setText } from "../dom.js";
import { bothTimes, number, percent } from "../format.js";
import { t, word } from "../i18n.js";
import { icon } from "../icons.js";
import { actionButton, attempt } from "./button.js";
import { notify } from "./notice.js";

export const STATUSES = ["queued", "running", "cancelling", "succeeded", "failed", "timed_out", "cancelled"];

const FINAL = new Set(["succeeded", "failed", "timed_out", "cancelled"]);

/** Whether a run with this status will not change any more; words that are not known yet may. */
export const isFinal = (status) => FINAL.has(status);

/** A chip with a status, as a picture and a word: `{node, update(status)}`; `kind` is the family of the words. */
export function chip(kind = "status") {
  const node = h("span", { class: "chip" });
  return {
    node,
    update(status) {
      if (node.dataset.status === status) return;
      node.dataset.status = status;
      node.replaceChildren(icon(status), word(kind, status));
    },
  };
}

/** A time seen from now, with the exact ones behind it. */
export function moment(time, text) {
  return h("time", { datetime: time, title: bothTimes(time) }, text);
}

/** How far a run is: `{node, update(progress)}`; hidden while nobody says. */
export function progressBar() {
  const bar = h("progress", { max: "1", "aria-label": t("run.progress") });
  const text = h("span", { class: "muted" });
  const node = h("div", { class: "progress" }, bar, text);
  return {
    node,
    update(progress) {
      setAttribute(node, "hidden", progress === undefined);
      if (progress === undefined) return;
      bar.value = progress.fraction;
      setText(text, [percent(progress.fraction), progress.message].filter(Boolean).join(" · "));
    },
  };
}

/** The button that cancels a run, and ends it at once when it is being cancelled already. */
export function cancelButton(after) {
  let run;
  const node = actionButton({ operation: "cancelTask", kind: "danger", act: cancel, label: t("cancel") });
  node.hidden = true;
  async function cancel() {
    const body = run.status === "cancelling" ? { mode: "kill" } : undefined;
    const answer = await attempt(node, () => call("cancelTask", { cid: run.cid }, { body }));
    if (answer) notify(t("cancel.done", { task: `${run.plan_name}/${run.task_name}`, status: word("status", answer.status) }));
    after();
  }
  return {
    node,
    update(latest) {
      run = latest;
      setAttribute(node, "hidden", isFinal(run.status));
      setText(node, run.status === "cancelling" ? t("cancel.kill") : t("cancel"));
      setAttribute(node, "aria-label", `${node.textContent}: ${run.plan_name}/${run.task_name}`);
    },
  };
}

/** A JSON value, set out to be read. */
export function json(value, label) {
  return h("pre", { tabindex: "0", role: "group", "aria-label": label }, typeof value === "string" ? value : JSON.stringify(value, null, 2));
}

/** Several buttons of which one is pressed: `{node, update(value), count(counts)}`; `choices` are `[value, text]`. */
export function choiceGroup({ label, choices, chosen }) {
  const buttons = choices.map(([value, text]) => {
    const count = h("span", { class: "count" });
    return { value, count, node: h("button", { type: "button", onclick: () => chosen(value) }, text, " ", count) };
  });
  return {
    node: h("div", { class: "segments", role: "group", "aria-label": label }, buttons.map(({ node }) => node)),
    update(now) {
      for (const each of buttons) setAttribute(each.node, "aria-pressed", String(each.value === now));
    },
    /** Says how many there are of each, by their values. */
    count(counts) {
      for (const each of buttons) setText(each.count, number(counts[each.value]));
    },
  };
}
