// The switch of the system: start, stop, and the pause of the queue.

import { call } from "../api.js";
import { h, setAttribute, setText } from "../dom.js";
import { number } from "../format.js";
import { t, word } from "../i18n.js";
import { actionButton, attempt } from "./button.js";
import { choose } from "./dialog.js";
import { notify } from "./notice.js";

/** `{state, tools, stop()}`; `stop` ends its reading. */
export function systemSwitch(feeds) {
  const state = h("span", { class: "state" });
  const paused = h("span", { class: "state", "data-state": "waiting", hidden: true }, t("queue.paused"));
  const start = actionButton({ operation: "startSystem", kind: "primary", act: startNow, label: t("system.start") });
  const stop = actionButton({ operation: "stopSystem", act: stopNow, label: t("system.stop") });
  const pause = pauseButton(feeds);
  for (const each of [start, stop]) each.hidden = true;

  async function startNow() {
    const answer = await attempt(start, () => call("startSystem"));
    if (answer) notify(t(`system.${answer.status === "already_running" ? "ran" : "started"}`));
    feeds.refresh();
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
    const answer = await attempt(stop, () => call("stopSystem", {}, { body: { mode } }));
    if (answer) notify(t("stop.done", { count: number(answer.active_run_count) }));
    feeds.refresh();
  }

  const stops = [
    feeds.system.read((status) => {
      state.dataset.state = status.state;
      setText(state, word("system", status.state));
      setAttribute(start, "hidden", !["stopped", "draining"].includes(status.state));
      setAttribute(stop, "hidden", !["running", "starting"].includes(status.state));
    }),
    feeds.queue.read(({ pauses }) => setAttribute(paused, "hidden", !pauses.is_paused)),
    pause.stop,
  ];
  return { state: h("span", { class: "row" }, state, paused), tools: [pause.node, start, stop], stop: () => stops.forEach((each) => each()) };
}

/** The button that pauses the queue, and lets it go on: `{node, stop()}`. */
export function pauseButton(feeds) {
  let isPaused = false;
  const node = actionButton({ operation: "pauseQueue", act: toggle, label: t("queue.pause") });
  async function toggle() {
    if (await attempt(node, () => call(isPaused ? "resumeQueue" : "pauseQueue"))) feeds.refresh();
  }
  const stop = feeds.queue.read(({ pauses }) => {
    isPaused = pauses.is_paused;
    setText(node, isPaused ? t("queue.resume") : t("queue.pause"));
    setAttribute(node, "aria-pressed", String(isPaused));
  });
  return { node, stop };
}
