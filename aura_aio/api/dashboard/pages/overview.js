// How everything is: the system and its switch, the queue in figures, what runs and what will, what failed, and the workers.

import { call } from "../api.js";
import { lineChart } from "../chart.js";
import { h, rowsOf, setAttribute, setName, setText } from "../dom.js";
import { feedOf } from "../feed.js";
import { duration, number, secondsBetween } from "../format.js";
import { keep } from "../history.js";
import { t, word } from "../i18n.js";
import { card, pageHead } from "../parts/head.js";
import { nextView } from "../parts/next.js";
import { cancelButton, chip, progressBar, STATUSES } from "../parts/parts.js";
import { runTable } from "../parts/run_rows.js";
import { systemSwitch } from "../parts/switch.js";
import { toRun, toRuns } from "../route.js";

const FAILURES = 8;
const LATEST = 12;
const BEGUN = STATUSES.filter((status) => status !== "queued"); // those that wait are on the page of the queue

export function overviewPage(_, feeds) {
  const charts = {
    active: lineChart({ label: t("figure.running"), tone: "blue" }),
    ready: lineChart({ label: t("figure.ready"), tone: "violet" }),
    wait: lineChart({ label: t("figure.wait"), tone: "amber" }),
    rate: lineChart({ label: t("figure.throughput"), tone: "green" }),
  };
  const waits = [];
  const workers = h("ul", { class: "workers" });
  const showWorkers = rowsOf(workers, (worker) => worker.name, workerRow);
  const active = activeList(feeds);
  const next = nextView();
  const failures = runTable({ label: t("overview.failures"), tall: true });
  const latest = runTable({ label: t("runs.latest") });
  const noFailure = h("p", { class: "empty" }, t("overview.nofailure"));
  const noRun = h("p", { class: "empty" }, t("runs.empty"));
  const failureFeed = feedOf((signal) => call("listRuns", {}, { query: { status: ["failed", "timed_out"], limit: FAILURES }, signal }));
  const latestFeed = feedOf((signal) => call("listRuns", {}, { query: { status: BEGUN, limit: LATEST }, signal }));

  const stops = [
    feeds.system.read((status) => {
      const samples = feeds.history;
      charts.active.update(samples.map((each) => each.active), number(status.runs.running + status.runs.cancelling));
      charts.ready.update(samples.map((each) => each.ready), number(status.queue.ready_length), t("figure.delayed", { count: number(status.queue.delayed_length) }));
      showWorkers(status.workers);
    }),
    feeds.queue.read((queue) => {
      keep(waits, queue.avg_wait_sec ?? 0);
      charts.wait.update(waits, duration(queue.avg_wait_sec), queue.p95_wait_sec === undefined ? "" : t("figure.p95", { wait: duration(queue.p95_wait_sec) }));
      const { m5, m15, m60 } = queue.throughput;
      charts.rate.update(feeds.history.map((each) => each.rate), number(m5), t("figure.more", { m15: number(m15), m60: number(m60) }));
    }),
    active.stop,
    next.stop,
  ];
  const fill = (table, empty) => ({ items }) => {
    table.update(items);
    setAttribute(empty, "hidden", items.length > 0);
    setAttribute(table.node, "hidden", items.length === 0);
  };
  failureFeed.read(fill(failures, noFailure));
  latestFeed.read(fill(latest, noRun));
  const control = systemSwitch(feeds);

  return {
    title: t("nav.overview"),
    nodes: [
      pageHead({ title: t("nav.overview"), beside: [control.state], tools: control.tools }),
      h("section", { class: "figures", "aria-label": t("figures.title") }, Object.values(charts).map(({ node }) => node)),
      h(
        "div",
        { class: "columns overview" },
        h("div", { class: "column" }, active.node, next.node),
        h("div", { class: "column" }, card({ title: t("overview.failures"), tools: [h("a", { class: "button", href: toRuns({ status: ["failed", "timed_out"] }) }, t("runs.all"))] }, failures.node, noFailure), card({ title: t("overview.workers") }, workers)),
        card({ title: t("runs.latest"), tools: [h("a", { class: "button", href: toRuns() }, t("runs.all"))] }, latest.node, noRun),
      ),
    ],
    leave() {
      for (const stop of [...stops, control.stop]) stop();
      failureFeed.end();
      latestFeed.end();
    },
  };
}

function activeList(feeds) {
  const count = h("span", { class: "count" });
  const empty = h("p", { class: "empty" }, t("active.empty"));
  const list = h("ul", { class: "active" });
  const show = rowsOf(list, (run) => run.cid, () => activeRow(feeds.refresh));
  const stop = feeds.active.read(({ items }) => {
    setText(count, number(items.length));
    setAttribute(empty, "hidden", items.length > 0);
    show(items);
  });
  return { stop, node: card({ title: t("active.title"), beside: [count] }, empty, list) };
}

function activeRow(after) {
  const name = h("a", { class: "name" });
  const status = chip();
  const where = h("span", { class: "muted" });
  const progress = progressBar();
  const cancel = cancelButton(after);
  const node = h("li", {}, h("div", { class: "grow" }, h("div", { class: "row" }, name, status.node, where), progress.node), cancel.node);
  return {
    node,
    update(run) {
      setName(name, `${run.plan_name}/${run.task_name}`);
      setAttribute(name, "href", toRun(run.cid));
      status.update(run.status);
      setText(where, [duration(secondsBetween(run.started_at)), run.current_steps.join(", "), run.worker].filter(Boolean).join(" · "));
      progress.update(run.progress);
      cancel.update(run);
    },
  };
}

function workerRow() {
  const [name, state, busy, meter] = [h("span", { class: "name" }), h("span", { class: "muted" }), h("span", { class: "number" }), h("meter", { min: "0" })];
  return {
    node: h("li", {}, name, state, meter, busy),
    update(worker) {
      setText(name, worker.name);
      setText(state, [word("worker", worker.state), worker.pid && `pid ${worker.pid}`].filter(Boolean).join(" · "));
      meter.max = Math.max(1, worker.slots);
      meter.value = worker.busy;
      setAttribute(meter, "aria-label", t("overview.busy", { name: worker.name }));
      setText(busy, `${number(worker.busy)} / ${number(worker.slots)}`);
    },
  };
}
