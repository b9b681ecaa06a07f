// The log of one run: read as it grows, searched, and taken along as a file.

import { call } from "../api.js";
import { h } from "../dom.js";
import { follow } from "../feed.js";
import { t } from "../i18n.js";
import { LogLines } from "../log/lines.js";
import { logTools } from "../log/tools.js";
import { attempt } from "./button.js";
import { card } from "./head.js";
import { explain, notify } from "./notice.js";

const WAIT_SEC = 25;
const LINES_A_PAGE = 1_000;

/** The log of the run `cid`: `{node, look(text), leave()}`; `ended()` is called when the log has ended. */
export function runLogView(cid, ended) {
  const lines = new LogLines({ label: t("run.log"), withRun: false, changed: () => tools?.show() });
  const tools = logTools(lines, {});
  const toError = h("button", { type: "button", onclick: () => lines.toError() || notify(t("log.noerror")) }, t("log.toerror"));
  const download = h("button", { type: "button", onclick: () => attempt(download, save) }, t("log.download"));
  const node = card({ title: t("run.log"), kind: "log", tools: [tools.search, tools.level, tools.follow, toError, download] }, lines.node);

  let cursor;
  const stop = follow(async (signal) => {
    const page = await call("listRunLogs", { cid }, { query: { cursor, limit: LINES_A_PAGE, wait_sec: WAIT_SEC }, signal });
    lines.add(page.items);
    cursor = page.next_cursor;
    if (cursor === undefined) ended();
    return cursor !== undefined;
  }, (error) => lines.note(explain(error)));

  async function save() {
    const text = await call("listRunLogs", { cid }, { accept: "application/x-ndjson" });
    const url = URL.createObjectURL(new Blob([text], { type: "application/x-ndjson" }));
    h("a", { href: url, download: `${cid}.ndjson` }).click();
    URL.revokeObjectURL(url);
  }

  return {
    node,
    /** Shows the lines with this text. */
    look(text) {
      tools.set(text);
      node.scrollIntoView({ block: node.offsetHeight > innerHeight / 2 ? "start" : "nearest" });
    },
    leave: stop,
  };
}
