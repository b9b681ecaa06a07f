// Small pictures, drawn with lines in the colour of the text beside them.

import { s } from "./dom.js";

const RING = "M8 2.2a5.8 5.8 0 1 0 0 11.6A5.8 5.8 0 0 0 8 2.2z";

const PATHS = {
  overview: "M2.5 2.5h4.4v4.4H2.5zM9.1 2.5h4.4v4.4H9.1zM2.5 9.1h4.4v4.4H2.5zM9.1 9.1h4.4v4.4H9.1z",
  runs: "M3 4.2l1.2 1.2 2-2.4M3 11l1.2 1.2 2-2.4M8.6 4.4h4.9M8.6 11.2h4.9",
  queue: "M2.5 4h11M4.5 8h9M6.5 12h7",
  plans: "M3 2.8h6.2L13 6.4v6.8H3zM9 2.8v3.8h4M5.4 9h5M5.4 11.2h3.4",
  schedules: `${RING}M8 5v3.2l2.2 1.4`,
  logs: "M2.5 3h11v10h-11zM5 6.2l1.8 1.8L5 9.8M8.6 10h2.6",
  docs: "M5.6 4.6L2.4 8l3.2 3.4M10.4 4.6L13.6 8l-3.2 3.4",
  search: "M7 2.8a4.2 4.2 0 1 0 0 8.4 4.2 4.2 0 0 0 0-8.4zM10.2 10.2l3.3 3.3",
  queued: RING,
  running: "M5 3.2v9.6L12.6 8z",
  cancelling: "M4.2 4.2h7.6v7.6H4.2z",
  succeeded: `${RING}M5.6 8.2l1.7 1.7 3.2-3.7`,
  failed: `${RING}M6 6l4 4M10 6l-4 4`,
  timed_out: `${RING}M8 5v3.2h2.4`,
  cancelled: `${RING}M4 12L12 4`,
  pending: "M5.5 8a2.5 2.5 0 1 0 5 0 2.5 2.5 0 0 0-5 0",
  skipped: "M3.5 4l4.5 4-4.5 4zM11.5 4v8",
  lost: "M2.5 8h2M7 8h2M11.5 8h2",
};

const SAME = { success: "succeeded" };

/** The picture of this name, or an empty one. @param {string} name */
export function icon(name) {
  return s("svg", { class: `icon icon-${name}`, viewBox: "0 0 16 16", "aria-hidden": "true" }, s("path", { d: PATHS[SAME[name] ?? name] ?? "" }));
}
