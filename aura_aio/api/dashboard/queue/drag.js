// Moving a row by its handle: with the mouse, a finger or a pen.

const EDGE_PX = 40;
const SCROLL_PX = 12;

/**
 * Lets `handle` drag a row. `begin()` answers `{first, last}`, between which it may go, or undefined
 * when it may not; `over(index)` tells where it would go, `drop(index)` where it goes, `leave()`
 * that it stays.
 * @param {HTMLElement} handle
 */
export function dragBy(handle, list, { begin, over, drop, leave }) {
  handle.addEventListener("pointerdown", (down) => {
    const range = down.button === 0 ? begin() : undefined;
    if (!range) return;
    down.preventDefault();
    handle.focus();
    handle.setPointerCapture(down.pointerId);
    let target;

    const onMove = ({ clientY }) => {
      const { top, bottom } = list.node.getBoundingClientRect();
      if (clientY < top + EDGE_PX) list.node.scrollTop -= SCROLL_PX;
      if (clientY > bottom - EDGE_PX) list.node.scrollTop += SCROLL_PX;
      target = Math.min(range.last, Math.max(range.first, list.indexAt(clientY)));
      over(target);
    };
    const end = (event) => {
      handle.removeEventListener("pointermove", onMove);
      handle.removeEventListener("pointerup", end);
      handle.removeEventListener("pointercancel", end);
      removeEventListener("keydown", onKey, true);
      if (event.type === "pointerup" && target !== undefined) drop(target);
      else leave();
    };
    const onKey = (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      end(event);
    };
    handle.addEventListener("pointermove", onMove);
    handle.addEventListener("pointerup", end);
    handle.addEventListener("pointercancel", end);
    addEventListener("keydown", onKey, true);
  });
}
