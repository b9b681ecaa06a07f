// Which page an address shows. A page is `{title, nodes, leave(), update?(query)}`.

import { h } from "./dom.js";
import { t } from "./i18n.js";
import { logsPage } from "./pages/logs.js";
import { overviewPage } from "./pages/overview.js";
import { planPage } from "./pages/plan.js";
import { plansPage } from "./pages/plans.js";
import { queuePage } from "./pages/queue.js";
import { runPage } from "./pages/run.js";
import { runsPage } from "./pages/runs.js";
import { schedulesPage } from "./pages/schedules.js";
import { taskPage } from "./pages/task.js";
import { HOME } from "./route.js";

const PAGES = {
  runs: [runsPage, runPage],
  plans: [plansPage, planPage, taskPage],
  queue: [queuePage],
  schedules: [schedulesPage],
  logs: [logsPage],
};

/** The page of an address. @param {import("./route.js").Route} route */
export function pageOf({ words: [kind, ...words], query }, feeds) {
  const make = kind === undefined ? overviewPage : PAGES[kind]?.[words.length];
  return make ? make({ words, query }, feeds) : nowhere();
}

function nowhere() {
  const title = t("nowhere");
  return { title, nodes: [h("h1", { tabindex: "-1" }, title), h("p", {}, h("a", { href: HOME }, t("nav.overview")))], leave() {} };
}
