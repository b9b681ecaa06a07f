// What the panel shows, as the part of the address behind `#`: it can be linked, and "back" works.

export const toRun = (cid) => `#/runs/${encodeURIComponent(cid)}`;

/** The form of a task; with `from`, filled in with the inputs of that run. */
export function toTask(plan, task, from) {
  const path = `#/tasks/${encodeURIComponent(plan)}/${encodeURIComponent(task)}`;
  return from === undefined ? path : `${path}/${encodeURIComponent(from)}`;
}

export const HOME = "#/";

/** The words of the present address: `["runs", cid]`, `["tasks", plan, task, from?]`, or `[]`. */
export function route() {
  try {
    return location.hash.replace(/^#\/?/, "").split("/").filter(Boolean).map(decodeURIComponent);
  } catch {
    return []; // a mangled link
  }
}

export function go(hash) {
  location.hash = hash;
}

/** Calls `listener(route())` now and whenever the address changes. */
export function onRoute(listener) {
  addEventListener("hashchange", () => listener(route()));
  listener(route());
}
