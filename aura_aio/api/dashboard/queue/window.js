// A long list of which only the rows in sight are made.

import { h } from "../dom.js";

export const ROW_PX = 34;
const MORE_ROWS = 8; // above and below what is in sight

/**
 * `make()` answers `{node, update(item, index)}`; `inSight(first, end)` is told which rows are seen.
 * `{node, update(items, count)}`, where `count` may be more than there are items yet.
 */
export function windowOf({ make, inSight, keyOf }) {
  const space = h("div", { class: "window-space", role: "rowgroup" });
  const node = h("div", { class: "window" }, space);
  const rows = new Map();
  let [items, count, frame] = [[], 0, undefined];

  function draw() {
    frame = undefined;
    const first = Math.max(0, Math.floor(node.scrollTop / ROW_PX) - MORE_ROWS);
    const end = Math.min(count, Math.ceil((node.scrollTop + node.clientHeight) / ROW_PX) + MORE_ROWS);
    const wanted = new Map();
    for (let index = first; index < Math.min(end, items.length); index += 1) wanted.set(keyOf(items[index]), index);
    for (const [key, row] of rows) {
      if (wanted.has(key)) continue;
      row.node.remove();
      rows.delete(key);
    }
    let place = space.firstElementChild;
    for (const [key, index] of wanted) {
      let row = rows.get(key);
      if (!row) {
        row = make();
        rows.set(key, row);
      }
      row.update(items[index], index);
      row.node.style.transform = `translateY(${index * ROW_PX}px)`;
      if (row.node === place) place = place.nextElementSibling;
      else space.insertBefore(row.node, place);
    }
    inSight(first, end);
  }

  const later = () => (frame ??= requestAnimationFrame(draw));
  node.addEventListener("scroll", later, { passive: true });
  const watching = new ResizeObserver(later);
  watching.observe(node);

  return {
    node,
    update(latest, total) {
      [items, count] = [latest, Math.max(total, latest.length)];
      space.style.height = `${count * ROW_PX}px`;
      draw();
    },
    /** The index of the row at a height of the screen. */
    indexAt: (clientY) => Math.floor((clientY - space.getBoundingClientRect().top) / ROW_PX),
    /** Brings a row into sight, and answers it when it is there. */
    show(index) {
      const [top, bottom] = [index * ROW_PX, (index + 1) * ROW_PX];
      if (top < node.scrollTop) node.scrollTop = top;
      else if (bottom > node.scrollTop + node.clientHeight) node.scrollTop = bottom - node.clientHeight;
      draw();
      return items[index] && rows.get(keyOf(items[index]));
    },
    leave: () => watching.disconnect(),
  };
}
