// What will run next: the first of the queue, then what joins it soonest, from the delayed ones and from the schedules.

import { call } from "../api.js";
import { h, rowsOf, setAttribute, setName, setText } from "../dom.js";
import { feedOf } from "../feed.js";
import { ago, bothTimes, number } from "../format.js";
import { t } from "../i18n.js";
import { toQueue, toRun } from "../route.js";
import { card } from "./head.js";
import { waitingText } from "./run_facts.js";

const READY = 3;
const SCHEDULES = 1_000;
const SCHEDULES_EVERY_MS = 15_000;

/** `{node, stop()}`. */
export function nextView() {
  const list = h("ol", { class: "next" });
  const empty = h("p", { class: "empty", hidden: true }, t("next.nothing"));
  const show = rowsOf(list, ({ key }) => key, nextRow);
  let [queued, due] = [[], []];

  const queue = feedOf((signal) => Promise.all([
    call("listQueue", {}, { query: { state: "ready", limit: READY }, signal }),
    call("listQueue", {}, { query: { state: "delayed", limit: 1 }, signal }),
  ]));
  const schedules = feedOf((signal) => call("listSchedules", {}, { query: { limit: SCHEDULES }, signal }), SCHEDULES_EVERY_MS);

  function update() {
    const entries = [...queued, ...due];
    show(entries);
    setAttribute(empty, "hidden", entries.length > 0);
    setAttribute(list, "hidden", entries.length === 0);
  }

  queue.read(([ready, delayed]) => {
    queued = [...ready.items.map(fromReady), ...delayed.items.map(fromDelayed)];
    update();
  });
  schedules.read(({ items }) => {
    due = items.filter(({ enabled, next_run_at: at }) => enabled && at).sort((one, other) => Date.parse(one.next_run_at) - Date.parse(other.next_run_at)).slice(0, 1).map(fromSchedule);
    update();
  });
  return {
    node: card({ title: t("next.title"), tools: [h("a", { class: "button", href: toQueue() }, t("runs.all"))] }, list, empty),
    stop() {
      queue.end();
      schedules.end();
    },
  };
}

const nameOf = ({ plan_name: plan, task_name: task }) => `${plan}/${task}`;

function fromReady(entry, index) {
  const reasons = entry.waiting.reasons.filter(({ code }) => code !== "behind");
  return { key: entry.cid, name: nameOf(entry), href: toRun(entry.cid), place: number(index + 1), note: waitingText({ reasons }) };
}

function fromDelayed(entry) {
  return { key: entry.cid, name: nameOf(entry), href: toRun(entry.cid), note: t("runs.delayed", { when: ago(entry.run_at) }), time: entry.run_at };
}

function fromSchedule(schedule) {
  const { id, next_run_at: time } = schedule;
  return { key: `schedule ${id}`, name: nameOf(schedule), href: "#/schedules", note: t("next.due", { when: ago(time) }), time };
}

function nextRow() {
  const [place, name, note] = [h("span", { class: "place number muted" }), h("a", { class: "name" }), h("span", { class: "muted" })];
  return {
    node: h("li", {}, place, name, note),
    update(entry) {
      setText(place, entry.place ?? "–");
      setName(name, entry.name);
      setAttribute(name, "href", entry.href);
      setText(note, entry.note);
      setAttribute(note, "title", entry.time && bothTimes(entry.time));
    },
  };
}
