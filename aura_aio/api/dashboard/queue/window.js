// A long list of which only the rows in sight are made. None is cut short: a row is as high as what it says needs.

import { h } from "../dom.js";
import { heightsOf } from "./heights.js";

const MORE_ROWS = 8; // above and below what is in sight

/**
 * `make()` answers `{node, update(item, index), measure(item)}`; `inSight(first, end)` is told which rows are
 * seen, and items of which `looksOf(item)` is the same are as high as each other when `measure` has filled a row.
 * `{node, update(items, count)}`, where `count` may be more than there are items yet.
 */
export function windowOf({ make, inSight, keyOf, looksOf }) {
  const space = h("div", { class: "window-space", role: "rowgroup" });
  const node = h("div", { class: "window" }, space);
  const shown = new Map(); // by key: `{row, item, index}`
  const spare = []; // rows that went out of sight: to make one costs more than to fill it anew
  const heights = heightsOf({ looksOf, measure });
  let [items, count, frame] = [[], 0, undefined];

  /** How high rows are that say this: all are tried at once, where nobody sees it. */
  function measure(samples) {
    const rows = samples.map((item) => {
      const row = spare.pop() ?? make();
      row.measure(item);
      row.node.classList.add("tried");
      return row;
    });
    space.append(...rows.map((row) => row.node));
    const needed = rows.map((row) => row.node.offsetHeight);
    for (const row of rows) {
      row.node.remove();
      row.node.classList.remove("tried");
      spare.push(row);
    }
    return needed;
  }

  /** Gives the rows the height that they need at this width; what is seen first stays so. */
  function fit() {
    const first = heights.indexAt(node.scrollTop);
    const into = node.scrollTop - heights.top(first);
    const isOther = heights.fit(items, node.clientWidth);
    space.style.height = `${heights.top(count)}px`;
    if (isOther && first > 0) node.scrollTop = heights.top(first) + into;
    return isOther;
  }

  /** Brings what is in sight into the page; with `anew`, rows that were there already say again what they say. */
  function draw(anew) {
    const [first, end] = sight();
    const wanted = wantedOf(first, Math.min(end, items.length), focusedAt(anew));
    for (const [key, { row }] of shown) {
      if (wanted.has(key)) continue;
      row.node.remove();
      shown.delete(key);
      spare.push(row);
    }
    let place = space.firstElementChild;
    for (const [key, index] of wanted) {
      const { node: rowNode } = filled(key, items[index], index, anew);
      if (rowNode === place) place = place.nextElementSibling;
      else space.insertBefore(rowNode, place);
    }
    inSight(first, end);
  }

  function sight() {
    const first = Math.max(0, heights.indexAt(node.scrollTop) - MORE_ROWS);
    return [first, Math.min(count, heights.indexAt(node.scrollTop + node.clientHeight) + 1 + MORE_ROWS)];
  }

  function wantedOf(first, end, focused) {
    const wanted = new Map();
    if (focused >= 0 && focused < first) wanted.set(keyOf(items[focused]), focused);
    for (let index = first; index < end; index += 1) wanted.set(keyOf(items[index]), index);
    if (focused >= end) wanted.set(keyOf(items[focused]), focused);
    return wanted;
  }

  /** Where the row with the focus is, or -1: it stays in the page also out of sight, as else a drag of it would end. */
  function focusedAt(anew) {
    for (const [key, { row, index }] of shown) {
      if (row.node.contains(document.activeElement)) return anew ? items.findIndex((item) => keyOf(item) === key) : index;
    }
    return -1;
  }

  function filled(key, item, index, anew) {
    const before = shown.get(key);
    if (before && !anew && before.item === item && before.index === index) return before.row;
    const row = before?.row ?? spare.pop() ?? make();
    shown.set(key, { row, item, index });
    row.update(item, index);
    row.node.style.transform = `translateY(${heights.top(index)}px)`;
    row.node.style.setProperty("--row", `${heights.top(index + 1) - heights.top(index)}px`);
    return row;
  }

  const later = () => (frame ??= requestAnimationFrame(() => {
    frame = undefined;
    draw(fit());
  }));
  node.addEventListener("scroll", later, { passive: true });
  const watching = new ResizeObserver(later);
  watching.observe(node);

  return {
    node,
    update(latest, total) {
      [items, count] = [latest, Math.max(total, latest.length)];
      fit();
      draw(true);
    },
    /** Where the line is drawn that shows the target of a move, from the top of the list. */
    lineAt: (from, target) => heights.top(target > from ? target + 1 : target),
    /** The index of the row at a height of the screen. */
    indexAt: (clientY) => heights.indexAt(clientY - space.getBoundingClientRect().top),
    /** Brings a row into sight, and answers it when it is there. */
    show(index) {
      const [top, bottom] = [heights.top(index), heights.top(index + 1)];
      if (top < node.scrollTop) node.scrollTop = top;
      else if (bottom > node.scrollTop + node.clientHeight) node.scrollTop = bottom - node.clientHeight;
      draw(false);
      return items[index] && shown.get(keyOf(items[index]))?.row;
    },
    leave: () => watching.disconnect(),
  };
}
