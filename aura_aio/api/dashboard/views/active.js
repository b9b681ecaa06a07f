// What runs now, how far it is, and the way to stop it.

import { freshId, h, rowsOf, setAttribute, setText } from "../dom.js";
import { duration, number, secondsBetween } from "../format.js";
import { t } from "../i18n.js";
import { toRun } from "../route.js";
import { cancelButton, chip, progressBar } from "./parts.js";

/** The section of the active runs; `feeds` are the page's feeds. */
export function activeView(feeds) {
  const heading = freshId("heading");
  const count = h("span", { class: "count" });
  const empty = h("p", { class: "empty" }, t("active.empty"));
  const list = h("ul", { class: "active" });
  const show = rowsOf(list, (run) => run.cid, () => activeRow(feeds.refreshRuns));

  feeds.active.read(({ items }) => {
    setText(count, number(items.length));
    setAttribute(empty, "hidden", items.length > 0);
    show(items);
    document.title = items.length ? `(${number(items.length)}) Aura` : "Aura";
  });
  return h("section", { class: "card", "aria-labelledby": heading }, h("div", { class: "card-head" }, h("h2", { id: heading }, t("active.title")), count), empty, list);
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
      setText(name, `${run.plan_name}/${run.task_name}`);
      setAttribute(name, "href", toRun(run.cid));
      status.update(run.status);
      const steps = run.current_steps.join(", ");
      setText(where, [duration(secondsBetween(run.started_at)), steps, run.worker].filter(Boolean).join(" · "));
      progress.update(run.progress);
      cancel.update(run);
    },
  };
}
