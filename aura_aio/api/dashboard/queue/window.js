// A long list of which only the rows in sight are made. All are as high as the longest of them needs: none is cut
// short, and where a row stands is known without the others.

import { h } from "../dom.js";

const LEAST_ROW_PX = 34;
const MORE_ROWS = 8; // above and below what is in sight

/**
 * `make()` answers `{node, update(item, index)}`; `inSight(first, end)` is told which rows are seen,
 * and `sizeOf(item)` answers how much a row has to say.
 * `{node, update(items, count)}`, where `count` may be more than there are items yet.
 */
export function windowOf({ make, inSight, keyOf, sizeOf }) {
  const space = h("div", { class: "window-space", role: "rowgroup" });
  const node = h("div", { class: "window" }, space);
  const shown = new Map(); // by key: `{row, item, index}`
  const spare = []; // rows that went out of sight: to make one costs more than to fill it anew
  let [items, count, frame] = [[], 0, undefined];
  let [rowPx, longest, fitted] = [LEAST_ROW_PX, undefined, ""];

  /** Makes the rows high enough for the longest; answers whether they were not. */
  function fit() {
    const now = longest && `${keyOf(longest)} ${node.clientWidth}`;
    if (!now || now === fitted) return false;
    fitted = now;
    const row = spare.pop() ?? make();
    row.update(longest, 0);
    row.node.classList.add("tried");
    space.append(row.node);
    const needed = Math.max(LEAST_ROW_PX, row.node.offsetHeight);
    row.node.remove();
    row.node.classList.remove("tried");
    spare.push(row);
    if (needed === rowPx) return false;
    const first = node.scrollTop / rowPx;
    rowPx = needed;
    node.style.setProperty("--row", `${rowPx}px`);
    space.style.height = `${count * rowPx}px`;
    node.scrollTop = first * rowPx;
    return true;
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
    const first = Math.max(0, Math.floor(node.scrollTop / rowPx) - MORE_ROWS);
    return [first, Math.min(count, Math.ceil((node.scrollTop + node.clientHeight) / rowPx) + MORE_ROWS)];
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
    row.node.style.transform = `translateY(${index * rowPx}px)`;
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
      longest = items.reduce((most, item) => (most === undefined || sizeOf(item) > sizeOf(most) ? item : most), undefined);
      space.style.height = `${count * rowPx}px`;
      fit();
      draw(true);
    },
    /** Where the line is drawn that shows the target of a move, from the top of the list. */
    lineAt: (from, target) => (target > from ? target + 1 : target) * rowPx,
    /** The index of the row at a height of the screen. */
    indexAt: (clientY) => Math.floor((clientY - space.getBoundingClientRect().top) / rowPx),
    /** Brings a row into sight, and answers it when it is there. */
    show(index) {
      const [top, bottom] = [index * rowPx, (index + 1) * rowPx];
      if (top < node.scrollTop) node.scrollTop = top;
      else if (bottom > node.scrollTop + node.clientHeight) node.scrollTop = bottom - node.clientHeight;
      draw(false);
      return items[index] && shown.get(keyOf(items[index]))?.row;
    },
    leave: () => watching.disconnect(),
  };
}
