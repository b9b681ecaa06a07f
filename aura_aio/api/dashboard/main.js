// The dashboard: draws its frame, learns what it may do, and shows the page that the address names.

import { call } from "./api.js";
import { feedOf } from "./feed.js";
import { learnGrant } from "./grant.js";
import { historyOf } from "./history.js";
import { language } from "./i18n.js";
import { listenToKeys } from "./keys.js";
import { shellView } from "./shell.js";
import { onToken } from "./token.js";

document.documentElement.lang = language;

const feeds = {
  system: feedOf((signal) => call("getSystemStatus", {}, { signal })),
  queue: feedOf((signal) => call("getQueueOverview", {}, { signal })),
  active: feedOf((signal) => call("listActiveRuns", {}, { signal })),
  /** After something was done: see at once what came of it. */
  refresh() {
    for (const feed of [feeds.system, feeds.queue, feeds.active]) feed.refresh();
  },
};
feeds.history = historyOf(feeds.system);

const shell = shellView(feeds);
document.body.replaceChildren(...shell.nodes);
listenToKeys();
await learnGrant();
shell.begin();
onToken(async () => {
  await learnGrant();
  feeds.refresh();
  shell.again();
});
