// The frame of every page: where one can go, how the system is, its switch, and the page itself.

import { Problem } from "./api.js";
import { h, setAttribute, setText } from "./dom.js";
import { onReach } from "./feed.js";
import { shortNumber } from "./format.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";
import { showHelp } from "./keys.js";
import { pageOf } from "./pages.js";
import { explain, noticesView } from "./parts/notice.js";
import { systemView } from "./parts/system.js";
import { tokenButton } from "./parts/token.js";
import { HOME, onRoute, route } from "./route.js";

const PLACES = ["overview", "runs", "queue", "plans", "schedules", "logs"];
const HIDDEN_FAILURES = 1; // one lost answer is not worth a red bar

/** The frame: `{nodes, begin(), again()}`; `begin` shows the page of the address, `again` draws it anew. */
export function shellView(feeds) {
  const links = PLACES.map((name) => placeLink(name));
  const system = systemView(feeds);
  const trouble = h("div", { class: "trouble", role: "alert", hidden: true });
  const main = h("main", { id: "main", tabindex: "-1" });
  const tokens = tokenButton(() => {
    feeds.refresh();
    again();
  });
  const help = h("button", { type: "button", class: "quiet", onclick: showHelp, "aria-keyshortcuts": "?" }, t("keys.title"), h("kbd", {}, "?"));
  const skip = h("a", { class: "skip", href: "#main", onclick: (event) => toMain(event) }, t("skip"));
  const rail = h(
    "header",
    { class: "rail" },
    h("a", { class: "brand", href: HOME }, h("span", { class: "mark", "aria-hidden": "true" }), "Aura"),
    h("nav", { "aria-label": t("nav.title") }, h("ul", {}, links.map(({ node }) => node))),
    h("div", { class: "foot" }, system.node, h("div", { class: "foot-links" }, h("a", { class: "button quiet", href: "/docs" }, icon("docs"), t("docs")), help, tokens.node)),
  );
  let page;
  let shown;

  function toMain(event) {
    event.preventDefault();
    main.focus();
  }

  /** Shows the page of the address; only its query has changed: the page itself sees to that. */
  function show({ words, query }) {
    const path = words.join("/");
    if (shown === path && page.update) return page.update(query);
    page?.leave();
    const first = shown === undefined;
    shown = path;
    page = pageOf({ words, query }, feeds);
    document.title = page.title ? `${page.title} · Aura` : "Aura";
    for (const link of links) setAttribute(link.anchor, "aria-current", link.name === (words[0] ?? "overview") && "page");
    main.replaceChildren(...page.nodes);
    scrollTo(0, 0);
    if (!first) main.querySelector("h1")?.focus();
    return undefined;
  }

  function again() {
    shown = undefined;
    show(route());
  }

  feeds.system.read(({ runs, queue }) => {
    const counts = { runs: runs.running + runs.cancelling, queue: queue.ready_length + queue.delayed_length };
    for (const link of links) link.count(counts[link.name]);
  });

  let failures = 0;
  onReach((error) => {
    if (error instanceof Problem && error.status === 403) return system.limited(error.message); // the rest is there nevertheless
    tokens.needed(error instanceof Problem && error.status === 401);
    failures = error ? failures + 1 : 0;
    setAttribute(trouble, "hidden", failures <= HIDDEN_FAILURES);
    setText(trouble, error ? explain(error) : "");
    return undefined;
  });

  return { nodes: [skip, rail, h("div", { class: "stage" }, trouble, main), noticesView], begin: () => onRoute(show), again };
}

function placeLink(name) {
  const badge = h("span", { class: "badge", hidden: true });
  const anchor = h("a", { href: name === "overview" ? HOME : `#/${name}` }, icon(name), h("span", {}, t(`nav.${name}`)), badge);
  return {
    name,
    anchor,
    node: h("li", {}, anchor),
    count(value) {
      setAttribute(badge, "hidden", !value);
      if (value) setText(badge, shortNumber(value));
    },
  };
}
