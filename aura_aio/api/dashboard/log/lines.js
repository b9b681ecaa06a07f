// Log lines in the page: as many as can be read, the newest at the bottom, those that somebody looks for.
// However many come, no more are drawn in a frame than it has time for.

import { h, setText } from "../dom.js";
import { bothTimes, timeOfDay } from "../format.js";
import { t, word } from "../i18n.js";
import { toRun } from "../route.js";

export const MOST_LINES = 2_000;
const MOST_KEPT = 20_000;
const LINE_PX = 18;
const MOST_AT_ONCE = 120;
const NEAR_END_PX = 24;
const DRAWN_AFTER_MS = 80; // as often as eyes can follow
const RESTS = 3; // times as long as it drew, so that the page is free for others most of the time, however slow the machine is
const MOST_REST_MS = 1_000;
const LEVELS = ["debug", "info", "warning", "error", "critical"];

/** How much a level matters; one that is not known yet is never left out. */
export const weightOf = (level) => (LEVELS.includes(level) ? LEVELS.indexOf(level) : LEVELS.length);

function line(entry, withRun) {
  if (entry.note !== undefined) return h("div", { class: "line note" }, entry.note);
  const level = /^\w+$/.test(entry.level) ? entry.level : "";
  const of = entry.plan_name === undefined ? entry.logger : `${entry.plan_name}/${entry.task_name}`;
  const from = entry.cid === undefined
    ? h("span", { class: "run" }, of)
    : h("a", { class: "run", href: toRun(entry.cid), title: entry.cid }, of);
  return h(
    "div",
    { class: `line ${level}` },
    h("time", { datetime: entry.timestamp }, timeOfDay(entry.timestamp)),
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

/** The whole time is written out when somebody points at it: for thousands of lines a second that takes longer than the lines. */
function sayWhole({ target }) {
  if (target.localName === "time" && !target.title) target.title = bothTimes(target.dateTime);
}

/**
 * A box of log lines that stays at its end while `following`, until somebody scrolls up. Lines come
 * a few times a second, many at once, or wait while it is `paused`. `changed()` tells when one of
 * `following`, `paused`, `waiting` and `count` has changed.
 */
export class LogLines {
  #kept = [];
  #fresh = []; // of those kept, the ones after the last that is drawn
  #shown = []; // of those kept, the ones that are drawn: one after the other, without a gap
  #timer;
  #restMs = DRAWN_AFTER_MS;
  #withRun;
  #top = 0; // where the list was scrolled to
  #changed;
  /** @type {(entry: any) => boolean} */
  #wanted = () => true;
  following = true;
  paused = false;

  constructor({ label, withRun, changed = () => {} }) {
    this.#withRun = withRun;
    this.#changed = changed;
    // Hundreds of lines a second would drown a screen reader: it reads here on demand.
    this.list = h("div", { class: "lines", role: "log", "aria-live": "off", "aria-label": label, tabindex: "0" });
    this.empty = h("p", { class: "empty" });
    this.node = h("div", { class: "log-box" }, this.list, this.empty);
    this.list.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.list.addEventListener("pointerover", sayWhole);
    this.#say();
  }

  /** How many lines a pause holds back. */
  get waiting() {
    return this.paused ? this.#fresh.length : 0;
  }

  add(entries) {
    for (const entry of entries) {
      this.#kept.push(entry);
      this.#fresh.push(entry);
    }
    if (this.#kept.length > MOST_KEPT * 1.1) this.#kept.splice(0, this.#kept.length - MOST_KEPT);
    if (this.#fresh.length > MOST_KEPT) this.#fresh.splice(0, this.#fresh.length - MOST_KEPT);
    if (this.paused) this.#changed();
    else this.#drawLater();
  }

  /** A line of our own among them. */
  note(text) {
    this.add([{ note: text }]);
  }

  /** Shows only the lines that pass; notes always do. @param {(entry: object) => boolean} wanted */
  filter(wanted) {
    this.#wanted = wanted;
    if (this.paused) return;
    this.#fresh = [...this.#kept];
    this.#shown = [];
    this.list.replaceChildren();
    this.#draw();
  }

  clear() {
    this.#kept = [];
    this.#fresh = [];
    this.#shown = [];
    this.list.replaceChildren();
    this.#say();
    this.#changed();
  }

  follow(on) {
    this.following = on;
    if (on) this.#toEnd();
    if (on) this.#drawLater();
    this.#changed();
  }

  pause(on) {
    this.paused = on;
    if (!on) this.#draw();
    this.#changed();
  }

  /** Shows the first line that tells of an error, if there is one below; answers whether there was. */
  toError() {
    const top = this.list.getBoundingClientRect().top;
    const errors = [...this.list.querySelectorAll(".error, .critical")];
    const next = errors.find((each) => each.getBoundingClientRect().top > top + NEAR_END_PX) ?? errors[0];
    if (!next) return false;
    this.following = false;
    this.list.scrollTop += next.getBoundingClientRect().top - top - 8;
    next.scrollIntoView({ block: "nearest" }); // the list itself may be out of sight
    for (const each of errors) each.classList.toggle("found", each === next);
    this.#changed();
    return true;
  }

  #drawLater() {
    this.#timer ??= setTimeout(() => requestAnimationFrame(() => this.#draw()), this.#restMs);
  }

  /**
   * Draws what fits into a frame. While more comes than that, who follows sees the newest: what came
   * before them is drawn above them when there is time. Who reads further up is not disturbed: what
   * would push their lines out waits until they follow again.
   */
  #draw() {
    this.#timer = undefined;
    if (this.paused) return;
    const begun = performance.now();
    const few = Math.min(Math.ceil(this.list.clientHeight / LINE_PX) + 8, MOST_AT_ONCE); // they fill the box
    this.#fresh = this.#fresh.filter((entry) => this.#passes(entry));
    if (this.following && this.#fresh.length > few) {
      this.#fresh = this.#fresh.slice(-few);
      this.#shown = [];
      this.list.replaceChildren();
    }
    const room = this.following ? few : Math.min(few, MOST_LINES - this.#shown.length);
    const below = this.#fresh.splice(0, room);
    const hasTime = below.length < few / 2;
    const above = hasTime ? this.#before(Math.min(MOST_AT_ONCE, MOST_LINES - this.#shown.length - below.length)) : [];
    this.#put(above, below);
    this.#say();
    this.#restMs = Math.min(Math.max(DRAWN_AFTER_MS, RESTS * (performance.now() - begun)), MOST_REST_MS);
    if (this.#shown.length < MOST_LINES && (!hasTime || above.length || this.#fresh.length)) this.#drawLater();
  }

  #passes(entry) {
    return entry.note !== undefined || this.#wanted(entry);
  }

  /** Up to `most` of those that come right before the first that is drawn. */
  #before(most) {
    const found = [];
    for (let at = this.#kept.indexOf(this.#shown[0]) - 1; at >= 0 && found.length < most; at -= 1) {
      if (this.#passes(this.#kept[at])) found.push(this.#kept[at]);
    }
    return found.reverse();
  }

  #put(above, below) {
    const nodesOf = (entries) => entries.map((entry) => line(entry, this.#withRun));
    const height = above.length && !this.following ? this.list.scrollHeight : 0;
    this.list.prepend(...nodesOf(above));
    if (height) this.list.scrollTop += this.list.scrollHeight - height;
    this.list.append(...nodesOf(below));
    this.#shown = [...above, ...this.#shown, ...below];
    const over = this.#shown.length - MOST_LINES;
    if (over > 0) {
      this.#shown.splice(0, over);
      const range = document.createRange();
      range.setStart(this.list, 0);
      range.setEnd(this.list, over);
      range.deleteContents();
    }
    if (this.following) this.#toEnd();
  }

  #say() {
    this.empty.hidden = this.list.childElementCount > 0;
    setText(this.empty, this.#kept.length ? t("log.nothing") : t("log.empty"));
  }

  #toEnd() {
    this.list.scrollTop = this.list.scrollHeight;
    this.#top = this.list.scrollTop;
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.list;
    const atEnd = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    const isUp = scrollTop < this.#top - 1;
    this.#top = scrollTop;
    // The height of a line is guessed until it is in sight: the end may be further down than it seemed.
    if (this.following && !atEnd && !isUp) return this.#toEnd();
    if (atEnd === this.following) return undefined;
    this.following = atEnd;
    if (atEnd) this.#drawLater();
    this.#changed();
    return undefined;
  }
}
