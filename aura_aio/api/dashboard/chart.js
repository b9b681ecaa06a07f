// Small charts, drawn as SVG.

import { h, s, setText } from "./dom.js";

const HEIGHT = 22;
const BAR = 5;

/** A bar for each of `items` (`{value, bad, text}`), the last at the right. */
export function sparkline(items, label) {
  const most = Math.max(...items.map(({ value }) => value), 1e-9);
  const bars = items.map(({ value, bad, text }, index) => {
    const height = Math.max(1.5, (value / most) * HEIGHT);
    return s("rect", { class: bad ? "bad" : "", x: index * (BAR + 2), y: HEIGHT - height, width: BAR, height, rx: 1 }, s("title", {}, text));
  });
  return s("svg", { class: "sparkline", width: items.length * (BAR + 2) - 2, height: HEIGHT, role: "img", "aria-label": label }, bars);
}

const [WIDTH, TALL, HEADROOM] = [240, 48, 1.25];

/**
 * A line over time with its latest value: `{node, update(values, latest)}`; `latest` is the text.
 * @param {{label: string, tone: string}} options
 */
export function lineChart({ label, tone }) {
  const line = s("path", { class: "line" });
  const area = s("path", { class: "area" });
  const value = h("span", { class: "value" }, "–");
  const drawing = s("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${TALL}`, preserveAspectRatio: "none", "aria-hidden": "true" }, area, line);
  const most = h("span", { class: "most muted" });
  return {
    node: h("div", { class: "figure", "data-tone": tone }, h("div", { class: "figure-label" }, label), h("div", { class: "figure-value" }, value, most), drawing),
    update(values, latest, note = "") {
      setText(value, latest);
      setText(most, note);
      if (values.length < 2) return;
      const top = Math.max(...values, 1) * HEADROOM;
      const step = WIDTH / (values.length - 1);
      const points = values.map((each, index) => `${(index * step).toFixed(1)} ${(TALL - 2 - (each / top) * (TALL - 6)).toFixed(1)}`);
      line.setAttribute("d", `M${points.join("L")}`);
      area.setAttribute("d", `M0 ${TALL}L${points.join("L")}L${WIDTH} ${TALL}z`);
    },
  };
}
