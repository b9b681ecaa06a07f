// What starts by itself: when it did last, when it does next, on and off, and at once.

import { call, newKey } from "../api.js";
import { h, rowsOf, setAttribute, setText } from "../dom.js";
import { feedOf } from "../feed.js";
import { ago, bothTimes, duration } from "../format.js";
import { t, word } from "../i18n.js";
import { actionButton, attempt } from "../parts/button.js";
import { pageHead } from "../parts/head.js";
import { notify } from "../parts/notice.js";
import { json } from "../parts/parts.js";
import { toRun, toTask } from "../route.js";

const MOST = 1_000;

export function schedulesPage() {
  const feed = feedOf((signal) => call("listSchedules", {}, { query: { limit: MOST }, signal }));
  const list = h("ul", { class: "schedules card" });
  const empty = h("p", { class: "empty", hidden: true }, t("schedules.empty"));
  const show = rowsOf(list, ({ id }) => id, () => scheduleRow(() => feed.refresh()));
  feed.read(({ items }) => {
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
      setText(next, schedule.enabled && schedule.next_run_at ? ago(schedule.next_run_at) : t("schedules.off"));
      setAttribute(next, "title", schedule.next_run_at && bothTimes(schedule.next_run_at));
      const now = JSON.stringify([schedule.last_run_at && ago(schedule.last_run_at), schedule.last_outcome, schedule.last_message, schedule.last_cid, schedule.inputs]);
      if (now === drawn) return;
      drawn = now;
      last.replaceChildren(...lastOf(schedule));
      inputs.replaceChildren(...(Object.keys(schedule.inputs).length ? [h("details", {}, h("summary", {}, t("run.inputs")), json(schedule.inputs, t("run.inputs")))] : []));
    },
  };
}

function lastOf({ last_run_at: at, last_outcome: outcome, last_message: message, last_cid: cid }) {
  if (at === undefined) return [t("schedules.never")];
  const time = h("time", { datetime: at, title: bothTimes(at) }, ago(at));
  return [cid === undefined ? time : h("a", { href: toRun(cid) }, time), ` · ${[word("outcome", outcome), message].filter(Boolean).join(": ")}`];
}
