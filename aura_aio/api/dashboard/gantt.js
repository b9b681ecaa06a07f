// When each step of a run ran: a bar for each, with its turns and tries, over the time of the run.

import { h, rowsOf, setAttribute, setText } from "./dom.js";
import { duration, timeOfDay } from "./format.js";
import { t, word } from "./i18n.js";
import { chip } from "./parts/parts.js";

const LEAST_PERCENT = 0.4;

/** `{node, update(timeline)}`, where `timeline` is that of the contract. */
export function ganttView() {
  const rows = h("ol", { class: "gantt" });
  const show = rowsOf(rows, (step) => step.node_id, ganttRow);
  const scale = h("div", { class: "gantt-scale muted", "aria-hidden": "true" }, h("span", {}, "0"), h("span"), h("span"));
  return {
    node: h("div", { class: "gantt-box" }, rows, scale),
    update(timeline) {
      // What was kept from before ran in another run, perhaps days ago: it has no place on this scale.
      const times = timeline.steps.filter((step) => !step.is_reused).flatMap(({ started_at: from, finished_at: to }) => [from, to]).filter(Boolean).map(Date.parse);
      const end = timeline.finished_at ? Date.parse(timeline.finished_at) : Date.now();
      const start = Math.min(timeline.started_at ? Date.parse(timeline.started_at) : end, ...times);
      const span = Math.max(1, Math.max(end, ...times) - start);
      const percent = (time) => ((time - start) / span) * 100;
      show(timeline.steps.map((step) => ({ ...step, percent, end })));
      setText(scale.children[1], duration(span / 2_000));
      setText(scale.children[2], duration(span / 1_000));
    },
  };
}

function ganttRow() {
  const [name, track, took, status] = [h("span", { class: "gantt-name" }), h("span", { class: "track" }), h("span", { class: "took" }), chip("step")];
  const node = h("li", {}, name, track, took, status.node);
  return {
    node,
    update(step) {
      setText(name, step.node_id);
      setAttribute(name, "title", step.node_id);
      status.update(step.status);
      if (!step.started_at) {
        track.replaceChildren();
        setText(took, "");
        return;
      }
      const until = step.finished_at ? Date.parse(step.finished_at) : step.end;
      setText(took, duration((until - Date.parse(step.started_at)) / 1_000));
      if (step.is_reused) {
        track.replaceChildren(h("span", { class: "reused muted" }, t("graph.reused")));
        return;
      }
      const calls = step.calls?.length > 1 ? step.calls : [];
      track.replaceChildren(bar(step, until, ""), ...calls.map((call) => bar({ ...call, percent: step.percent }, Date.parse(call.finished_at), "call")));
    },
  };
}

function bar({ status, started_at: from, percent, loop_index: turn, tried }, until, kind) {
  const place = h("span", { class: `bar ${kind}`, "data-status": status });
  const [left, right] = [percent(Date.parse(from)), percent(until)];
  place.style.left = `${left}%`;
  place.style.width = `${Math.max(LEAST_PERCENT, right - left)}%`;
  const words = [turn !== undefined && t("gantt.turn", { turn }), tried > 1 && t("gantt.try", { tried }), word("step", status), timeOfDay(from), duration((until - Date.parse(from)) / 1_000)];
  place.title = words.filter(Boolean).join(" · ");
  return place;
}
