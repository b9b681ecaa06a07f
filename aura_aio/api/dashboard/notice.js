// Short messages at the edge of the page, read out by screen readers.

import { Problem, Unreachable } from "./api.js";
import { h } from "./dom.js";
import { t } from "./i18n.js";

const SHOWN_MS = { good: 6_000, bad: 15_000 };

const good = h("div", { class: "notices", role: "status" });
const bad = h("div", { class: "notices", role: "alert" });

export const noticesView = h("div", { class: "notice-corner" }, bad, good);

/** Shows `text` for a while; with `link` (`{href, text}`), where to read on. */
export function notify(text, { kind = "good", link } = {}) {
  const close = h("button", { type: "button", class: "quiet", "aria-label": t("close"), onclick: () => notice.remove() }, "×");
  const notice = h("div", { class: `notice ${kind}` }, h("span", {}, text, link && " ", link && h("a", { href: link.href }, link.text)), close);
  (kind === "bad" ? bad : good).append(notice);
  setTimeout(() => notice.remove(), SHOWN_MS[kind]);
}

/** What went wrong, in a sentence for people. */
export function explain(error) {
  if (error instanceof Unreachable) return t("unreachable");
  if (error instanceof Problem && error.requestId) return `${error.message} (request_id ${error.requestId})`;
  return error.message;
}

/** Does `act()` while `button` is off; shows what goes wrong. Answers what `act` did, or undefined. */
export async function attempt(button, act) {
  button.setAttribute("aria-disabled", "true");
  try {
    return await act();
  } catch (error) {
    notify(explain(error), { kind: "bad" });
    if (error instanceof Problem && error.status === 403) button.title = error.message;
    return undefined;
  } finally {
    button.removeAttribute("aria-disabled");
  }
}
