// A row of the queue.

import { h, setAttribute, setName, setText } from "../dom.js";
import { ago, bothTimes, duration, number, secondsBetween } from "../format.js";
import { refusal } from "../grant.js";
import { t } from "../i18n.js";
import { waitingText } from "../parts/run_facts.js";
import { toRun } from "../route.js";

/** `{node, handle, update(entry, index)}`; `chosen` are the cids that are ticked, `tick(cid, index, event)` changes that. */
export function queueRow({ chosen, tick, isReady }) {
  let entry;
  let at = 0;
  const box = h("input", { type: "checkbox", onclick: (event) => tick(entry.cid, at, event) });
  const reason = refusal("moveToPosition");
  const handle = h("button", { type: "button", class: "handle", title: reason ?? t("queue.move.help"), "aria-disabled": reason && "true" }, "⠿");
  const [place, name, priority, age, why] = [h("span"), h("a", { class: "name" }), h("span"), h("time"), h("span", { class: "why muted" })];
  const cells = [["tick", box], ["place number", isReady && handle, place], ["task", name, why], ["priority number", priority], ["age number muted", age]];
  const node = h("div", { class: "queue-row", role: "row" }, cells.map(([kind, ...parts]) => h("div", { class: kind, role: "cell" }, parts)));
  function update(latest, index) {
    [entry, at] = [latest, index];
    const task = `${entry.plan_name}/${entry.task_name}`;
    setText(place, number(index + 1));
    setName(name, task);
    setAttribute(name, "href", toRun(entry.cid));
    setAttribute(name, "title", entry.cid);
    setText(priority, number(entry.priority));
    setText(why, noteOf(entry));
    setAttribute(why, "title", why.textContent);
    const time = isReady ? entry.created_at : entry.run_at;
    setText(age, isReady ? duration(secondsBetween(time)) : ago(time));
    setAttribute(age, "title", bothTimes(time));
    setAttribute(age, "datetime", time);
    setAttribute(handle, "aria-label", t("queue.move.name", { task, place: number(index + 1) }));
    setAttribute(box, "aria-label", t("queue.choose", { task, place: number(index + 1) }));
    box.checked = chosen.has(entry.cid);
    setAttribute(node, "aria-rowindex", index + 2);
    node.classList.toggle("chosen", box.checked);
  }

  return {
    node,
    handle,
    update,
    /** Fills the row so that it is as high as any of this task: with a note, which comes and goes. */
    measure(sample) {
      update(sample, 0);
      setText(why, "…");
    },
    get entry() {
      return entry;
    },
    get index() {
      return at;
    },
  };
}

function noteOf({ waiting, labels }) {
  const words = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  const reasons = waitingText({ reasons: waiting.reasons.filter(({ code }) => code !== "behind" && code !== "delayed") });
  return [reasons, ...words].filter(Boolean).join(" · ");
}
