// The queue in the order in which it will start: looked through, reordered, and cleared of what is not wanted.

import { freshId, h, setAttribute, setText } from "../dom.js";
import { feedOf } from "../feed.js";
import { duration, number } from "../format.js";
import { refusal } from "../grant.js";
import { t } from "../i18n.js";
import { actionButton } from "../parts/button.js";
import { choose, showDialog } from "../parts/dialog.js";
import { pageHead } from "../parts/head.js";
import { explain, notify } from "../parts/notice.js";
import { choiceGroup } from "../parts/parts.js";
import { pauseButton } from "../parts/switch.js";
import { dragBy } from "../queue/drag.js";
import { QueueEntries } from "../queue/entries.js";
import { move, prioritise, remove, startNow, toFront } from "../queue/moves.js";
import { queueRow } from "../queue/row.js";
import { windowOf } from "../queue/window.js";
import { go, toQueue } from "../route.js";

/** @param {import("../route.js").Route} route */
export function queuePage({ query }, feeds) {
  const state = query.get("state") === "delayed" ? "delayed" : "ready";
  const isReady = state === "ready";
  const chosen = new Set();
  const entries = new QueueEntries(state, { changed: () => show(), needed: () => Math.max(seen, furthestChosen() + 1) });
  let [length, seen, anchor, dragged] = [0, 0, undefined, undefined];

  const list = windowOf({ make: makeRow, keyOf: ({ cid }) => cid, inSight: (_, end) => see(end), looksOf: (entry) => `${entry.plan_name}/${entry.task_name}` });
  const reading = h("p", { class: "reading", hidden: true });
  const line = h("div", { class: "drop-line", hidden: true });
  list.node.append(line);
  const columns = h("div", { class: "queue-row head", role: "row" }, [["tick", t("queue.col.tick")], ["place number", "#"], ["task", t("runs.task")], ["priority number", t("run.priority")], ["age number", isReady ? t("queue.col.age") : t("queue.col.due")]].map(([kind, text]) => h("div", { class: kind, role: "columnheader" }, kind === "tick" ? h("span", { class: "unseen" }, text) : text)));
  const table = h("div", { class: "queue-table", role: "table", "aria-label": t("nav.queue") }, h("div", { role: "rowgroup" }, columns), list.node);
  const empty = h("p", { class: "empty", hidden: true }, isReady ? t("queue.empty") : t("queue.nodelayed"));
  const facts = h("span", { class: "muted facts" });
  const pause = pauseButton(feeds);
  const paused = h("span", { class: "state", "data-state": "waiting", role: "status" });
  const tabs = choiceGroup({ label: t("queue.state"), choices: [["ready", t("queue.ready")], ["delayed", t("queue.delayed")]], chosen: (value) => go(toQueue(value === "ready" ? {} : { state: value })) });
  const bar = chosenBar();
  tabs.update(state);

  const complain = (error) => notify(explain(error), { kind: "bad" });
  const furthestChosen = () => (chosen.size ? entries.items.findLastIndex(({ cid }) => chosen.has(cid)) : -1);

  /** Reads on when rows are in sight that were not read; before there is any, the feed below reads. */
  function see(end) {
    seen = end;
    const more = end > entries.items.length && !entries.isWhole && entries.items.length > 0;
    if (more) entries.read().catch(complain);
    setText(reading, more ? t("queue.reading", { count: number(entries.items.length), total: number(length) }) : "");
    reading.hidden = !more;
  }

  function makeRow() {
    const row = queueRow({ chosen, tick, isReady });
    if (refusal("moveToPosition")) return row;
    row.handle.addEventListener("keydown", (event) => moveByKey(event, row));
    dragBy(row.handle, list, {
      begin: () => {
        dragged = row;
        row.node.classList.add("dragged");
        const [first, last] = entries.groupOf(row.index);
        return { first, last };
      },
      over: (target) => {
        line.hidden = false;
        line.style.transform = `translateY(${list.lineAt(row.index, target)}px)`;
      },
      drop: (target) => {
        const from = row.index;
        endDrag();
        if (target !== from) move(entries, from, target);
      },
      leave: endDrag,
    });
    return row;
  }

  function endDrag() {
    dragged?.node.classList.remove("dragged");
    dragged = undefined;
    line.hidden = true;
  }

  async function moveByKey(event, row) {
    const [first, last] = entries.groupOf(row.index);
    const targets = { ArrowUp: row.index - 1, ArrowDown: row.index + 1, Home: first, End: last };
    const target = targets[event.key];
    if (target === undefined) return;
    event.preventDefault();
    if (target < first || target > last || target === row.index) return;
    const moving = move(entries, row.index, target);
    list.show(target)?.handle.focus();
    await moving;
  }

  function tick(cid, index, event) {
    const on = !chosen.has(cid);
    const [from, to] = event.shiftKey && anchor !== undefined ? [Math.min(anchor, index), Math.max(anchor, index)] : [index, index];
    for (const entry of entries.items.slice(from, to + 1)) {
      if (on) chosen.add(entry.cid);
      else chosen.delete(entry.cid);
    }
    anchor = index;
    show();
  }

  function chosenBar() {
    const count = h("span", { role: "status" });
    const all = () => entries.items.filter(({ cid }) => chosen.has(cid)).map(({ cid }) => cid);
    const after = async (doing) => {
      await doing;
      chosen.clear(); // which is shown together with the new order
      feeds.refresh();
      await entries.refresh().catch(complain);
      show();
    };
    const front = actionButton({ operation: "reorderQueue", act: () => after(toFront(entries, all())), label: t("queue.front") });
    const now = actionButton({ operation: "updateTaskRunAt", act: () => after(startNow(all())), label: t("queue.startnow") });
    const priority = actionButton({ operation: "updateTaskPriority", label: t("queue.priority"), act: async () => {
      const now = new Set(entries.items.filter(({ cid }) => chosen.has(cid)).map((entry) => entry.priority));
      const value = await askPriority(chosen.size, now.size === 1 ? [...now][0] : 0);
      if (value !== undefined) await after(prioritise(entries, all(), value));
    } });
    const cancel = actionButton({ operation: "removeFromQueue", kind: "danger", label: t("queue.cancel"), act: async () => {
      const sure = await choose({ title: t("queue.cancel.title", { count: number(chosen.size) }), text: t("queue.cancel.text"), choices: [{ value: true, label: t("queue.cancel.sure", { count: number(chosen.size) }), kind: "danger" }] });
      if (sure) await after(remove(all()));
    } });
    const none = h("button", { type: "button", class: "quiet", onclick: () => (chosen.clear(), show()) }, t("queue.none"));
    const node = h("div", { class: "chosen-bar", role: "group", "aria-label": t("queue.chosen.title"), hidden: true }, count, isReady ? front : now, priority, cancel, none);
    return {
      node,
      update() {
        node.hidden = chosen.size === 0;
        setText(count, t("queue.chosen", { count: number(chosen.size) }));
      },
    };
  }

  function show() {
    for (const cid of chosen) if (!entries.has(cid)) chosen.delete(cid);
    list.update(entries.items, entries.isWhole ? entries.items.length : length);
    setAttribute(table, "aria-rowcount", (entries.isWhole ? entries.items.length : length) + 1);
    setAttribute(table, "hidden", entries.items.length === 0);
    setAttribute(empty, "hidden", entries.items.length > 0 || !entries.isWhole);
    bar.update();
  }

  const stop = feeds.queue.read((queue) => {
    length = isReady ? queue.ready_length : queue.delayed_length;
    setText(facts, length && isReady ? t("queue.oldest", { oldest: duration(queue.oldest_age_sec) }) : "");
    tabs.count({ ready: queue.ready_length, delayed: queue.delayed_length });
    const plans = queue.pauses.plans.map((each) => each.plan_name);
    setText(paused, queue.pauses.is_paused ? t("queue.paused") : t("queue.paused.plans", { plans: plans.join(", ") }));
    setAttribute(paused, "hidden", !queue.pauses.is_paused && plans.length === 0);
  });
  const looking = feedOf(async () => {
    // Further down it is read anew when something is done there, or by hand.
    if (!dragged && !entries.isFar) await entries.refresh();
  });
  looking.read(() => {});

  return {
    title: t("nav.queue"),
    nodes: [
      pageHead({ title: t("nav.queue"), beside: [paused, facts], tools: [h("button", { type: "button", onclick: () => entries.refresh().catch(complain) }, t("queue.refresh")), pause.node] }),
      h("div", { class: "bar" }, tabs.node, bar.node),
      h("section", { class: "card queue" }, table, reading, empty),
    ],
    leave() {
      looking.end();
      stop();
      pause.stop();
      list.leave();
    },
  };
}

/** Asks for a priority, which was `before`; answers it, or undefined. */
async function askPriority(count, before) {
  const id = freshId("priority");
  const field = h("input", { id, type: "number", min: "-100", max: "100", step: "1", value: before, required: true });
  const body = h("div", { class: "field" }, h("label", { for: id }, t("run.priority")), field, h("p", { class: "help" }, t("launch.priority.help")));
  const text = await showDialog({ title: t("queue.priority.title", { count: number(count) }), body, choices: [{ label: t("queue.priority.set"), kind: "primary", submits: true }], leave: t("dialog.leave"), submit: () => field.value });
  const value = Number(text);
  return text && Number.isInteger(value) && Math.abs(value) <= 100 ? value : undefined;
}
