// The entries of the queue, read through the cursor as far as somebody has looked.

import { call } from "../api.js";

const A_PAGE = 500;

/**
 * @typedef {{cid: string, plan_name: string, task_name: string, priority: number, created_at: string, run_at?: string, waiting: object, labels: Record<string, string>}} Entry
 */

/** The queue of one state (`ready` or `delayed`); `changed()` is called whenever there are others. */
export class QueueEntries {
  /** @type {Entry[]} */
  items = [];
  isWhole = false;
  #state;
  #changed;
  #cursor;
  #wanted = 0;
  #round = 0; // what belongs to an older one is too late
  #reading;

  constructor(state, changed) {
    this.#state = state;
    this.#changed = changed;
  }

  /** Has at least the first `count` entries read, if there are so many. */
  need(count) {
    this.#wanted = Math.max(this.#wanted, count);
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /** Reads anew all that was read; what is shown stays until then. */
  async refresh() {
    this.#round += 1;
    const round = this.#round;
    const items = [];
    let cursor;
    do {
      const page = await this.#page(cursor);
      if (round !== this.#round) return;
      items.push(...page.items);
      cursor = page.next_cursor;
    } while (cursor !== undefined && items.length < this.#wanted);
    this.#take(items, cursor);
  }

  /** Puts `items` in place of what was read, until the server says how it is. @param {Entry[]} items */
  guess(items) {
    this.#round += 1;
    this.items = items;
    this.#changed();
  }

  async #read() {
    while (!this.isWhole && this.items.length < this.#wanted) {
      const round = this.#round;
      const page = await this.#page(this.#cursor);
      if (round !== this.#round) continue; // read anew meanwhile
      const known = new Set(this.items.map(({ cid }) => cid));
      this.#take([...this.items, ...page.items.filter(({ cid }) => !known.has(cid))], page.next_cursor);
    }
  }

  #take(items, cursor) {
    this.items = items;
    this.#cursor = cursor;
    this.isWhole = cursor === undefined;
    this.#changed();
  }

  #page(cursor) {
    return call("listQueue", {}, { query: { state: this.#state, limit: A_PAGE, cursor } });
  }

  /** The first and the last index of those with the priority of the entry at `index`, within which it can move. */
  groupOf(index) {
    const { priority } = this.items[index];
    let [first, last] = [index, index];
    while (first > 0 && this.items[first - 1].priority === priority) first -= 1;
    while (last < this.items.length - 1 && this.items[last + 1].priority === priority) last += 1;
    return [first, last];
  }
}
