// The live log of everything: filtered, paused and followed at will, without a gap when the server was away.

import { h, setText } from "../dom.js";
import { number } from "../format.js";
import { t } from "../i18n.js";
import { icon } from "../icons.js";
import { LogLines } from "../log/lines.js";
import { LogStream } from "../log/stream.js";
import { logTools } from "../log/tools.js";
import { pageHead } from "../parts/head.js";
import { replace, toLogs } from "../route.js";

const TAIL = 500;
const RATE_EVERY_MS = 1_000;

/** @param {import("../route.js").Route} route */
export function logsPage({ query }) {
  const state = h("span", { class: "state", role: "status" });
  const rate = h("span", { class: "muted facts" });
  const clear = h("button", { type: "button", onclick: () => lines.clear() }, t("log.clear"));
  let came = 0;
  const lines = new LogLines({ label: t("log.title"), withRun: true, changed: () => tools?.show() });
  const tools = logTools(lines, { level: query.get("level") ?? "info", q: query.get("q") ?? "", changed: () => change() });
  lines.list.setAttribute("aria-keyshortcuts", "/");

  let watched; // the level that the server sends from

  function watch() {
    const { level } = tools.value;
    if (level === watched) return;
    watched = level;
    lines.clear();
    lines.follow(true);
    stream.watch({ level }, TAIL);
  }

  function change() {
    replace(toLogs(tools.value));
    watch();
  }

  const stream = new LogStream({
    entries(entries) {
      came += entries.length;
      lines.add(entries);
    },
    dropped: ({ from_seq: from, to_seq: to, count }) => lines.note(t("log.dropped", { from, to, count: number(count) })),
    missing: ({ from_seq: from, to_seq: to }) => lines.note(t("log.missing", { from, to })),
    restarted: () => lines.note(t("log.restarted")),
    refused: (problem) => lines.note(problem.detail),
    state(name) {
      state.dataset.state = name;
      setText(state, t(`log.state.${name}`));
    },
  });
  const ticking = setInterval(() => {
    setText(rate, came ? t("log.rate", { count: number(came) }) : "");
    came = 0;
  }, RATE_EVERY_MS);
  watch();

  return {
    title: t("nav.logs"),
    nodes: [
      pageHead({ title: t("nav.logs"), beside: [state, rate], tools: [tools.pause, tools.follow, clear] }),
      h("div", { class: "bar" }, h("div", { class: "search" }, icon("search"), tools.search), tools.level),
      h("section", { class: "card log tall", "aria-label": t("log.title") }, lines.node),
    ],
    leave() {
      clearInterval(ticking);
      stream.end();
    },
  };
}
