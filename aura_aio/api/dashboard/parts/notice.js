// Short messages at the edge of the page, read out by screen readers.

import { Problem, Unreachable } from "../api.js";
import { h } from "../dom.js";
import { t } from "../i18n.js";

const SHOWN_MS = { good: 6_000, bad: 15_000 };

const good = h("div", { class: "notices", role: "status" });
const bad = h("div", { class: "notices", role: "alert" });

export const noticesView = h("div", { class: "notice-corner" }, bad, good);

let undoable; // the notice that offers to undo: what came before the last change is not taken back over it

/**
 * Shows `text` for a while, and answers the notice; with `link` (`{href, text}`), where to read on; with `undo()`,
 * how to take it back, which only the latest notice offers.
 * @param {string} text
 * @param {{kind?: "good" | "bad", link?: {href: string, text: string}, undo?: () => void}} [options]
 */
export function notify(text, { kind = "good", link, undo } = {}) {
  const leave = () => notice.remove();
  const close = h("button", { type: "button", class: "quiet", "aria-label": t("close"), onclick: leave }, "×");
  const back = undo && h("button", { type: "button", onclick: () => (leave(), undo()) }, t("undo"));
  const notice = h("div", { class: `notice ${kind}` }, h("span", {}, text, link && " ", link && h("a", { href: link.href }, link.text)), h("span", { class: "row" }, back, close));
  if (undo) {
    undoable?.remove();
    undoable = notice;
  }
  (kind === "bad" ? bad : good).append(notice);
  setTimeout(leave, SHOWN_MS[kind]);
  return notice;
}

/** What went wrong, in a sentence for people. */
export function explain(error) {
  if (error instanceof Unreachable) return t("unreachable");
  if (error instanceof Problem && error.requestId) return `${error.message} (request_id ${error.requestId})`;
  return error.message;
}
