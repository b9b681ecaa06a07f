// The dashboard: puts the page together and begins to ask.

import { getQueueOverview, getSystemStatus, listActiveRuns, listPlans } from "./api.js";
import { h } from "./dom.js";
import { feedOf } from "./feed.js";
import { language } from "./i18n.js";
import { logView } from "./log/view.js";
import { noticesView } from "./notice.js";
import { activeView } from "./views/active.js";
import { figuresView } from "./views/figures.js";
import { headerView } from "./views/header.js";
import { panelView } from "./views/panel.js";
import { runsView } from "./views/runs.js";

const PLANS_EVERY_MS = 30_000;

document.documentElement.lang = language;

const feeds = {
  system: feedOf(getSystemStatus),
  queue: feedOf(getQueueOverview),
  active: feedOf(listActiveRuns),
  plans: feedOf(listPlans, PLANS_EVERY_MS),
  reloads: 0, // how often plans were reloaded from here
  /** After something was done to a run: see at once what came of it. */
  refreshRuns() {
    for (const feed of [feeds.system, feeds.queue, feeds.active, feeds.runs]) feed.refresh();
  },
};

const header = headerView(feeds);
const figures = figuresView(feeds);
const lists = h("div", { class: "lists" }, activeView(feeds), runsView(feeds), logView());
const panel = panelView(feeds, [header, figures, lists]);
document.body.replaceChildren(header, h("main", {}, figures, h("div", { class: "columns" }, lists, panel)), noticesView);

feeds.refreshRuns();
feeds.plans.refresh();
