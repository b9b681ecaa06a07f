// How the system is, in a few words at the foot of every page.

import { h, setText } from "../dom.js";
import { duration, number } from "../format.js";
import { t, word } from "../i18n.js";

/** `{node, limited(why)}`. */
export function systemView(feeds) {
  const state = h("span", { class: "state", role: "status" }, "…");
  const facts = h("span", { class: "facts muted" });
  feeds.system.read((status) => {
    state.dataset.state = status.state;
    state.removeAttribute("title");
    setText(state, word("system", status.state));
    const sum = (name) => status.workers.reduce((total, worker) => total + worker[name], 0);
    setText(facts, t("system.facts", { busy: number(sum("busy")), slots: number(sum("slots")), uptime: duration(status.uptime_sec), version: status.version }));
  });
  return {
    node: h("div", { class: "system" }, state, facts),
    /** What the token does not show. */
    limited(why) {
      setText(state, t("system.hidden"));
      state.title = why;
    },
  };
}
