// What is done to entries of the queue, and how it is undone where the contract allows it.

import { call } from "../api.js";
import { number } from "../format.js";
import { t } from "../i18n.js";
import { explain, notify } from "../parts/notice.js";

const REQUESTS_AT_ONCE = 8;
const MOST_AT_ONCE = 1_000; // of a new order
const MOST_UNDONE = 10_000; // a new order is undone by the old one of all before the last that was moved

let last; // the move that can be undone: `{cid, from, notice}`

/**
 * Moves the entry at `from` to `to`, both within its priority; what is shown changes at once. Several moves of one
 * entry after each other, as by the arrow keys, are undone together.
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
    const begun = last?.cid === entry.cid && last.notice.isConnected ? last.from : from;
    const notice = notify(t("queue.moved", { task, place: number(to + 1) }), { undo: undone ? undefined : () => back(entries, entry.cid, begun) });
    last = undone ? undefined : { cid: entry.cid, from: begun, notice };
    if (entries.isFar) return; // it is as it was guessed; to read so much anew takes its time
  } catch (error) {
    notify(explain(error), { kind: "bad" });
  }
  await entries.refresh();
}

async function back(entries, cid, to) {
  const now = entries.items.findIndex((each) => each.cid === cid);
  if (now !== -1) await move(entries, now, to, true);
}

/**
 * Puts these before all others of their priority, in their order.
 * @param {import("./entries.js").QueueEntries} entries
 * @param {string[]} cids
 */
export async function toFront(entries, cids) {
  const before = upToLast(entries, cids);
  const undo = async () => {
    await done(t("undone"), () => reorder(before.filter((cid) => entries.has(cid))));
    await entries.refresh();
  };
  await done(t("queue.fronted", { count: number(cids.length) }), () => reorder(cids), { undo: before.length <= MOST_UNDONE ? undo : undefined });
}

/** The cids of all entries up to the last of these: their order is that of these, too. */
function upToLast(entries, cids) {
  const wanted = new Set(cids);
  return entries.items.slice(0, entries.items.findLastIndex(({ cid }) => wanted.has(cid)) + 1).map(({ cid }) => cid);
}

/** The contract takes so many at once that the last have to go first. @param {string[]} cids */
async function reorder(cids) {
  for (let end = cids.length; end > 0; end -= MOST_AT_ONCE) {
    await call("reorderQueue", {}, { body: { cid_order: cids.slice(Math.max(0, end - MOST_AT_ONCE), end) } });
  }
}

/**
 * Gives them all this priority, which takes away the place that they were moved to: undone, they have it again.
 * @param {import("./entries.js").QueueEntries} entries
 * @param {string[]} cids
 */
export async function prioritise(entries, cids, priority) {
  const before = new Map(entries.items.map((entry) => [entry.cid, entry.priority]));
  const order = upToLast(entries, cids);
  const change = (valueOf) => each(cids, (cid) => call("updateTaskPriority", { cid }, { body: { priority: valueOf(cid) } }));
  await done(t("queue.prioritised", { count: number(cids.length), priority: number(priority) }), () => change(() => priority), {
    undo: async () => {
      await done(t("undone"), async () => {
        await change((cid) => before.get(cid) ?? 0);
        if (order.length <= MOST_UNDONE) await reorder(order.filter((cid) => entries.has(cid)));
      });
      await entries.refresh();
    },
  });
}

/** Cancels them all. @param {string[]} cids */
export async function remove(cids) {
  await done(t("queue.removed", { count: number(cids.length) }), () => each(cids, (cid) => call("removeFromQueue", { cid })));
}

/** Lets delayed ones start as soon as they can. @param {string[]} cids */
export async function startNow(cids) {
  await done(t("queue.started", { count: number(cids.length) }), () => each(cids, (cid) => call("updateTaskRunAt", { cid }, { body: {} })));
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
  const waiting = cids.values(); // each of those at work takes the next
  const errors = [];
  await Promise.all(Array.from({ length: REQUESTS_AT_ONCE }, async () => {
    for (const cid of waiting) await act(cid).catch((error) => errors.push(error));
  }));
  if (errors.length) throw errors[0];
}
