// Where the rows of a long list stand, each as high as what it says needs.

const LEAST_PX = 34;

/**
 * `measure(items)` answers how high their rows would be; it is asked once for all items of the same
 * `looksOf(item)`: a long queue has few tasks. `{fit(items, width), top(index), indexAt(y)}`.
 */
export function heightsOf({ looksOf, measure }) {
  const known = new Map(); // by looks
  const tops = [0]; // of each row, and of what comes after the last
  let [fitted, fittedWidth] = [undefined, undefined];
  let usual = LEAST_PX; // of a row that is not known yet

  function learn(items, from) {
    const samples = new Map();
    for (let at = from; at < items.length; at += 1) {
      const looks = looksOf(items[at]);
      if (!known.has(looks)) samples.set(looks, items[at]);
    }
    if (!samples.size) return;
    const needed = measure([...samples.values()]);
    [...samples.keys()].forEach((looks, at) => known.set(looks, Math.max(LEAST_PX, needed[at])));
    usual = Math.min(...known.values());
  }

  /** The row that is `y` below the top, or where one would be. */
  function indexAt(y) {
    const last = tops.length - 1;
    if (y >= tops[last]) return last + Math.floor((y - tops[last]) / usual);
    let [low, high] = [0, last];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (tops[middle] <= y) low = middle;
      else high = middle;
    }
    return low;
  }

  return {
    /** Knows the heights of these from now on; answers whether a row stands elsewhere. Of a list that has grown only what is new is looked at. */
    fit(items, width) {
      const isAnew = items !== fitted || width !== fittedWidth || items.length < tops.length - 1;
      if (width !== fittedWidth) known.clear();
      const from = isAnew ? 0 : tops.length - 1;
      learn(items, from);
      let isOther = false;
      for (let at = from; at < items.length; at += 1) {
        const next = tops[at] + known.get(looksOf(items[at]));
        isOther ||= tops[at + 1] !== undefined && tops[at + 1] !== next;
        tops[at + 1] = next;
      }
      tops.length = items.length + 1;
      [fitted, fittedWidth] = [items, width];
      return isOther;
    },
    top(index) {
      const last = tops.length - 1;
      return index <= last ? tops[index] : tops[last] + (index - last) * usual;
    },
    indexAt,
  };
}
