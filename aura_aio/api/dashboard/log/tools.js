// What a log is filtered, followed and paused with; the same for the live log and that of one run.

import { h, setAttribute, setText } from "../dom.js";
import { number } from "../format.js";
import { t, word } from "../i18n.js";
import { weightOf } from "./lines.js";

const LEVELS = ["debug", "info", "warning", "error", "critical"];

/**
 * The tools of `lines`: `{search, level, buttons, show(), value}`. `changed()` is called when
 * somebody filters in another way; `level` and `q` are what they begin with.
 */
export function logTools(lines, { level = "debug", q = "", changed = () => {} }) {
  const search = h("input", { type: "search", value: q, placeholder: t("log.search"), "aria-label": t("log.search"), oninput: () => change() });
  const select = h(
    "select",
    { onchange: () => change() },
    LEVELS.map((each) => h("option", { value: each, selected: each === level }, word("level", each))),
  );
  const pause = h("button", { type: "button", onclick: () => lines.pause(!lines.paused) });
  const follow = h("button", { type: "button", onclick: () => lines.follow(!lines.following) }, t("log.follow"));

  function apply() {
    const [least, text] = [weightOf(select.value), search.value.trim().toLowerCase()];
    lines.filter((entry) => weightOf(entry.level) >= least && (!text || textOf(entry).includes(text)));
  }

  function change() {
    apply();
    changed();
  }

  const tools = {
    search,
    level: h("label", {}, h("span", {}, t("log.level")), select),
    pause,
    follow,
    /** What is filtered by now. */
    get value() {
      return { level: select.value, q: search.value.trim() };
    },
    set(text) {
      search.value = text;
      change();
    },
    show() {
      setAttribute(pause, "aria-pressed", String(lines.paused));
      setAttribute(follow, "aria-pressed", String(lines.following));
      setText(pause, lines.waiting ? t("log.paused", { count: number(lines.waiting) }) : t("log.pause"));
    },
  };
  tools.show();
  apply();
  return tools;
}

function textOf({ message, step, logger, plan_name: plan, task_name: task, data }) {
  return [step, message, `${plan}/${task}`, logger, data && JSON.stringify(data)].join(" ").toLowerCase();
}
