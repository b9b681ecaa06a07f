// The latest runs, of every status or of one.

import { listRuns } from "../api.js";
import { freshId, h, rowsOf, setAttribute, setText } from "../dom.js";
import { feedOf } from "../feed.js";
import { ago, bothTimes, duration, number, secondsBetween } from "../format.js";
import { t, word } from "../i18n.js";
import { onRoute, toRun } from "../route.js";
import { chip } from "./parts.js";

const SHOWN = 50;
const STATUSES = ["queued", "running", "cancelling", "succeeded", "failed", "timed_out", "cancelled"];

/** The section of the latest runs; `feeds` are the page's feeds, to which it adds its own. */
export function runsView(feeds) {
  const heading = freshId("heading");
  let status;
  feeds.runs = feedOf((signal) => listRuns({ limit: SHOWN, status }, signal));

  const filters = h("div", { class: "filters", role: "group", "aria-label": t("runs.filter") });
  const buttons = [undefined, ...STATUSES].map((each) => {
    const button = h("button", { type: "button", "aria-pressed": String(each === status), onclick: () => choose(each) });
    filters.append(button);
    return { status: each, button };
  });
  const empty = h("p", { class: "empty", hidden: true });
  const body = h("tbody");
  const table = h(
    "table",
    {},
    h("thead", {}, h("tr", {}, ["task", "status", "created", "took"].map((each) => h("th", { scope: "col" }, t(`runs.${each}`))))),
    body,
  );
  const show = rowsOf(body, (run) => run.cid, runRow);

  function choose(wanted) {
    status = wanted;
    for (const each of buttons) setAttribute(each.button, "aria-pressed", String(each.status === status));
    feeds.runs.refresh();
  }

  feeds.runs.read(({ items }) => {
    setText(empty, status === undefined ? t("runs.empty") : t("runs.none"));
    setAttribute(empty, "hidden", items.length > 0);
    setAttribute(table, "hidden", items.length === 0);
    show(items);
    mark();
  });

  // Without the figures, which not every token shows, every status can be chosen.
  const nameOf = (each) => (each.status === undefined ? t("runs.all") : word("status", each.status));
  for (const each of buttons) setText(each.button, nameOf(each));
  feeds.system.read(({ runs }) => {
    for (const each of buttons) {
      const count = each.status === undefined ? STATUSES.reduce((sum, name) => sum + (runs[name] ?? 0), 0) : (runs[each.status] ?? 0);
      setText(each.button, `${nameOf(each)} ${number(count)}`);
      setAttribute(each.button, "hidden", count === 0 && each.status !== undefined && each.status !== status);
    }
  });

  // The run that the panel shows is marked in the list.
  let open;
  function mark() {
    for (const row of body.children) setAttribute(row, "aria-current", row.dataset.cid === open && "true");
  }
  onRoute(([kind, cid]) => {
    open = kind === "runs" ? cid : undefined;
    mark();
  });

  return h(
    "section",
    { class: "card runs", "aria-labelledby": heading },
    h("div", { class: "card-head" }, h("h2", { id: heading }, t("runs.title")), filters),
    h("div", { class: "scroll" }, table, empty),
  );
}

/** What is worth knowing at a glance: why it went wrong, when it will start, or its labels. */
function noteOf(run) {
  if (run.error) return run.error.message;
  if (run.status === "queued" && Date.parse(run.run_at) > Date.now()) return t("runs.delayed", { when: ago(run.run_at) });
  return Object.entries(run.labels).map(([key, value]) => `${key}=${value}`).join(" ");
}

function runRow() {
  const name = h("a", { class: "name stretched" });
  const note = h("span", { class: "muted note" });
  const status = chip();
  const created = h("time");
  const took = h("td", { class: "number" });
  const node = h("tr", {}, h("td", {}, name, note), h("td", {}, status.node), h("td", { class: "muted" }, created), took);
  return {
    node,
    update(run) {
      node.dataset.cid = run.cid;
      setText(name, `${run.plan_name}/${run.task_name}`);
      setAttribute(name, "href", toRun(run.cid));
      setText(note, noteOf(run));
      status.update(run.status);
      setAttribute(created, "datetime", run.created_at);
      setAttribute(created, "title", bothTimes(run.created_at));
      setText(created, ago(run.created_at));
      setText(took, run.started_at === undefined ? "–" : duration(secondsBetween(run.started_at, run.finished_at)));
    },
  };
}
