// The head of the page: how the system is, and its switch.

import { Problem, startSystem, stopSystem } from "../api.js";
import { choose } from "../dialog.js";
import { h, setAttribute, setText } from "../dom.js";
import { onReach } from "../feed.js";
import { duration, number } from "../format.js";
import { t, word } from "../i18n.js";
import { attempt, explain, notify } from "../notice.js";
import { tokenButton } from "./token.js";

const HIDDEN_FAILURES = 1; // one lost answer is not worth a red bar

/** The header; `feeds` are the page's feeds. */
export function headerView(feeds) {
  const state = h("span", { class: "system-state", role: "status" }, "…");
  const facts = h("span", { class: "facts muted" });
  const start = h("button", { type: "button", class: "primary", hidden: true, onclick: startNow }, t("system.start"));
  const stop = h("button", { type: "button", hidden: true, onclick: stopNow }, t("system.stop"));
  const trouble = h("div", { class: "trouble", role: "alert", hidden: true });

  async function startNow() {
    const answer = await attempt(start, startSystem);
    if (answer) notify(t(`system.${answer.status === "already_running" ? "ran" : "started"}`));
    feeds.system.refresh();
  }

  async function stopNow() {
    const mode = await choose({
      title: t("stop.title"),
      text: t("stop.text"),
      choices: [
        { value: "drain", label: t("stop.drain"), kind: "primary" },
        { value: "cancel", label: t("stop.cancel"), kind: "danger" },
      ],
    });
    if (!mode) return;
    const answer = await attempt(stop, () => stopSystem({ mode }));
    if (answer) notify(t("stop.done", { count: number(answer.active_run_count) }));
    feeds.system.refresh();
  }

  feeds.system.read((status) => {
    state.dataset.state = status.state;
    setAttribute(state, "title", undefined);
    setText(state, word("system", status.state));
    const slots = status.workers.reduce((sum, worker) => sum + worker.slots, 0);
    const busy = status.workers.reduce((sum, worker) => sum + worker.busy, 0);
    const words = { workers: number(status.workers.length), busy: number(busy), slots: number(slots), uptime: duration(status.uptime_sec), version: status.version };
    setText(facts, t("system.facts", words));
    setAttribute(start, "hidden", !["stopped", "draining"].includes(status.state));
    setAttribute(stop, "hidden", !["running", "starting"].includes(status.state));
  });

  const tokens = tokenButton(() => {
    feeds.refreshRuns();
    feeds.plans.refresh();
  });

  let failures = 0;
  onReach((error) => {
    if (error instanceof Problem && error.status === 403) {
      // What the token does not show: the rest of the page is there nevertheless.
      setText(state, t("system.hidden"));
      setAttribute(state, "title", error.message);
      return;
    }
    tokens.needed(error instanceof Problem && error.status === 401);
    failures = error ? failures + 1 : 0;
    setAttribute(trouble, "hidden", failures <= HIDDEN_FAILURES);
    setText(trouble, error ? explain(error) : "");
  });

  return h(
    "header",
    {},
    h("div", { class: "bar" }, h("h1", {}, h("span", { class: "mark", "aria-hidden": "true" }), "Aura"), state, facts, h("div", { class: "tools" }, tokens.node, h("a", { class: "button", href: "/docs" }, t("docs")), start, stop)),
    trouble,
  );
}
