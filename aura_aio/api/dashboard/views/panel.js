// The panel beside the lists: plans, the form of a task, or one run, as the address says.

import { freshId, h, setAttribute } from "../dom.js";
import { t } from "../i18n.js";
import { go, HOME, onRoute } from "../route.js";
import { launchView } from "./launch.js";
import { plansView } from "./plans.js";
import { runView } from "./run.js";

function viewOf([kind, ...words], feeds) {
  if (kind === "runs" && words.length === 1) return runView(words[0], feeds);
  if (kind === "tasks" && words.length >= 2) return launchView(words[0], words[1], words[2], feeds);
  return undefined;
}

const narrow = matchMedia("(max-width: 1079px)"); // as in dashboard.css

/** The panel; `feeds` are the page's feeds, `behind` what it covers on a narrow screen. */
export function panelView(feeds, behind) {
  const heading = h("h2", { id: freshId("heading"), tabindex: "-1" });
  const close = h("a", { class: "button", href: HOME }, t("panel.close"));
  const tools = h("div", { class: "tools" });
  const body = h("div", { class: "scroll" });
  const node = h("section", { class: "card panel", "aria-labelledby": heading.id }, h("div", { class: "card-head" }, heading, tools), body);
  let view;
  let first = true;

  onRoute((words) => {
    view?.leave();
    const special = viewOf(words, feeds);
    view = special ?? plansView(feeds);
    heading.replaceChildren(view.title);
    body.replaceChildren(view.node);
    body.scrollTop = 0;
    tools.replaceChildren(special ? close : view.tool);
    cover(special !== undefined);
    if (special && !first) heading.focus();
    first = false;
  });

  // On a narrow screen it lies over everything else while it shows more than the plans.
  function cover(on) {
    setAttribute(document.documentElement, "data-panel", on && "open");
    for (const each of behind) each.inert = on && narrow.matches;
  }
  narrow.addEventListener("change", () => cover(close.isConnected));

  addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open]")) return;
    if (close.isConnected) go(HOME);
  });
  return node;
}
