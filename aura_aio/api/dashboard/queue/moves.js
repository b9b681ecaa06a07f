// What is done to entries of the queue, and how it is undone where the contract allows it.

import { call } from "../api.js";
import { number } from "../format.js";
import { t } from "../i18n.js";
import { explain, notify } from "../parts/notice.js";

const AT_ONCE = 8;

/**
 * Moves the entry at `from` to `to`, both within its priority; what is shown changes at once.
 * @param {import("./entries.js").QueueEntries} entries
 */
export async function move(entries, from, to, undone = false) {
  const [first] = entries.groupOf(from);
  const entry = entries.items[from];
  const items = [...entries.items];
  items.splice(from, 1);
  items.splice(to, 0, entry);
  entries.guess(items);
  try {
    await call("moveToPosition", { cid: entry.cid }, { body: { position: to - first + 1 } });
    const task = `${entry.plan_name}/${entry.task_name}`;
    notify(t("queue.moved", { task, place: number(to + 1) }), { undo: undone ? undefined : () => back(entries, entry.cid, from) });
  } catch (error) {
    notify(explain(error), { kind: "bad" });
  }
  await entries.refresh();
}

async function back(entries, cid, to) {
  const now = entries.items.findIndex((each) => each.cid === cid);
  if (now !== -1) await move(entries, now, to, true);
}

/** Puts these before all others of their priority, in their order. @param {string[]} cids */
export async function toFront(entries, cids) {
  const before = entries.items.map(({ cid }) => cid).slice(0, 1_000);
  await done(t("queue.fronted", { count: number(cids.length) }), () => call("reorderQueue", {}, { body: { cid_order: cids } }), {
    undo: async () => {
      const still = new Set(entries.items.map(({ cid }) => cid));
      await done(t("undone"), () => call("reorderQueue", {}, { body: { cid_order: before.filter((cid) => still.has(cid)) } }));
      await entries.refresh();
    },
  });
  await entries.refresh();
}

/** Gives them all this priority. @param {string[]} cids */
export async function prioritise(entries, cids, priority) {
  const before = new Map(entries.items.map((entry) => [entry.cid, entry.priority]));
  const change = (valueOf) => each(cids, (cid) => call("updateTaskPriority", { cid }, { body: { priority: valueOf(cid) } }));
  await done(t("queue.prioritised", { count: number(cids.length), priority: number(priority) }), () => change(() => priority), {
    undo: async () => {
      await done(t("undone"), () => change((cid) => before.get(cid) ?? 0));
      await entries.refresh();
    },
  });
  await entries.refresh();
}

/** Cancels them all. @param {string[]} cids */
export async function remove(entries, cids) {
  await done(t("queue.removed", { count: number(cids.length) }), () => each(cids, (cid) => call("removeFromQueue", { cid })));
  await entries.refresh();
}

/** Lets delayed ones start as soon as they can. @param {string[]} cids */
export async function startNow(entries, cids) {
  await done(t("queue.started", { count: number(cids.length) }), () => each(cids, (cid) => call("updateTaskRunAt", { cid }, { body: {} })));
  await entries.refresh();
}

async function done(text, act, options) {
  try {
    await act();
    notify(text, options);
  } catch (error) {
    notify(explain(error), { kind: "bad" });
  }
}

/** Does `act` for each, some at a time; all are tried, then the first error is thrown. */
async function each(cids, act) {
  const waiting = [...cids];
  const errors = [];
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (waiting.length) await act(waiting.shift()).catch((error) => errors.push(error));
  }));
  if (errors.length) throw errors[0];
}
