// The steps of a task as a drawing, coloured by how they stand.

import { h, s } from "../dom.js";
import { duration, secondsBetween } from "../format.js";
import { t, word } from "../i18n.js";
import { icon } from "../icons.js";
import { layout, NODE } from "./layout.js";

const MARGIN = 10;
const LEAST_SCALE = 0.8;
const LETTERS = 21; // of a name that fit into a step

/**
 * Draws `graph` of the contract (`{nodes, edges}`): `{node, update(timeline), reveal(step)}`, with the timeline of the
 * contract; `reveal` brings a step, or the first, into sight in a graph that is larger than its box. With
 * `chosen(node_id)` the steps can be pressed.
 * @param {{nodes: any[], edges: any[]}} graph
 * @param {{chosen?: (step: string) => void}} [options]
 */
export function graphView(graph, { chosen } = {}) {
  const place = layout(graph.nodes.map(({ node_id: id }) => id), graph.edges.map(({ source, target }) => [source, target]));
  const steps = graph.nodes.map((step) => stepNode(step, place.nodes.get(step.node_id), chosen));
  const [width, height] = [place.width + 2 * MARGIN, place.height + 2 * MARGIN];
  const drawing = s(
    "svg",
    { class: "graph", width, height, viewBox: `${-MARGIN} ${-MARGIN} ${width} ${height}`, role: chosen ? "group" : "img", "aria-label": t("graph.title", { steps: graph.nodes.map(({ node_id: id }) => id).join(", ") }) },
    graph.edges.map((edge) => edgeLine(edge, place.lines.get(`${edge.source}\n${edge.target}`))),
    steps.map(({ node }) => node),
  );
  drawing.style.minWidth = `${Math.round(width * LEAST_SCALE)}px`; // smaller it would not be read: then it scrolls
  const box = h("div", { class: "graph-box", tabindex: "0", role: "group", "aria-label": t("graph.box") }, drawing);
  return {
    node: box,
    reveal(step = graph.nodes[0]?.node_id) {
      const at = place.nodes.get(step);
      if (!at) return;
      const scale = drawing.getBoundingClientRect().width / width;
      const [x, y] = [at.x + NODE.width / 2 + MARGIN, at.y + NODE.height / 2 + MARGIN];
      box.scrollTo(x * scale - box.clientWidth / 2, y * scale - box.clientHeight / 2);
    },
    update({ steps: timed, finished_at: end }) {
      const byId = new Map(timed.map((step) => [step.node_id, step]));
      for (const { id, update } of steps) update(byId.get(id), end);
    },
  };
}

function edgeLine({ statuses, group }, points) {
  if (!points) return undefined;
  let path = `M${points[0].x} ${points[0].y}`;
  for (let at = 1; at < points.length; at += 1) {
    const [from, to] = [points[at - 1], points[at]];
    const middle = (from.x + to.x) / 2;
    path += from.y === to.y ? `L${to.x} ${to.y}` : `C${middle} ${from.y} ${middle} ${to.y} ${to.x} ${to.y}`;
  }
  const end = points.at(-1);
  const conditional = (statuses && statuses.join() !== "success") || (group && group !== "all");
  const title = conditional && s("title", {}, [group, statuses?.join(", ")].filter(Boolean).join(": "));
  return s("g", { class: conditional ? "edge conditional" : "edge" }, s("path", { d: path }), s("path", { class: "tip", d: `M${end.x - 5} ${end.y - 3.5}L${end.x} ${end.y}L${end.x - 5} ${end.y + 3.5}` }), title);
}

const short = (text, most = LETTERS) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

function stepNode(step, { x, y }, chosen) {
  const id = step.node_id;
  const below = s("text", { class: "below", x: 30, y: 34, "aria-hidden": "true" });
  const picture = s("g", { transform: "translate(8 6)" });
  const more = [step.loop && `↻ ${step.loop}`, step.when && "?"].filter(Boolean).join(" ");
  const title = s("title", {});
  const press = () => chosen(id);
  const node = s(
    "g",
    {
      class: "step-node",
      transform: `translate(${x} ${y})`,
      tabindex: chosen && "0",
      role: chosen && "button",
      onclick: chosen && press,
      onkeydown: chosen && ((event) => (event.key === "Enter" || event.key === " ") && (event.preventDefault(), press())),
    },
    title,
    s("rect", { width: NODE.width, height: NODE.height, rx: 7 }),
    picture,
    s("text", { class: "name", x: 30, y: 18, "aria-hidden": "true" }, short(id)),
    below,
    more && s("text", { class: "more", x: NODE.width - 9, y: 34, "text-anchor": "end", "aria-hidden": "true" }, more),
  );
  let drawn;

  function update(timed, end) {
    const status = timed?.status ?? "none";
    const took = timed?.started_at && status !== "pending" ? duration(secondsBetween(timed.started_at, timed.finished_at ?? end)) : undefined;
    const tries = timed?.tries > 1 ? t("graph.tries", { count: timed.tries }) : undefined;
    const words = timed ? [word("step", status), timed.is_reused ? t("graph.reused") : took, tries] : [step.action];
    const seen = timed?.is_reused ? [t("graph.reused")] : words; // that it succeeded is seen by its colour
    below.textContent = short(seen.filter(Boolean).join(" · "), more ? 23 - more.length : 24);
    title.textContent = [id, ...words, timed && step.action, step.when && `when ${step.when}`, step.step_note].filter(Boolean).join(" · ");
    if (status === drawn) return;
    drawn = status;
    node.dataset.status = status;
    const image = icon(status === "none" ? "pending" : status);
    image.setAttribute("width", "16");
    image.setAttribute("height", "16");
    picture.replaceChildren(image);
  }
  update(undefined);
  return { id, node, update };
}
