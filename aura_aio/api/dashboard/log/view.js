// The live log of everything: the newest lines, filtered by level, paused and followed at will.

import { freshId, h, setAttribute, setText } from "../dom.js";
import { number } from "../format.js";
import { t, word } from "../i18n.js";
import { LogLines } from "./lines.js";
import { LogStream } from "./stream.js";

const LEVELS = ["debug", "info", "warning", "error", "critical"];
const TAIL = 300;

/** The section of the page with the live log; it connects at once. */
export function logView() {
  const heading = freshId("heading");
  const state = h("span", { class: "state", role: "status" });
  const level = h(
    "select",
    { onchange: () => watch() },
    LEVELS.map((each) => h("option", { value: each, selected: each === "info" }, word("level", each))),
  );
  const pause = h("button", { type: "button", onclick: () => lines.pause(!lines.paused) });
  const follow = h("button", { type: "button", onclick: () => lines.follow(!lines.following) }, t("log.follow"));
  const clear = h("button", { type: "button", onclick: () => lines.clear() }, t("log.clear"));
  const lines = new LogLines({ label: t("log.title"), withRun: true, changed: () => show() });

  const stream = new LogStream({
    entries: (entries) => lines.add(entries),
    dropped: ({ from_seq: from, to_seq: to, count }) => lines.note(t("log.dropped", { from, to, count: number(count) })),
    missing: ({ from_seq: from, to_seq: to }) => lines.note(t("log.missing", { from, to })),
    restarted: () => lines.note(t("log.restarted")),
    refused: (problem) => lines.note(problem.detail),
    state(name) {
      state.dataset.state = name;
      setText(state, t(`log.state.${name}`));
    },
  });

  function watch() {
    lines.clear();
    lines.follow(true);
    stream.watch({ level: level.value }, TAIL);
  }

  function show() {
    setAttribute(pause, "aria-pressed", String(lines.paused));
    setAttribute(follow, "aria-pressed", String(lines.following));
    setText(pause, lines.waiting ? t("log.paused", { count: number(lines.waiting) }) : t("log.pause"));
  }

  watch();
  return h(
    "section",
    { class: "card log", "aria-labelledby": heading },
    h(
      "div",
      { class: "card-head" },
      h("h2", { id: heading }, t("log.title")),
      state,
      h("div", { class: "tools" }, h("label", {}, h("span", {}, t("log.level")), level), pause, follow, clear),
    ),
    lines.node,
  );
}
