// The queue in figures.

import { h, setText } from "../dom.js";
import { duration, number } from "../format.js";
import { t } from "../i18n.js";

/** The row of figures; `feeds` are the page's feeds. */
export function figuresView(feeds) {
  const figures = [
    ["ready", (queue) => number(queue.ready_length), (queue) => (queue.oldest_age_sec === undefined ? "" : t("figure.oldest", { age: duration(queue.oldest_age_sec) }))],
    ["delayed", (queue) => number(queue.delayed_length), () => ""],
    ["running", (queue) => number(queue.running_length), () => ""],
    ["wait", (queue) => duration(queue.avg_wait_sec), (queue) => (queue.p95_wait_sec === undefined ? "" : t("figure.p95", { wait: duration(queue.p95_wait_sec) }))],
    ["throughput", (queue) => number(queue.throughput.m5), ({ throughput }) => t("figure.more", { m15: number(throughput.m15), m60: number(throughput.m60) })],
  ].map(([name, value, note]) => {
    const [strong, small] = [h("dd", {}, "–"), h("dd", { class: "muted" })];
    feeds.queue.read((queue) => {
      setText(strong, value(queue));
      setText(small, note(queue));
    });
    return h("div", { class: "figure", "data-figure": name }, h("dt", {}, t(`figure.${name}`)), strong, small);
  });
  return h("section", { "aria-label": t("figures.title") }, h("dl", { class: "figures" }, figures));
}
