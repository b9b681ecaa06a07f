// The keyboard: keys that work everywhere but where somebody writes, and the page that tells them.

import { h } from "./dom.js";
import { showDialog } from "./parts/dialog.js";
import { t } from "./i18n.js";
import { go } from "./route.js";

const PLACES = { o: "#/", r: "#/runs", q: "#/queue", p: "#/plans", s: "#/schedules", l: "#/logs" };
const NAMES = { o: "overview", r: "runs", q: "queue", p: "plans", s: "schedules", l: "logs" };
const TOGETHER_MS = 1_200;

/** Listens to the keyboard from now on. */
export function listenToKeys() {
  let afterG = 0;
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (writes(event.target)) {
      if (event.key !== "Escape") return;
      event.preventDefault(); // Chromium would clear what is searched for, and not say so
      /** @type {HTMLElement} */ (event.target).blur();
      return;
    }
    const place = Date.now() - afterG < TOGETHER_MS ? PLACES[event.key] : undefined;
    afterG = event.key === "g" ? Date.now() : 0;
    if (place) go(place);
    else if (event.key === "/") focusSearch(event);
    else if (event.key === "?") showHelp();
    else if (event.key === "j" || event.key === "k") step(event.key === "j" ? 1 : -1);
  });
}

function writes(element) {
  return element instanceof HTMLElement && (element.isContentEditable || element.matches("input:not([type=checkbox]), textarea, select"));
}

function focusSearch(event) {
  const field = /** @type {HTMLInputElement | null} */ (document.querySelector("main [type=search]"));
  if (!field) return;
  event.preventDefault();
  field.focus();
  field.select();
}

/** To the next or the one before of the page's entries. */
function step(by) {
  const entries = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("main .stretched")]);
  const at = entries.findIndex((entry) => entry === document.activeElement);
  entries[Math.max(0, Math.min(entries.length - 1, at + by))]?.focus();
}

/** Shows which keys there are. */
export function showHelp() {
  const keys = [
    ...Object.entries(NAMES).map(([key, name]) => ({ names: ["g", key], text: t(`nav.${name}`) })),
    { names: ["/"], text: t("keys.search") },
    { names: ["j", "k"], text: t("keys.step") },
    { names: ["Esc"], text: t("keys.leave") },
    { names: ["?"], text: t("keys.help") },
  ];
  const rows = keys.map(({ names, text }) => h("div", {}, h("dt", {}, names.map((name) => h("kbd", {}, name))), h("dd", {}, text)));
  showDialog({ title: t("keys.title"), body: h("dl", { class: "keys" }, rows), leave: t("close") });
}
