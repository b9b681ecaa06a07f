// All runs, the newest first, by filters that stand in the address.

import { call } from "../api.js";
import { h, setAttribute, setText } from "../dom.js";
import { feedOf } from "../feed.js";
import { number } from "../format.js";
import { t, word } from "../i18n.js";
import { icon } from "../icons.js";
import { attempt } from "../parts/button.js";
import { pageHead } from "../parts/head.js";
import { STATUSES } from "../parts/parts.js";
import { runTable } from "../parts/run_rows.js";
import { go, replace, route, toRuns } from "../route.js";

const SHOWN = 50;
const QUIET_MS = 250; // after the last letter
const ONE_OF_MANY = ["plan_name", "task_name", "label", "parent_cid", "retry_of", "created_after", "created_before"];

/** @param {import("../route.js").Route} route */
export function runsPage({ query }, feeds) {
  let filters = filtersOf(query);
  let older = [];
  let cursor;
  let typing;
  let asked = {}; // the filters as they were understood, for what comes after the first page
  const feed = feedOf(async (signal) => {
    let page;
    for (asked of meanings(filters)) {
      page = await call("listRuns", {}, { query: { limit: SHOWN, ...asked }, signal });
      if (page.items.length) break;
    }
    return page;
  });

  const search = h("input", { type: "search", value: filters.q ?? "", placeholder: t("runs.search"), "aria-label": t("runs.search"), "aria-keyshortcuts": "/", oninput: () => type() });
  const chips = STATUSES.map((status) => statusFilter(status, () => toggle(status)));
  const others = h("div", { class: "others", role: "group", "aria-label": t("runs.others") });
  const table = runTable({ label: t("nav.runs") });
  const empty = h("p", { class: "empty", hidden: true });
  const more = h("button", { type: "button", hidden: true, onclick: () => attempt(more, showMore) }, t("runs.more"));

  function choose(changes) {
    go(toRuns({ ...filters, ...changes }));
  }

  function toggle(status) {
    const now = filters.status ?? [];
    choose({ status: now.includes(status) ? now.filter((each) => each !== status) : [...now, status] });
  }

  function type() {
    clearTimeout(typing);
    typing = setTimeout(() => {
      replace(toRuns({ ...filters, q: search.value.trim() }));
      update(route().query);
    }, QUIET_MS);
  }

  async function showMore() {
    const page = await call("listRuns", {}, { query: { limit: SHOWN, cursor, ...asked } });
    older = [...older, ...page.items];
    cursor = page.next_cursor;
    feed.refresh();
  }

  function update(latest) {
    filters = filtersOf(latest);
    older = [];
    cursor = undefined;
    clearTimeout(typing);
    if (search.value.trim() !== (filters.q ?? "")) search.value = filters.q ?? "";
    for (const each of chips) setAttribute(each.node, "aria-pressed", String(filters.status?.includes(each.status) ?? false));
    others.replaceChildren(...ONE_OF_MANY.filter((name) => filters[name]).flatMap((name) => [filters[name]].flat().map((value) => otherFilter(name, value, () => choose({ [name]: undefined })))));
    feed.refresh();
  }

  feed.read(({ items, next_cursor: next }) => {
    const known = new Set(items.map((run) => run.cid));
    if (!older.length) cursor = next;
    table.update([...items, ...older.filter((run) => !known.has(run.cid))]);
    const filtered = Object.keys(filters).length > 0;
    setText(empty, filtered ? t("runs.none") : t("runs.empty"));
    setAttribute(empty, "hidden", items.length > 0);
    setAttribute(table.node, "hidden", items.length === 0);
    setAttribute(more, "hidden", cursor === undefined);
  });
  const stopCounts = feeds.system.read(({ runs }) => chips.forEach((each) => each.count(runs[each.status] ?? 0)));
  update(query);

  return {
    title: t("nav.runs"),
    nodes: [
      pageHead({ title: t("nav.runs") }),
      h("div", { class: "bar" }, h("div", { class: "search" }, icon("search"), search), h("div", { class: "filters", role: "group", "aria-label": t("runs.filter") }, chips.map(({ node }) => node)), others),
      h("section", { class: "card" }, table.node, empty, more),
    ],
    update,
    leave() {
      clearTimeout(typing);
      stopCounts();
      feed.end();
    },
  };
}

/** What a search may mean, in the order in which it is tried: a part of a name, `plan/task` as rows say it, a label. */
function meanings(filters) {
  const { q = "", ...rest } = filters;
  const [, plan, task] = /^([^/]+)\/(.*)$/.exec(q) ?? [];
  const found = [filters];
  if (plan && !rest.plan_name) found.push({ ...rest, plan_name: plan, q: task || undefined });
  if (/^[^=]+=./.test(q)) found.push({ ...rest, label: [...(rest.label ?? []), q] });
  return found;
}

function filtersOf(query) {
  const filters = {};
  for (const name of ["status", "label"]) if (query.has(name)) filters[name] = query.getAll(name);
  for (const name of ["q", ...ONE_OF_MANY]) if (name !== "label" && query.get(name)) filters[name] = query.get(name);
  return filters;
}

function statusFilter(status, press) {
  const count = h("span", { class: "count" });
  const node = h("button", { type: "button", class: "chip", "data-status": status, onclick: press }, icon(status), word("status", status), " ", count);
  return { status, node, count: (value) => setText(count, number(value)) };
}

function otherFilter(name, value, drop) {
  const label = t(`filter.${name}`);
  return h("button", { type: "button", class: "token", onclick: drop, "aria-label": t("runs.drop", { name: label, value }) }, h("span", { class: "muted" }, `${label} `), value, " ×");
}
