// What starts by itself: when it did last, when it does next, on and off, and at once.

import { call, newKey } from "../api.js";
import { h, rowsOf, setAttribute, setText } from "../dom.js";
import { feedOf } from "../feed.js";
import { ago, bothTimes, duration, shortTime } from "../format.js";
import { t, word } from "../i18n.js";
import { actionButton, attempt } from "../parts/button.js";
import { pageHead } from "../parts/head.js";
import { notify } from "../parts/notice.js";
import { chip, json } from "../parts/parts.js";
import { toRun, toTask } from "../route.js";

const MOST = 1_000;

export function schedulesPage() {
  const feed = feedOf(async (signal) => {
    const { items } = await call("listSchedules", {}, { query: { limit: MOST }, signal });
    const cids = [...new Set(items.flatMap((schedule) => schedule.last_cid ?? []))];
    const last = cids.length ? await call("getTaskStatusBatch", {}, { body: { cids }, signal }) : { items: [] };
    const statuses = new Map(last.items.map(({ cid, status }) => [cid, status]));
    return items.map((schedule) => ({ ...schedule, last_status: statuses.get(schedule.last_cid) }));
  });
  const list = h("ul", { class: "schedules card" });
  const empty = h("p", { class: "empty", hidden: true }, t("schedules.empty"));
  const show = rowsOf(list, ({ id }) => id, () => scheduleRow(() => feed.refresh()));
  feed.read((items) => {
    show(items);
    setAttribute(empty, "hidden", items.length > 0);
    setAttribute(list, "hidden", items.length === 0);
  });
  return { title: t("nav.schedules"), nodes: [pageHead({ title: t("nav.schedules"), about: t("schedules.about") }), list, empty], leave: () => feed.end() };
}

function scheduleRow(after) {
  let schedule;
  const [name, id, when] = [h("a", { class: "name" }), h("code", { class: "muted" }), h("span", { class: "when" })];
  const [next, last, rules] = [h("dd"), h("dd"), h("dd")];
  const inputs = h("div", {});
  const toggle = actionButton({ operation: "updateSchedule", act: turn, label: "" });
  const run = actionButton({ operation: "runScheduleNow", act: runNow, label: t("schedules.run") });
  let drawn;

  async function turn() {
    await attempt(toggle, () => call("updateSchedule", { schedule_id: schedule.id }, { body: { enabled: !schedule.enabled } }));
    after();
  }

  async function runNow() {
    const key = newKey();
    const answer = await attempt(run, () => call("runScheduleNow", { schedule_id: schedule.id }, { headers: { "Idempotency-Key": key } }));
    if (answer) notify(t("launch.done", { task: `${schedule.plan_name}/${schedule.task_name}` }), { link: { href: toRun(answer.cid), text: t("show") } });
    after();
  }

  const node = h(
    "li",
    {},
    h("div", { class: "grow" }, h("div", { class: "row" }, name, id), h("div", { class: "muted" }, when)),
    h("dl", {}, h("div", {}, h("dt", {}, t("schedules.next")), next), h("div", {}, h("dt", {}, t("schedules.last")), last), h("div", {}, h("dt", {}, t("schedules.rules")), rules)),
    h("div", { class: "row" }, toggle, run),
    inputs,
  );
  return {
    node,
    update(latest) {
      schedule = latest;
      const task = `${schedule.plan_name}/${schedule.task_name}`;
      setText(name, task);
      setAttribute(name, "href", toTask(schedule.plan_name, schedule.task_name));
      setText(id, schedule.id);
      setText(when, schedule.cron === undefined ? t("schedules.every", { time: duration(schedule.every_sec) }) : `${schedule.cron} (${schedule.timezone ?? "UTC"})`);
      setText(toggle, schedule.enabled ? t("schedules.disable") : t("schedules.enable"));
      setAttribute(toggle, "aria-label", `${toggle.textContent}: ${schedule.id}`);
      setAttribute(run, "aria-label", `${run.textContent}: ${schedule.id}`);
      setAttribute(node, "data-off", !schedule.enabled);
      setText(rules, [word("overlap", schedule.overlap), word("catch_up", schedule.catch_up), word("source", schedule.source)].join(" · "));
      const due = schedule.enabled ? schedule.next_run_at : undefined;
      setText(next, due ? `${ago(due)} · ${shortTime(due)}` : t("schedules.off"));
      setAttribute(next, "title", due && bothTimes(due));
      const now = JSON.stringify([schedule.last_run_at && ago(schedule.last_run_at), schedule.last_outcome, schedule.last_status, schedule.last_message, schedule.last_cid, schedule.inputs]);
      if (now === drawn) return;
      drawn = now;
      last.replaceChildren(...lastOf(schedule));
      inputs.replaceChildren(...(Object.keys(schedule.inputs).length ? [h("details", {}, h("summary", {}, t("run.inputs")), json(schedule.inputs, t("run.inputs")))] : []));
    },
  };
}

/** When it was due last, and how the run stands, or why there is none. */
function lastOf({ last_run_at: at, last_outcome: outcome, last_status: status, last_message: message, last_cid: cid }) {
  if (at === undefined) return [t("schedules.never")];
  const time = h("time", { datetime: at, title: bothTimes(at) }, ago(at));
  const link = cid === undefined ? time : h("a", { href: toRun(cid) }, time);
  const is = chip();
  if (status !== undefined && status !== "not_found") is.update(status);
  const said = is.node.hasChildNodes() ? message : [outcome && word("outcome", outcome), message].filter(Boolean).join(": ");
  return [link, " ", is.node.hasChildNodes() && is.node, said && ` · ${said}`].filter(Boolean);
}
