// The entries of the queue, read through the cursor as far as somebody has looked.

import { call } from "../api.js";

const [FIRST_PAGE, LARGEST_PAGE] = [100, 1_000]; // the first is on the screen soon, the last are not many
const FAR = 500;

/**
 * @typedef {{cid: string, plan_name: string, task_name: string, priority: number, created_at: string, run_at?: string, waiting: {reasons: {code: string, resource?: string}[]}, labels: Record<string, string>}} Entry
 */

/**
 * The queue of one state (`ready` or `delayed`); `changed()` is called whenever there are others, and
 * `needed()` answers how many of the first entries there is a use for.
 */
export class QueueEntries {
  /** @type {Entry[]} never copied while it grows: it may become long */
  items = [];
  isWhole = false;
  #state;
  #changed;
  #needed;
  #known = new Set(); // the cids of the items
  #cursor;
  #round = 0; // what belongs to an older one is too late
  #reading;

  constructor(state, { changed, needed }) {
    this.#state = state;
    this.#changed = changed;
    this.#needed = needed;
  }

  has(cid) {
    return this.#known.has(cid);
  }

  /** Whether more is needed than may be read every few seconds. */
  get isFar() {
    return this.#needed() > FAR;
  }

  /** Has as many entries read as are needed, if there are so many. */
  read() {
    this.#reading ??= this.#readOn().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /** Reads anew all that is needed; what is shown stays until then. */
  async refresh() {
    this.#round += 1;
    const round = this.#round;
    const items = [];
    let cursor;
    do {
      const page = await this.#page(cursor, items.length);
      if (round !== this.#round) return;
      for (const entry of page.items) items.push(entry);
      cursor = page.next_cursor;
    } while (cursor !== undefined && items.length < this.#needed());
    if (cursor !== undefined && items.length < this.items.length && items.every(({ cid }, index) => cid === this.items[index].cid)) {
      this.items.splice(0, items.length, ...items); // nothing has moved: what comes after them is as good as it was
      this.#changed();
    } else {
      this.#put(items);
      this.#read(cursor);
    }
  }

  /** Puts `items` in place of what was read, until the server says how it is. @param {Entry[]} items */
  guess(items) {
    this.#round += 1;
    this.#put(items);
    this.#changed();
  }

  async #readOn() {
    while (!this.isWhole && this.items.length < this.#needed()) {
      const round = this.#round;
      const page = await this.#page(this.#cursor, this.items.length);
      if (round !== this.#round) continue; // read anew meanwhile
      for (const entry of page.items) {
        if (this.#known.has(entry.cid)) continue;
        this.#known.add(entry.cid);
        this.items.push(entry);
      }
      this.#read(page.next_cursor);
    }
  }

  #put(items) {
    this.items = items;
    this.#known = new Set(items.map(({ cid }) => cid));
  }

  #read(cursor) {
    this.#cursor = cursor;
    this.isWhole = cursor === undefined;
    this.#changed();
  }

  #page(cursor, read) {
    return call("listQueue", {}, { query: { state: this.#state, limit: Math.min(Math.max(FIRST_PAGE, read), LARGEST_PAGE), cursor } });
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
