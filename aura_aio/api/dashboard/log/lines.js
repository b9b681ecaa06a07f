// Log lines in the page: as many as fit, the newest at the bottom.

import { h } from "../dom.js";
import { bothTimes, timeOfDay } from "../format.js";
import { word } from "../i18n.js";
import { toRun } from "../route.js";

export const MOST_LINES = 2_000;
const NEAR_END_PX = 24;

function line(entry, withRun) {
  const level = /^\w+$/.test(entry.level) ? entry.level : "";
  const from = entry.cid === undefined
    ? h("span", { class: "run" }, entry.logger)
    : h("a", { class: "run", href: toRun(entry.cid), title: entry.cid }, `${entry.plan_name ?? ""}/${entry.task_name ?? ""}`);
  return h(
    "div",
    { class: `line ${level}` },
    h("time", { datetime: entry.timestamp, title: bothTimes(entry.timestamp) }, timeOfDay(entry.timestamp)),
    " ",
    h("span", { class: "level" }, word("level", entry.level)),
    " ",
    withRun && from,
    withRun && " ",
    entry.step !== undefined && h("span", { class: "step" }, entry.step),
    entry.step !== undefined && " ",
    h("span", { class: "message" }, entry.message),
    entry.data !== undefined && h("span", { class: "data" }, ` ${JSON.stringify(entry.data)}`),
  );
}

/**
 * A box of log lines that stays at its end while `following`, until somebody scrolls up. Lines come
 * with the next frame, many at once, or wait while it is `paused`. `changed()` tells when one of
 * `following`, `paused` and `waiting` has changed.
 */
export class LogLines {
  #waiting = [];
  #frame;
  #withRun;
  #changed;
  following = true;
  paused = false;

  constructor({ label, withRun, changed = () => {} }) {
    this.#withRun = withRun;
    this.#changed = changed;
    // Hundreds of lines a second would drown a screen reader: it reads here on demand.
    this.node = h("div", { class: "lines", role: "log", "aria-live": "off", "aria-label": label, tabindex: "0" });
    this.node.addEventListener("scroll", () => this.#scrolled(), { passive: true });
  }

  /** How many lines a pause holds back. */
  get waiting() {
    return this.paused ? this.#waiting.length : 0;
  }

  add(entries) {
    this.#push(entries.map((entry) => () => line(entry, this.#withRun)));
  }

  /** A line of our own among them. */
  note(text) {
    this.#push([() => h("div", { class: "line note" }, text)]);
  }

  clear() {
    this.#waiting = [];
    this.node.replaceChildren();
    this.#changed();
  }

  follow(on) {
    this.following = on;
    if (on) this.#toEnd();
    this.#changed();
  }

  pause(on) {
    this.paused = on;
    if (!on) this.#draw();
    this.#changed();
  }

  #push(makers) {
    for (const make of makers) this.#waiting.push(make);
    // What would be pushed out again at once is not made at all.
    if (this.#waiting.length > MOST_LINES) this.#waiting.splice(0, this.#waiting.length - MOST_LINES);
    if (this.paused) this.#changed();
    else this.#frame ??= requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    this.#frame = undefined;
    if (this.paused) return;
    const fresh = document.createDocumentFragment();
    for (const make of this.#waiting) fresh.append(make());
    this.#waiting = [];
    this.node.append(fresh);
    const over = this.node.childElementCount - MOST_LINES;
    if (over > 0) {
      const range = document.createRange();
      range.setStart(this.node, 0);
      range.setEnd(this.node, over);
      range.deleteContents();
    }
    if (this.following) this.#toEnd();
  }

  #toEnd() {
    this.node.scrollTop = this.node.scrollHeight;
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.node;
    const atEnd = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    if (atEnd === this.following) return;
    this.following = atEnd;
    this.#changed();
  }
}
