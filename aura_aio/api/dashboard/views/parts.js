// Small parts that several views share.

import { cancelTask } from "../api.js";
import { h, setAttribute, setText } from "../dom.js";
import { bothTimes, percent } from "../format.js";
import { t, word } from "../i18n.js";
import { attempt, notify } from "../notice.js";

const FINAL = new Set(["succeeded", "failed", "timed_out", "cancelled"]);

/** Whether a run with this status will not change any more; words that are not known yet may. */
export const isFinal = (status) => FINAL.has(status);

/** A chip with the status of a run: `{node, update(status)}`. */
export function chip() {
  const node = h("span", { class: "chip" });
  return {
    node,
    update(status) {
      node.dataset.status = status;
      setText(node, word("status", status));
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
  const node = h("button", { type: "button", class: "danger", hidden: true, onclick: () => cancel() });
  async function cancel() {
    const body = run.status === "cancelling" ? { mode: "kill" } : undefined;
    const answer = await attempt(node, () => cancelTask(run.cid, body));
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
export function json(value) {
  return h("pre", { tabindex: "0" }, typeof value === "string" ? value : JSON.stringify(value, null, 2));
}
