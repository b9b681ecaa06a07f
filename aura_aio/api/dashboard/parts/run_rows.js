// A table of runs.

import { h, rowsOf, setAttribute, setName, setText } from "../dom.js";
import { ago, bothTimes, duration, secondsBetween } from "../format.js";
import { t } from "../i18n.js";
import { toRun } from "../route.js";
import { chip } from "./parts.js";

/** `{node, update(runs)}`; `label` names the table for who does not see it; `tall` rows have a line for why a run failed. */
export function runTable({ label, withTask = true, tall = false }) {
  // On a phone they are laid out as no table is: so the roles are written out.
  const body = h("tbody", { role: "rowgroup" });
  const columns = [withTask ? "task" : "created", "status", withTask && "created", "took"].filter(Boolean);
  const head = h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, columns.map((each) => h("th", { scope: "col", class: each, role: "columnheader" }, t(`runs.${each}`)))));
  const show = rowsOf(body, (run) => run.cid, () => runRow(withTask, tall));
  return { node: h("table", { class: tall ? "runs tall-rows" : "runs", role: "table", "aria-label": label }, head, body), update: show };
}

/** What is worth knowing at a glance: why it went wrong (and when, in a `tall` row), when it will start, or its labels. */
function noteOf(run, tall) {
  if (run.error) return tall ? `${ago(run.finished_at ?? run.created_at)} · ${run.error.message}` : run.error.message;
  if (run.status === "queued" && Date.parse(run.run_at) > Date.now()) return t("runs.delayed", { when: ago(run.run_at) });
  return Object.entries(run.labels).map(([key, value]) => `${key}=${value}`).join(" ");
}

function runRow(withTask, tall) {
  const name = h("a", { class: "name stretched" });
  const note = h("span", { class: "muted note" });
  const status = chip();
  const created = h("time");
  const took = h("td", { class: "number took", role: "cell" });
  const first = h("td", { class: withTask ? "task" : "created", role: "cell" }, h("div", { class: "who" }, name, " ", note));
  const node = h("tr", { role: "row" }, first, h("td", { class: "status", role: "cell" }, status.node), withTask && h("td", { class: "created muted", role: "cell" }, created), took);
  return {
    node,
    update(run) {
      setName(name, withTask ? `${run.plan_name}/${run.task_name}` : ago(run.created_at));
      setAttribute(name, "href", toRun(run.cid));
      setAttribute(name, "title", withTask ? run.cid : bothTimes(run.created_at));
      setText(note, noteOf(run, tall));
      setAttribute(note, "title", run.error?.message);
      note.classList.toggle("bad", run.error !== undefined);
      status.update(run.status);
      setAttribute(created, "datetime", run.created_at);
      setAttribute(created, "title", bothTimes(run.created_at));
      setText(created, ago(run.created_at));
      setText(took, run.started_at === undefined ? "–" : duration(secondsBetween(run.started_at, run.finished_at)));
    },
  };
}
